//! The prompt: what was typed as arguments, and what standard input adds.

use std::io::{IsTerminal as _, Read};

use anyhow::Context as _;

use crate::failure::Usage;

/// Far more than any model's context holds.
const LONGEST: u64 = 64 << 20;

/// Whether standard input is a person.
pub(crate) fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Joins the words of the prompt and, unless standard input is a terminal, appends what it holds.
pub(crate) fn prompt(words: &[String]) -> anyhow::Result<String> {
    let piped = if is_terminal() {
        String::new()
    } else {
        text(std::io::stdin().lock())?
    };
    Ok(join(&words.join(" "), &piped))
}

fn text(source: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    source
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    if bytes.len() as u64 > LONGEST {
        return Err(Usage(format!("standard input has more than {LONGEST} bytes, which no model can read at once\n  to do: send a part of it")).into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = format!("standard input is not text: byte {at} is not valid UTF-8\n  to do: convert it, for example with iconv -t UTF-8");
        Usage(text).into()
    })
}

/// A blank line keeps a question apart from the text that it is about.
fn join(typed: &str, piped: &str) -> String {
    let piped = piped.trim_end_matches(['\n', '\r']);
    match (typed.is_empty(), piped.is_empty()) {
        (false, false) => format!("{typed}\n\n{piped}"),
        (true, _) => piped.to_owned(),
        (false, true) => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_appended() {
        assert_eq!(join("Summarise:", "one\ntwo\n"), "Summarise:\n\none\ntwo");
        assert_eq!(join("", "one\n"), "one");
        assert_eq!(join("typed", ""), "typed");
        assert_eq!(join("", ""), "");
    }

    #[test]
    fn what_is_not_text_is_refused_with_the_place() {
        assert_eq!(text(&b"plain"[..]).unwrap(), "plain");
        assert!(
            text(&b"ab\xff"[..])
                .unwrap_err()
                .to_string()
                .contains("byte 2")
        );
    }
}
