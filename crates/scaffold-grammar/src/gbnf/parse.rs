//! Reads llama.cpp's notation of grammars.

use scaffold_error::{Error, err};

use super::Node;
use super::sets::Chars;
use crate::limits;

/// Rules and their names, at the same places.
pub(super) fn rules(text: &str) -> Result<(Vec<String>, Vec<Node>), Error> {
    let mut parser = Parser { text, at: 0, names: Vec::new(), depth: 0 };
    let mut found: Vec<Option<Node>> = Vec::new();
    parser.space(true);
    while parser.at < text.len() {
        let name = parser.name()?;
        let index = parser.index(&name);
        parser.space(false);
        parser.expect("::=")?;
        parser.space(true);
        let node = parser.alternatives()?;
        found.resize(found.len().max(parser.names.len()), None);
        if found[index].replace(node).is_some() {
            return Err(parser.wrong(&format!("the rule `{name}` is defined twice")));
        }
        if parser.at < text.len() && !parser.rest().starts_with(['\n', '\r']) {
            return Err(parser.wrong("a rule goes on in a way that is not known"));
        }
        parser.space(true);
    }
    if parser.names.len() > limits::RULES {
        return Err(parser.wrong(&format!(
            "it has {} rules, and {} are accepted",
            parser.names.len(),
            limits::RULES
        )));
    }
    found.resize(parser.names.len(), None);
    let names = parser.names;
    let rules = found.into_iter().zip(&names).map(|(node, name)| {
        node.ok_or_else(|| {
            err!(Usage, "the grammar names the rule `{name}`, which it does not define")
                .of_key("grammar")
        })
    });
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    Ok((names, rules))
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    names: Vec<String>,
    depth: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn wrong(&self, words: &str) -> Error {
        let line = self.text[..self.at].matches('\n').count() + 1;
        err!(Usage, "the grammar cannot be read at line {line}: {words}")
            .at_line(line)
            .of_key("grammar")
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn expect(&mut self, mark: &str) -> Result<(), Error> {
        if !self.rest().starts_with(mark) {
            return Err(self.wrong(&format!("`{mark}` is expected")));
        }
        self.at += mark.len();
        Ok(())
    }

    /// Skips spaces and comments, and line breaks where a rule goes on behind them.
    fn space(&mut self, lines: bool) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\r' | '\n') if lines => self.at += 1,
                Some('#') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    fn name(&mut self) -> Result<String, Error> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let length = self.rest().find(|c| !is_name(c)).unwrap_or(self.rest().len());
        if length == 0 {
            return Err(self.wrong("the name of a rule is expected"));
        }
        let name = self.rest()[..length].to_owned();
        self.at += length;
        Ok(name)
    }

    fn index(&mut self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }

    fn alternatives(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return Err(
                self.wrong(&format!("it has more than {} groups within each other", limits::DEPTH))
            );
        }
        let mut all = vec![self.sequence()?];
        while self.peek() == Some('|') {
            self.at += 1;
            self.space(true);
            all.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if all.len() == 1 { all.remove(0) } else { Node::Alt(all) })
    }

    fn sequence(&mut self) -> Result<Node, Error> {
        let mut all: Vec<Node> = Vec::new();
        loop {
            let node = match self.peek() {
                Some('"') => Node::Text(self.literal()?),
                Some('[') => Node::Class(self.class()?),
                Some('.') => {
                    self.at += 1;
                    Node::Class(Chars::all())
                }
                Some('(') => {
                    self.at += 1;
                    self.space(true);
                    let node = self.alternatives()?;
                    self.space(true);
                    self.expect(")")?;
                    node
                }
                Some('<') => Node::Token(self.token()?),
                Some('!') => {
                    return Err(self.wrong("tokens that may not come (`!<…>`) are not followed"));
                }
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => {
                    let name = self.name()?;
                    Node::Rule(self.index(&name))
                }
                _ => break,
            };
            self.space(self.depth > 1);
            let node = self.repeated(node)?;
            all.push(node);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Node::Seq(all) })
    }

    fn repeated(&mut self, node: Node) -> Result<Node, Error> {
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                let end = self.rest().find('}').ok_or_else(|| self.wrong("`{` has no `}`"))?;
                let said = self.rest()[1..end].to_owned();
                let (min, max) = said.split_once(',').unwrap_or((&said, &said));
                let number = |text: &str| text.trim().parse::<u32>().ok();
                let min =
                    if min.trim().is_empty() && said.contains(',') { Some(0) } else { number(min) };
                let open = max.trim().is_empty() && said.contains(',');
                let (Some(min), max) = (min, number(max)) else {
                    return Err(self.wrong(&format!("`{{{said}}}` is no number of repetitions")));
                };
                if !open && max.is_none_or(|max| max < min) {
                    return Err(self.wrong(&format!("`{{{said}}}` is no number of repetitions")));
                }
                if u64::from(min) > limits::REPEATS {
                    return Err(self
                        .wrong(&format!("{} repetitions are asked for at most", limits::REPEATS)));
                }
                self.at += end;
                (min, max)
            }
            _ => return Ok(node),
        };
        self.at += 1;
        self.space(self.depth > 1);
        Ok(Node::Repeat(Box::new(node), min, max))
    }

    fn literal(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.take() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(c) => text.push(c),
                None => return Err(self.wrong("a text (`\"`) has no end")),
            }
        }
    }

    fn class(&mut self) -> Result<Chars, Error> {
        self.at += 1;
        let negated = self.peek() == Some('^');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let from = match self.take() {
                Some(']') => break,
                Some('\\') => self.escape()?,
                Some(c) => c,
                None => return Err(self.wrong("a class (`[`) has no end")),
            };
            let is_range = self.rest().starts_with('-') && !self.rest().starts_with("-]");
            let to = if is_range {
                self.at += 1;
                match self.take() {
                    Some('\\') => self.escape()?,
                    Some(c) => c,
                    None => return Err(self.wrong("a class (`[`) has no end")),
                }
            } else {
                from
            };
            if to < from {
                return Err(self.wrong(&format!("{from:?} comes behind {to:?} in a class")));
            }
            ranges.push((from as u32, to as u32));
        }
        let chars = Chars::of(ranges);
        let chars = if negated { chars.negated() } else { chars };
        if chars.is_empty() {
            return Err(self.wrong("a class has no characters"));
        }
        Ok(chars)
    }

    fn escape(&mut self) -> Result<char, Error> {
        let digits = match self.take() {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some(c @ ('\\' | '"' | '[' | ']' | '-' | '^' | '/')) => return Ok(c),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            other => {
                let c = other.map(String::from).unwrap_or_default();
                return Err(self.wrong(&format!("`\\{c}` stands for nothing")));
            }
        };
        let code = self.rest().get(..digits).unwrap_or_default().to_owned();
        let c = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
        let c = c.ok_or_else(|| {
            self.wrong(&format!("{code:?} is no character by {digits} hexadecimal digits"))
        })?;
        self.at += digits;
        Ok(c)
    }

    fn token(&mut self) -> Result<String, Error> {
        let end = self.rest().find(['>', '\n']).filter(|&end| self.rest()[end..].starts_with('>'));
        let end = end.ok_or_else(|| self.wrong("a token (`<`) has no end"))?;
        let token = self.rest()[..=end].to_owned();
        if token.len() < 3 || token.contains(char::is_whitespace) {
            return Err(self.wrong(&format!("`{token}` is no token")));
        }
        self.at += end + 1;
        Ok(token)
    }
}
