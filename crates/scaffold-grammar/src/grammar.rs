//! The ways to say what an answer may be.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an answer has to keep to, from its first character to its last.
///
/// ```
/// use scaffold_grammar::Grammar;
///
/// let said: Grammar = serde_json::from_str(r#"{"choices": ["yes", "no"]}"#)?;
/// assert_eq!(said, Grammar::choices(["yes", "no"]));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grammar {
    /// A JSON value that is valid by this schema (drafts 6 to 2020-12).
    Schema(Value),
    /// Any JSON object.
    Object,
    /// JSON values that are valid by this schema, each on a line of its own; at least one.
    Lines(Value),
    /// A text that this regular expression matches as a whole.
    Regex(String),
    /// A grammar in Lark's notation, as `llguidance` knows it: it begins with the rule `start`.
    Lark(String),
    /// A grammar in llama.cpp's notation: it begins with the rule `root`.
    Gbnf(String),
    /// One of these texts.
    Choices(Vec<String>),
    /// These parts, one after the other: texts and control tokens around other grammars.
    Parts(Vec<Part>),
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// This text.
    Text(String),
    /// This token, a control token mostly.
    Token(u32),
    /// Any text, up to the next token.
    Free,
    /// Any text that does not hold this one, and this one.
    Until(String),
    /// Any text that does not hold this one.
    Without(String),
    /// What keeps to another grammar.
    Grammar(Box<Grammar>),
    /// One of these.
    OneOf(Vec<Vec<Part>>),
    /// These, or nothing.
    Optional(Vec<Part>),
    /// These, as often as it likes; also not at all.
    Repeated(Vec<Part>),
}

impl Grammar {
    /// One of these texts.
    pub fn choices<S: Into<String>>(choices: impl IntoIterator<Item = S>) -> Self {
        Self::Choices(choices.into_iter().map(Into::into).collect())
    }

    /// A grammar in whichever of the two notations it is written: rules are defined by `::=` in
    /// llama.cpp's, and by `:` in Lark's.
    pub fn of_text(text: impl Into<String>) -> Self {
        let text = text.into();
        let defines = |line: &str| {
            let name = line
                .trim_start()
                .trim_start_matches(|c: char| c.is_alphanumeric() || "-_".contains(c));
            name.len() < line.trim_start().len() && name.trim_start().starts_with("::=")
        };
        if text.lines().any(defines) { Self::Gbnf(text) } else { Self::Lark(text) }
    }

    /// Whether answers are JSON.
    pub fn is_json(&self) -> bool {
        matches!(self, Self::Schema(_) | Self::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_are_told_apart() {
        assert!(matches!(Grammar::of_text("root ::= \"a\""), Grammar::Gbnf(_)));
        assert!(matches!(Grammar::of_text("# a\nroot-x  ::=\n  \"a\""), Grammar::Gbnf(_)));
        assert!(matches!(Grammar::of_text("start: \"::=\""), Grammar::Lark(_)));
        assert!(matches!(Grammar::of_text("start: \"a\"\n   | x ::= "), Grammar::Lark(_)));
    }
}
