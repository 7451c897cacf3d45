//! Cutting texts.

use crate::budget::Budget;
use crate::chars::is_space;
use crate::error::{Result, type_error, value_error};
use crate::number::Number;
use crate::text::Text;
use crate::value::Value;

/// `strip(chars)`, on one side or both.
pub(crate) fn strip(text: &Text, chars: Option<&str>, left: bool, right: bool) -> Text {
    let unwanted = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let mut plain = text.as_str();
    if left {
        plain = plain.trim_start_matches(unwanted);
    }
    if right {
        plain = plain.trim_end_matches(unwanted);
    }
    text.part(plain)
}

/// `split(separator, most)` and `rsplit`.
pub(crate) fn split(
    text: &Text,
    from_right: bool,
    separator: Option<Value>,
    most: Option<Value>,
    budget: &Budget,
) -> Result<Value> {
    let most = match most.as_ref().map(|most| (most, Number::of(most))) {
        None => None,
        Some((_, Some(Number::Int(most)))) => usize::try_from(most).ok(),
        Some((most, _)) => {
            return Err(type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                most.type_name()
            )));
        }
    };
    let plain = text.as_str();
    let parts: Vec<&str> = match &separator {
        None | Some(Value::None) => words(plain, most, from_right),
        Some(Value::Str(separator)) => {
            let separator = separator.as_str();
            if separator.is_empty() {
                return Err(value_error("empty separator"));
            }
            match (most, from_right) {
                (None, _) => plain.split(separator).collect(),
                (Some(most), false) => plain.splitn(most + 1, separator).collect(),
                (Some(most), true) => {
                    let mut parts: Vec<&str> = plain.rsplitn(most + 1, separator).collect();
                    parts.reverse();
                    parts
                }
            }
        }
        Some(other) => {
            return Err(type_error(format!("must be str or None, not {}", other.type_name())));
        }
    };
    budget.items(parts.len())?;
    budget.take(plain.len())?;
    Ok(Value::list(parts.into_iter().map(|part| Value::Str(text.part(part))).collect()))
}

fn words(text: &str, most: Option<usize>, from_right: bool) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = if from_right {
        text.trim_end_matches(is_space)
    } else {
        text.trim_start_matches(is_space)
    };
    while !rest.is_empty() {
        if most.is_some_and(|most| out.len() >= most) {
            out.push(rest);
            break;
        }
        let (word, remaining) = if from_right {
            let at = rest
                .char_indices()
                .rev()
                .find(|(_, c)| is_space(*c))
                .map_or(0, |(at, c)| at + c.len_utf8());
            (&rest[at..], rest[..at].trim_end_matches(is_space))
        } else {
            let at = rest.find(is_space).unwrap_or(rest.len());
            (&rest[..at], rest[at..].trim_start_matches(is_space))
        };
        out.push(word);
        rest = remaining;
    }
    if from_right {
        out.reverse();
    }
    out
}

/// `splitlines(keep)`: lines end at more characters in Python than at `\n`.
pub(crate) fn lines(text: &Text, keep: bool) -> Vec<Text> {
    let ends = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut out = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let Some((at, c)) = rest.char_indices().find(|(_, c)| ends(*c)) else {
            out.push(text.part(rest));
            break;
        };
        let after = at + if rest[at..].starts_with("\r\n") { 2 } else { c.len_utf8() };
        out.push(text.part(&rest[..if keep { after } else { at }]));
        rest = &rest[after..];
    }
    out
}

/// `partition(separator)` and `rpartition`.
pub(crate) fn partition(text: &Text, from_right: bool, separator: &Text) -> Result<Value> {
    if separator.as_str().is_empty() {
        return Err(value_error("empty separator"));
    }
    let plain = text.as_str();
    let found =
        if from_right { plain.rfind(separator.as_str()) } else { plain.find(separator.as_str()) };
    let length = separator.as_str().len();
    let empty = text.slice(0..0);
    let parts = match (found, from_right) {
        (Some(at), _) => {
            [text.slice(0..at), text.slice(at..at + length), text.slice(at + length..plain.len())]
        }
        (None, false) => [text.clone(), empty.clone(), empty],
        (None, true) => [empty.clone(), empty, text.clone()],
    };
    Ok(Value::tuple(parts.into_iter().map(Value::Str).collect()))
}
