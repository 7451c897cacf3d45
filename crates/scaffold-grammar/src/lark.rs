//! Grammars in Lark's notation, as they come from outside.
//!
//! They are compiled as they are, but for two things: schemas within them (`%json { … }`) are walked
//! as any other, and what would be passed over is refused.

use scaffold_error::{Error, err};
use serde_json::Value;

use crate::limits;
use crate::schema::{self, Space};

/// Attributes of rules that change more than which text may come.
const REFUSED: [(&str, &str); 3] = [
    ("temperature", "how tokens are drawn is said once for an answer"),
    ("stop", "what ends a text stays in the answer: use `suffix`"),
    ("stop_capture", "nothing is captured"),
];

/// A text as Lark's notation quotes it.
pub(crate) fn quoted(text: &str) -> String {
    // JSON leaves this one as it is; Lark's notation does not.
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// Checks a grammar, and walks the schemas in it.
pub(crate) fn checked(text: &str) -> Result<String, Error> {
    limits::check_bytes("the grammar", text.len(), limits::TEXT)?;
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut depth) = (text, 0usize);
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => quoted_length(rest, '"'),
            '/' if rest.starts_with("//") => line_length(rest),
            '#' => line_length(rest),
            '/' => quoted_length(rest, '/'),
            '%' if rest.starts_with("%json") => {
                let (lowered, length) = embedded(&rest["%json".len()..])?;
                out.push_str("%json ");
                out.push_str(&lowered);
                rest = &rest["%json".len() + length..];
                continue;
            }
            '%' if rest.starts_with("%llguidance") => {
                let said = &rest[..line_length(rest)];
                if said.contains("allow_invalid_utf8") {
                    return Err(wrong("`allow_invalid_utf8` is refused: an answer is text"));
                }
                said.len()
            }
            '[' => {
                attributes(rest)?;
                depth += 1;
                1
            }
            '(' | '{' => {
                depth += 1;
                1
            }
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                1
            }
            other => other.len_utf8(),
        };
        if depth > limits::DEPTH {
            return Err(wrong(&format!(
                "it has more than {} brackets within each other",
                limits::DEPTH
            )));
        }
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Ok(out)
}

fn wrong(words: &str) -> Error {
    err!(Usage, "answers cannot be held to this grammar: {words}").of_key("grammar")
}

/// The bytes of what is between two of these marks, with both.
fn quoted_length(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return at + c.len_utf8(),
            // It has no end: the compiler says so.
            '\n' if mark == '"' => return at,
            _ => {}
        }
    }
    text.len()
}

fn line_length(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// A schema that stands behind `%json`, as it is compiled, and its length.
fn embedded(text: &str) -> Result<(String, usize), Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = match values.next() {
        Some(Ok(value)) => value,
        Some(Err(error)) => {
            return Err(wrong(&format!("what stands behind `%json` is no JSON: {error}")));
        }
        None => return Err(wrong("nothing stands behind `%json`")),
    };
    let lowered = schema::lower(&value, Space::Lines)?;
    Ok((lowered.schema.to_string(), values.byte_offset()))
}

/// Refuses attributes of a rule that are not followed.
fn attributes(text: &str) -> Result<(), Error> {
    let end = text.find([']', '\n']).unwrap_or(text.len());
    for said in text[1..end].split(',') {
        let name = said.split('=').next().unwrap_or_default().trim();
        if let Some((name, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return Err(wrong(&format!("the attribute `{name}` is refused: {why}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_in_grammars_are_walked_as_any_other() {
        let text = "start: \"%json {\" a // %json\na: %json {\"not\": {\"enum\": [1]}} /[%json]/";
        assert!(checked(text).unwrap_err().to_string().contains("`not` at `#/not`"));
        let text = "start: \"{\" a\na: %json {\"type\": \"null\"} | \"(\"";
        let checked = checked(text).unwrap();
        assert!(checked.starts_with("start: \"{\" a\na: %json {\"type\":\"null\",\"x-guidance\":"));
        assert!(checked.ends_with(" | \"(\""));
    }

    #[test]
    fn what_would_be_passed_over_is_refused() {
        for text in [
            "start[temperature=0.5]: /a/",
            "start[max_tokens=5, stop=\"a\"]: /b/",
            "%llguidance {\"allow_invalid_utf8\": true}\nstart: /a/",
            "start: %json {",
            &format!("start: {}", "(".repeat(100)),
        ] {
            assert!(checked(text).is_err(), "{text}");
        }
        assert!(checked("start[suffix=\"a\"]: /b/").is_ok());
    }
}
