//! Filters of Jinja2 that minijinja leaves out or does in another way.

use super::methods::{checked_width, justify};
use super::repr;
use minijinja::{Error, Value};

/// `str(value)`
pub(crate) fn string(value: &Value) -> String {
    repr::str(value).into_owned()
}

/// Centers a text in a field of so many characters.
pub(crate) fn center(text: &str, width: Option<usize>) -> Result<Value, Error> {
    justify(text, "center", &[Value::from(width.unwrap_or(80))])
}

/// The number of words.
pub(crate) fn wordcount(text: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .count()
}

/// Cuts a text at so many characters, at the end of a word unless told otherwise; a little more is let pass.
pub(crate) fn truncate(
    text: &str,
    length: Option<usize>,
    kill_words: Option<bool>,
    end: Option<&str>,
    leeway: Option<usize>,
) -> Result<String, Error> {
    let (length, end) = (checked_width(length.unwrap_or(255))?, end.unwrap_or("..."));
    if text.chars().count() <= length.saturating_add(leeway.unwrap_or(5)) {
        return Ok(text.to_owned());
    }
    let kept: String = text
        .chars()
        .take(length.saturating_sub(end.chars().count()))
        .collect();
    if kill_words.unwrap_or(false) {
        return Ok(kept + end);
    }
    let words = kept
        .rsplit_once(' ')
        .map_or(kept.as_str(), |(words, _)| words);
    Ok(words.to_owned() + end)
}

/// Percent-encodes a text for an address; `/` stays.
pub(crate) fn urlencode(value: &Value) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in repr::str(value).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
