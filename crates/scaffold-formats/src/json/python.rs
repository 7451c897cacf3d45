//! JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` are numbers there, and in no other
//! reader.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Reads a JSON text that Python may have written. The numbers that JSON does not have become
/// texts, so that a key that nobody needs does not make the file unreadable, and one that somebody
/// needs is refused by its value.
///
/// # Errors
/// The text is not JSON for Python either, or not of the type that is wanted.
pub fn read_python_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(text).or_else(|error| match quoted_words(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(text) => serde_json::from_slice(&text),
    })
}

/// The text with the three words in quotes, where they stand outside of strings. Lines stay as they
/// are.
fn quoted_words(text: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(&byte) = text.get(at) {
        if byte == b'"' {
            at = end_of_string(text, at);
            continue;
        }
        let rest = &text[at..];
        match WORDS.iter().find(|word| rest.starts_with(word.as_bytes())) {
            Some(word) => {
                out.extend_from_slice(&text[copied..at]);
                out.extend_from_slice(format!("\"{word}\"").as_bytes());
                at += word.len();
                copied = at;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.extend_from_slice(&text[copied..]);
    Cow::Owned(out)
}

/// Behind the closing quote of the string that opens at `start`, or the end of the text.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_numbers_that_json_does_not_have_become_texts() {
        let text = br#"{"limit": [0.0, Infinity], "low": -Infinity, "x": NaN, "note": "NaN \" Infinity", "n": 1}"#;
        let value: Value = read_python_json(text).unwrap();
        assert_eq!(
            value,
            json!({"limit": [0.0, "Infinity"], "low": "-Infinity", "x": "NaN", "note": "NaN \" Infinity", "n": 1})
        );
    }

    #[test]
    fn what_is_no_json_for_python_is_an_error_at_its_place() {
        for text in
            ["{\n\"a\": Infinit}", "{\n\"a\": NaN", "{\n\"a\": \"NaN", "{\n\"NaN\\", "{\n x"]
        {
            let error = read_python_json::<Value>(text.as_bytes()).unwrap_err();
            assert_eq!(error.line(), 2, "{text}: {error}");
        }
        assert!(read_python_json::<Value>(b"{\"a\": InfinityNaN}").is_err());
    }
}
