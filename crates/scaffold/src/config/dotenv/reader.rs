//! From text to names and values, as `dotenv/parser.py` of python-dotenv 1.2.4 has it.

/// What stands between two places where a line may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// A name; `None` where no `=` follows it.
    Value { line: usize, name: String, value: Option<String> },
    /// Nothing that can be read; the rest of the line was skipped.
    Broken { line: usize, text: String },
}

/// Reads the whole text.
pub(super) fn bindings(text: &str) -> Vec<Binding> {
    // As Python's text files are read.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = Reader { text, at: 0 };
    let mut found = Vec::new();
    while reader.at < text.len() {
        reader.skip(char::is_whitespace);
        if reader.at == text.len() {
            break;
        }
        let start = reader.at;
        let line = text[..start].matches('\n').count() + 1;
        match reader.binding() {
            Some(Some((name, value))) => found.push(Binding::Value { line, name, value }),
            // A comment.
            Some(None) => {}
            None => {
                reader.skip(|c| c != '\n');
                let text = text[start..reader.at].to_owned();
                found.push(Binding::Broken { line, text });
            }
        }
    }
    found
}

/// The name that a line which cannot be read begins with.
pub(super) fn name_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line
        .strip_prefix("export")
        .filter(|rest| rest.starts_with(is_blank))
        .map_or(line, str::trim_start);
    let end = line.find(|c: char| c == '=' || c == '#' || c.is_whitespace())?;
    (end > 0).then(|| &line[..end])
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// White space within a line.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\n'
}

type Assignment = (String, Option<String>);

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes on while `fits`; returns what was passed.
    fn skip(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// One line, or several where a quoted value goes over them. The outer `None`: it cannot be
    /// read.
    #[expect(
        clippy::option_option,
        reason = "outside: whether it can be read; inside: whether there is anything"
    )]
    fn binding(&mut self) -> Option<Option<Assignment>> {
        if let Some(after) = self.rest().strip_prefix("export")
            && after.starts_with(is_blank)
        {
            self.at += "export".len();
            self.skip(is_blank);
        }
        let name = match self.peek() {
            Some('#') => None,
            Some('\'') => Some(self.quoted_name()?),
            _ => Some(self.plain_name()?),
        };
        self.skip(is_blank);
        let value = if self.peek() == Some('=') {
            self.at += 1;
            let blank = !self.skip(is_blank).is_empty();
            Some(if blank && self.peek() == Some('#') { String::new() } else { self.value()? })
        } else {
            None
        };
        self.comment();
        self.end_of_line()?;
        Some(name.map(|name| (name, value)))
    }

    fn quoted_name(&mut self) -> Option<String> {
        let (name, _) = self.rest()[1..].split_once('\'')?;
        self.at += name.len() + 2;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn plain_name(&mut self) -> Option<String> {
        let name = self.skip(|c| c != '=' && c != '#' && !c.is_whitespace());
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn value(&mut self) -> Option<String> {
        match self.peek() {
            Some('\'') => self.quoted('\'', |c| matches!(c, '\'' | '\\').then_some(c)),
            Some('"') => self.quoted('"', escape),
            None | Some('\n') => Some(String::new()),
            Some(_) => Some(before_comment(self.skip(|c| c != '\n')).to_owned()),
        }
    }

    /// Up to the closing quote. A backslash takes the next character with it, whether it is an
    /// escape or not.
    fn quoted(&mut self, quote: char, escape: impl Fn(char) -> Option<char>) -> Option<String> {
        let mut value = String::new();
        let mut chars = self.rest()[1..].chars();
        loop {
            match chars.next()? {
                c if c == quote => {
                    self.at = self.text.len() - chars.as_str().len();
                    return Some(value);
                }
                '\\' => {
                    let c = chars.next()?;
                    match escape(c) {
                        Some(escaped) => value.push(escaped),
                        None => value.extend(['\\', c]),
                    }
                }
                c => value.push(c),
            }
        }
    }

    fn comment(&mut self) {
        let before = self.at;
        self.skip(is_blank);
        if self.peek() == Some('#') {
            self.skip(|c| c != '\n');
        } else {
            self.at = before;
        }
    }

    fn end_of_line(&mut self) -> Option<()> {
        self.skip(is_blank);
        match self.peek() {
            None => Some(()),
            Some('\n') => {
                self.at += 1;
                Some(())
            }
            Some(_) => None,
        }
    }
}

/// What follows a backslash in double quotes.
fn escape(c: char) -> Option<char> {
    Some(match c {
        '\\' | '\'' | '"' => c,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        _ => return None,
    })
}

/// A `#` inside a word is part of it, as in a shell.
fn before_comment(value: &str) -> &str {
    let mut before = '\0';
    for (at, c) in value.char_indices() {
        if c == '#' && before.is_whitespace() {
            return value[..at].trim_end();
        }
        before = c;
    }
    value.trim_end()
}
