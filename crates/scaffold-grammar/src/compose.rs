//! Grammars that are made of others, written in Lark's notation.

use std::fmt::Write as _;

use scaffold_error::Error;

use crate::grammar::{Grammar, Part};
use crate::lark::quoted;

/// Writes a rule for each part, and the grammars within by `write`.
pub(crate) fn parts(
    parts: &[Part],
    write: &mut dyn FnMut(&Grammar) -> Result<String, Error>,
) -> Result<String, Error> {
    let mut writer = Writer { rules: String::new(), count: 0, write };
    let start = writer.sequence(parts)?;
    Ok(format!("start: {start}\n{}", writer.rules))
}

struct Writer<'w> {
    rules: String,
    count: usize,
    write: &'w mut dyn FnMut(&Grammar) -> Result<String, Error>,
}

impl Writer<'_> {
    fn sequence(&mut self, parts: &[Part]) -> Result<String, Error> {
        if parts.is_empty() {
            return Ok("\"\"".to_owned());
        }
        let parts = parts.iter().map(|part| self.part(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(format!("({})", parts.join(" ")))
    }

    fn part(&mut self, part: &Part) -> Result<String, Error> {
        Ok(match part {
            Part::Text(text) => quoted(text),
            Part::Token(id) => format!("<[{id}]>"),
            Part::Free => "/(?s:.*)/".to_owned(),
            Part::Until(text) => {
                let name = self.name();
                let _ = writeln!(self.rules, "{name}[suffix={}]: /(?s:.*)/", quoted(text));
                name
            }
            Part::Without(text) => {
                // Only words, whose names are in capitals, can be all but something.
                let name = self.name().to_uppercase();
                let within = quoted(text);
                let _ = writeln!(self.rules, "{name}: /(?s:.*)/ & ~(/(?s:.*)/ {within} /(?s:.*)/)");
                name
            }
            Part::Grammar(grammar) => {
                let inner = (self.write)(grammar)?;
                let name = self.name();
                let _ = writeln!(self.rules, "{name}: %lark {{\n{inner}\n}}");
                name
            }
            Part::OneOf(all) => {
                let all =
                    all.iter().map(|parts| self.sequence(parts)).collect::<Result<Vec<_>, _>>()?;
                format!("({})", all.join(" | "))
            }
            Part::Optional(parts) => format!("{}?", self.sequence(parts)?),
            Part::Repeated(parts) => format!("{}*", self.sequence(parts)?),
        })
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("part{}", self.count)
    }
}
