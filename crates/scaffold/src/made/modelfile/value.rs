//! Values of a Modelfile, and the quotes around them.

use scaffold_error::{Error, err};

/// Reads a value that begins with `first`; `more` are the lines after it, of which it takes as many as
/// its quotes go over.
pub(super) fn read(first: &str, more: &mut dyn Iterator<Item = &str>) -> Result<String, Error> {
    let (mut text, mut lines) = (first.to_owned(), 1);
    loop {
        // What is not whole stays so until a line ends with quotes: looked at once a line, and only at
        // its end, so that a long text does not cost its square.
        if let Some(value) = unquoted(text.trim()) {
            return Ok(value.to_owned());
        }
        let Some(line) = more.next() else {
            return Err(err!(
                Usage,
                "the quotes that open its value are never closed ({lines} lines follow to the end of the file)"
            ));
        };
        text.push('\n');
        text.push_str(line);
        lines += 1;
    }
}

/// What is between the quotes, if those that are opened are closed.
fn unquoted(text: &str) -> Option<&str> {
    for quotes in ["\"\"\"", "\""] {
        if let Some(rest) = text.strip_prefix(quotes) {
            return rest.strip_suffix(quotes);
        }
    }
    Some(text)
}

/// The text as a value that is read back to the same, if there is one.
pub(super) fn written(text: &str) -> Option<String> {
    // Nothing at all needs quotes, or there would be no value.
    let ways = [text.to_owned(), format!("\"{text}\""), format!("\"\"\"{text}\"\"\"")];
    ways.into_iter().skip(usize::from(text.is_empty())).find(|way| {
        let mut lines = way.split('\n');
        let first = lines.next().unwrap_or_default();
        let is_same = read(first, &mut lines).is_ok_and(|read| read == text);
        // Neither is anything of it left over.
        is_same && lines.next().is_none()
    })
}
