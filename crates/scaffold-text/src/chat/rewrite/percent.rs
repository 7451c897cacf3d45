//! `left % right` becomes `(left)|__percent(right)`, which tells numbers and strings apart when it runs.
//!
//! Only operands are recognized, as far as the precedence of `%` needs; everything else stays as written.

use super::PERCENT_FILTER;

/// A token with the space before it.
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    /// The token with the space before it.
    full: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    String,
    Number,
    Name,
    Operator,
}

const KEYWORDS: [&str; 24] = [
    "if",
    "elif",
    "else",
    "for",
    "in",
    "and",
    "or",
    "not",
    "is",
    "set",
    "endif",
    "endfor",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "block",
    "endblock",
    "with",
    "endwith",
    "do",
    "recursive",
];

pub(super) fn rewrite(body: &str) -> String {
    let tokens = tokens(body);
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
    };
    let mut out = parser.sequence(None);
    let used: usize = tokens.iter().map(|token| token.full.len()).sum();
    out.push_str(&body[used..]);
    out
}

fn tokens(body: &str) -> Vec<Token<'_>> {
    let bytes = body.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let space = at;
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        if at == bytes.len() {
            break;
        }
        let start = at;
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80;
        let kind = match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                Kind::String
            }
            b'0'..=b'9' => {
                while at < bytes.len()
                    && (word(bytes[at])
                        || (bytes[at] == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)))
                {
                    at += 1;
                }
                Kind::Number
            }
            b if word(b) => {
                while at < bytes.len() && word(bytes[at]) {
                    at += 1;
                }
                Kind::Name
            }
            _ => {
                let double = bytes.get(at..at + 2).is_some_and(|two| {
                    [b"**", b"//", b"==", b"!=", b"<=", b">="]
                        .iter()
                        .any(|op| two == *op)
                });
                at += if double { 2 } else { 1 };
                Kind::Operator
            }
        };
        // A backslash at the end, or a byte in a character's middle, never splits one.
        while !body.is_char_boundary(at) {
            at += 1;
        }
        out.push(Token {
            kind,
            text: &body[start..at],
            full: &body[space..at],
        });
    }
    out
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, out: &mut String) {
        if let Some(token) = self.tokens.get(self.at) {
            out.push_str(token.full);
            self.at += 1;
        }
    }

    fn next_is(&self, text: &str) -> bool {
        self.peek()
            .is_some_and(|token| token.kind == Kind::Operator && token.text == text)
    }

    fn starts_operand(&self) -> bool {
        self.peek().is_some_and(|token| match token.kind {
            Kind::String | Kind::Number => true,
            Kind::Name => !KEYWORDS.contains(&token.text),
            Kind::Operator => matches!(token.text, "(" | "[" | "{"),
        })
    }

    /// Everything up to the closing bracket `end`, which is left.
    fn sequence(&mut self, end: Option<&str>) -> String {
        let mut out = String::new();
        let mut before = "";
        while let Some(token) = self.peek() {
            if token.kind == Kind::Operator && Some(token.text) == end {
                break;
            }
            if !self.starts_operand() {
                before = if token.kind == Kind::Operator {
                    token.text
                } else {
                    ""
                };
                self.take(&mut out);
                continue;
            }
            let string = token.kind == Kind::String;
            let tight = matches!(before, "*" | "/" | "//" | "%" | "**" | "-");
            let mut left = self.operand();
            while self.next_is("%") && (string || !tight) {
                self.at += 1;
                let right = self.signed_operand();
                let space = &left[..left.len() - left.trim_start().len()];
                left = format!("{space}(({left})|{PERCENT_FILTER}({right}))");
            }
            out.push_str(&left);
            before = "";
        }
        out
    }

    fn signed_operand(&mut self) -> String {
        let mut out = String::new();
        while self.next_is("-") || self.next_is("+") {
            self.take(&mut out);
        }
        out + &self.operand()
    }

    /// A name, literal or bracket, with what follows it: attributes, items, calls and filters.
    fn operand(&mut self) -> String {
        let mut out = String::new();
        let Some(first) = self.peek().copied() else {
            return out;
        };
        if first.kind == Kind::Operator {
            self.bracket(&mut out);
        } else {
            self.take(&mut out);
            while first.kind == Kind::String
                && self.peek().is_some_and(|token| token.kind == Kind::String)
            {
                self.take(&mut out);
            }
        }
        loop {
            if self.next_is(".") || self.next_is("|") {
                self.take(&mut out);
                self.take(&mut out);
            } else if self.next_is("(") || self.next_is("[") {
                self.bracket(&mut out);
            } else {
                return out;
            }
        }
    }

    fn bracket(&mut self, out: &mut String) {
        let close = match self.peek().map(|token| token.text) {
            Some("(") => ")",
            Some("[") => "]",
            Some("{") => "}",
            _ => return self.take(out),
        };
        self.take(out);
        out.push_str(&self.sequence(Some(close)));
        self.take(out);
    }
}
