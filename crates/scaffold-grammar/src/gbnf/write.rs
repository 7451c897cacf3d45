//! Writes rules in Lark's notation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Node;
use super::sets::{Analysis, Chars};
use crate::lark::quoted;

/// The whole grammar.
pub(super) fn lark(rules: &[Node], root: usize) -> String {
    let mut writer =
        Writer { rules, analysis: Analysis::of(rules), lines: BTreeMap::new(), words: 0 };
    let start = writer.part(&Node::Rule(root), &Chars::default());
    let mut out = format!("start: {start}\n");
    for (name, line) in writer.lines {
        writeln!(out, "{name}: {line}").unwrap_or_default();
    }
    out
}

struct Writer<'r> {
    rules: &'r [Node],
    analysis: Analysis,
    /// What is written of each name: nothing yet, while it is being written.
    lines: BTreeMap<String, String>,
    words: usize,
}

impl Writer<'_> {
    /// A part of a rule, with what may come behind it.
    fn part(&mut self, node: &Node, behind: &Chars) -> String {
        if self.analysis.is_word(node, behind) {
            return self.word(node);
        }
        match node {
            Node::Rule(rule) => {
                let name = format!("r{rule}");
                if !self.lines.contains_key(&name) {
                    self.lines.insert(name.clone(), String::new());
                    let behind = self.analysis.behind(*rule).clone();
                    let line = self.part(&self.rules[*rule].clone(), &behind);
                    self.lines.insert(name.clone(), line);
                }
                name
            }
            Node::Token(token) => token.clone(),
            Node::Seq(all) => {
                let behind = self.analysis.behind_each(all, behind);
                let parts: Vec<String> =
                    all.iter().zip(&behind).map(|(node, behind)| self.part(node, behind)).collect();
                format!("({})", parts.join(" "))
            }
            Node::Alt(all) => {
                let parts: Vec<String> = all.iter().map(|node| self.part(node, behind)).collect();
                format!("({})", parts.join(" | "))
            }
            Node::Repeat(node, min, max) => {
                let behind = self.analysis.behind_repeated(node, *max, behind);
                let part = self.part(node, &behind);
                repeated(&part, *min, *max)
            }
            Node::Text(_) | Node::Class(_) => self.word(node),
        }
    }

    /// A word, by its name.
    fn word(&mut self, node: &Node) -> String {
        if let Node::Text(text) = node {
            return quoted(text);
        }
        if let Node::Rule(rule) = node {
            return self.word_of_rule(*rule);
        }
        let line = self.inside(node);
        if let Some((name, _)) =
            self.lines.iter().find(|(name, known)| name.starts_with('W') && **known == line)
        {
            return name.clone();
        }
        self.words += 1;
        let name = format!("W{}", self.words);
        self.lines.insert(name.clone(), line);
        name
    }

    fn word_of_rule(&mut self, rule: usize) -> String {
        let name = format!("R{rule}");
        if !self.lines.contains_key(&name) {
            let line = self.inside(&self.rules[rule].clone());
            self.lines.insert(name.clone(), line);
        }
        name
    }

    /// A part of a word.
    fn inside(&mut self, node: &Node) -> String {
        match node {
            Node::Text(text) => quoted(text),
            Node::Class(chars) => format!("/{}/", chars.regex()),
            Node::Rule(rule) => self.word_of_rule(*rule),
            Node::Seq(all) if all.is_empty() => "\"\"".to_owned(),
            Node::Seq(all) => {
                let parts: Vec<String> = all.iter().map(|node| self.inside(node)).collect();
                format!("({})", parts.join(" "))
            }
            Node::Alt(all) => {
                let parts: Vec<String> = all.iter().map(|node| self.inside(node)).collect();
                format!("({})", parts.join(" | "))
            }
            Node::Repeat(node, min, max) => repeated(&self.inside(node), *min, *max),
            // A word has none.
            Node::Token(token) => token.clone(),
        }
    }
}

fn repeated(part: &str, min: u32, max: Option<u32>) -> String {
    match (min, max) {
        (0, None) => format!("({part})*"),
        (1, None) => format!("({part})+"),
        (0, Some(1)) => format!("({part})?"),
        (min, None) => format!("({part}){{{min},}}"),
        (min, Some(max)) => format!("({part}){{{min},{max}}}"),
    }
}
