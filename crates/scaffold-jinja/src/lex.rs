//! Cutting a template into tokens, with the rules of Jinja2's lexer: `trim_blocks` and
//! `lstrip_blocks` on, one newline at the end dropped, and line ends of every kind read as `\n`.

mod literal;

use crate::chars::is_space;
use crate::error::{Error, ErrorKind, Result};
use num_bigint::BigInt;
use std::sync::Arc;

/// A token's kind and value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Data(Arc<str>),
    BlockBegin,
    BlockEnd,
    VariableBegin,
    VariableEnd,
    Name(Arc<str>),
    String(Arc<str>),
    Integer(BigInt),
    Float(f64),
    Operator(&'static str),
    End,
}

impl Token {
    pub(crate) fn is(&self, operator: &str) -> bool {
        matches!(self, Token::Operator(found) if *found == operator)
    }

    pub(crate) fn is_name(&self, name: &str) -> bool {
        matches!(self, Token::Name(found) if &**found == name)
    }

    /// What Jinja2's messages call it.
    pub(crate) fn described(&self) -> String {
        match self {
            Token::Data(_) => "template data / text".to_owned(),
            Token::BlockBegin => "begin of statement block".to_owned(),
            Token::BlockEnd => "end of statement block".to_owned(),
            Token::VariableBegin => "begin of print statement".to_owned(),
            Token::VariableEnd => "end of print statement".to_owned(),
            Token::Name(name) => name.to_string(),
            Token::String(_) => "string".to_owned(),
            Token::Integer(_) => "integer".to_owned(),
            Token::Float(_) => "float".to_owned(),
            Token::Operator(operator) => (*operator).to_owned(),
            Token::End => "end of template".to_owned(),
        }
    }
}

/// Longest first.
const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

/// All tokens with their lines, the last one being [`Token::End`].
pub(crate) fn tokens(source: &str) -> Result<Vec<(Token, usize)>> {
    let mut source = source.replace("\r\n", "\n").replace('\r', "\n");
    if source.ends_with('\n') {
        source.pop();
    }
    let mut lexer = Lexer { source: &source, at: 0, line: 1, line_starting: true, out: Vec::new() };
    while lexer.at < source.len() {
        lexer.root()?;
    }
    let line = lexer.line;
    lexer.out.push((Token::End, line));
    Ok(lexer.out)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    line: usize,
    /// Whether the last match ended with a newline.
    line_starting: bool,
    out: Vec<(Token, usize)>,
}

/// What a tag opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Variable,
    Block,
    Comment,
    /// With the length of the whole `{% raw %}`.
    Raw(usize),
}

impl<'a> Lexer<'a> {
    fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Syntax, message).at(self.line)
    }

    fn push(&mut self, token: Token) {
        self.out.push((token, self.line));
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// Goes over so many bytes.
    fn pass(&mut self, bytes: usize) {
        let passed = &self.rest()[..bytes];
        self.line += passed.matches('\n').count();
        self.line_starting = passed.ends_with('\n');
        self.at += bytes;
    }

    /// Text up to the next tag, and what the tag opens.
    fn root(&mut self) -> Result<()> {
        let rest = self.rest();
        let Some((at, opening)) = next_opening(rest) else {
            self.data(rest);
            self.pass(rest.len());
            return Ok(());
        };
        let sign = rest[at + 2..].chars().next().filter(|c| "+-".contains(*c));
        let strip = opening != Opening::Variable;
        self.data_before_tag(&rest[..at], sign, strip);
        self.pass(at);
        let tag = 2 + usize::from(sign.is_some());
        match opening {
            Opening::Comment => {
                self.pass(tag);
                self.comment()
            }
            Opening::Raw(length) => {
                self.pass(length);
                self.raw()
            }
            Opening::Variable => {
                self.push(Token::VariableBegin);
                self.pass(tag);
                self.code(Token::VariableEnd)
            }
            Opening::Block => {
                self.push(Token::BlockBegin);
                self.pass(tag);
                self.code(Token::BlockEnd)
            }
        }
    }

    fn data(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Token::Data(text.into()));
        }
    }

    /// The text before a tag, without the white space that the tag takes away.
    fn data_before_tag(&mut self, text: &str, sign: Option<char>, strip_line: bool) {
        let mut kept = text;
        if sign == Some('-') {
            kept = text.trim_end_matches(is_space);
        } else if sign.is_none() && strip_line {
            let line = text.rfind('\n').map_or(0, |at| at + 1);
            let only_space = line < text.len() && text[line..].chars().all(is_space);
            if (line > 0 || self.line_starting) && only_space {
                kept = &text[..line];
            }
        }
        self.data(kept);
    }

    /// How long the end of a tag is, if one is here: `-` takes the space after it away, and unless
    /// there is a `+`, a newline goes with it.
    fn end(rest: &str, close: &str, trim_newline: bool) -> Option<usize> {
        if let Some(after) = rest.strip_prefix('+').and_then(|r| r.strip_prefix(close)) {
            return trim_newline.then(|| rest.len() - after.len());
        }
        if let Some(after) = rest.strip_prefix('-').and_then(|r| r.strip_prefix(close)) {
            return Some(rest.len() - after.trim_start_matches(is_space).len());
        }
        let after = rest.strip_prefix(close)?;
        let newline = usize::from(trim_newline && after.starts_with('\n'));
        Some(close.len() + newline)
    }

    fn comment(&mut self) -> Result<()> {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = rest[from..].find("#}") {
            let at = from + found;
            let signed = at > 0 && rest[..at].ends_with(['+', '-']);
            let start = at - usize::from(signed);
            if let Some(length) = Self::end(&rest[start..], "#}", true) {
                self.pass(start + length);
                return Ok(());
            }
            from = at + 2;
        }
        Err(self.error("Missing end of comment tag"))
    }

    fn raw(&mut self) -> Result<()> {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = rest[from..].find("{%") {
            let at = from + found;
            let sign = rest[at + 2..].chars().next().filter(|c| "+-".contains(*c));
            let word = rest[at + 2 + usize::from(sign.is_some())..].trim_start_matches(is_space);
            if let Some(after) = word.strip_prefix("endraw") {
                let after = after.trim_start_matches(is_space);
                if let Some(length) = Self::end(after, "%}", true) {
                    let end = rest.len() - after.len() + length;
                    self.data_before_tag(&rest[..at], sign, true);
                    self.pass(end);
                    return Ok(());
                }
            }
            from = at + 2;
        }
        Err(self.error("Missing end of raw directive"))
    }

    /// The tokens of an expression or statement, up to its end.
    fn code(&mut self, end: Token) -> Result<()> {
        let close = if end == Token::BlockEnd { "%}" } else { "}}" };
        let mut open: Vec<&'static str> = Vec::new();
        loop {
            let rest = self.rest();
            if open.is_empty()
                && let Some(length) = Self::end(rest, close, end == Token::BlockEnd)
            {
                self.push(end);
                self.pass(length);
                return Ok(());
            }
            let Some(first) = rest.chars().next() else {
                return Ok(());
            };
            if is_space(first) {
                let space = rest.len() - rest.trim_start_matches(is_space).len();
                self.pass(space);
            } else if let Some((length, token)) =
                literal::number(rest, self.source[..self.at].ends_with('.'))
            {
                self.push(token);
                self.pass(length);
            } else if first.is_alphanumeric() || first == '_' {
                let length =
                    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                if first.is_numeric() {
                    return Err(self.error("Invalid character in identifier"));
                }
                self.push(Token::Name(rest[..length].into()));
                self.pass(length);
            } else if let Some(length) = literal::string_length(rest) {
                let text = literal::unescape(&rest[1..length - 1]).map_err(|m| self.error(m))?;
                self.push(Token::String(text.into()));
                self.pass(length);
            } else if let Some(operator) = OPERATORS.iter().find(|o| rest.starts_with(**o)) {
                self.balance(operator, &mut open)?;
                self.push(Token::Operator(operator));
                self.pass(operator.len());
            } else {
                return Err(self.error(format!(
                    "unexpected char {} at {}",
                    crate::quote::quoted(&first.to_string()),
                    self.source[..self.at].chars().count()
                )));
            }
        }
    }

    fn balance(&self, operator: &str, open: &mut Vec<&'static str>) -> Result<()> {
        match operator {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            "}" | ")" | "]" => match open.pop() {
                None => return Err(self.error(format!("unexpected '{operator}'"))),
                Some(expected) if expected != operator => {
                    return Err(
                        self.error(format!("unexpected '{operator}', expected '{expected}'"))
                    );
                }
                Some(_) => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// Where the next tag begins, and what it opens.
fn next_opening(text: &str) -> Option<(usize, Opening)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find('{')?;
        let opening = match text.as_bytes().get(at + 1) {
            Some(b'{') => Opening::Variable,
            Some(b'#') => Opening::Comment,
            Some(b'%') => raw_length(&text[at..]).map_or(Opening::Block, Opening::Raw),
            _ => {
                from = at + 1;
                continue;
            }
        };
        return Some((at, opening));
    }
}

/// The length of `{% raw %}`, with the space that `-%}` takes; a newline after it stays.
fn raw_length(tag: &str) -> Option<usize> {
    let rest = tag.strip_prefix("{%")?;
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let rest = rest.trim_start_matches(is_space).strip_prefix("raw")?;
    let rest = rest.trim_start_matches(is_space);
    let rest = match rest.strip_prefix("-%}") {
        Some(after) => after.trim_start_matches(is_space),
        None => rest.strip_prefix("%}")?,
    };
    Some(tag.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(source: &str) -> String {
        tokens(source)
            .expect("tokens")
            .into_iter()
            .filter_map(|(token, _)| match token {
                Token::Data(text) => Some(text.to_string()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn tags_take_the_space_that_jinja2_lets_them_take() {
        assert_eq!(data("a\n  {% if x %}\nb\n{% endif %}\n\nc\n"), "a\nb\n\nc");
        assert_eq!(data("a  {%- if x -%}  b {{- x -}} c"), "abc");
        assert_eq!(data("a\n  {%+ if x +%}\nb"), "a\n  \nb");
        assert_eq!(data("a\n{% raw %}\n{{ b }}\n{% endraw %}\nc"), "a\n\n{{ b }}\nc");
        assert_eq!(data("a\r\nb\rc"), "a\nb\nc");
        assert_eq!(data("a {# x #}\n b {#- y -#} c"), "a  bc");
    }

    #[test]
    fn what_is_not_closed_is_told_with_its_line() {
        for (source, line) in
            [("\n{# x", 2), ("{% raw %}\n", 1), ("\n\n{{ ) }}", 3), ("{{ ' }}", 1)]
        {
            let error = tokens(source).expect_err(source);
            assert_eq!((error.kind(), error.line()), (ErrorKind::Syntax, line), "{source}");
        }
    }
}
