//! Telling the control tokens that a template writes from those that a message contains.
//!
//! Before rendering, every name of a control token in a message, tool or document is broken up with a marker
//! after its first character; after rendering, the markers are taken out again and their places remembered.
//! Text without such names is left as it is, so that a template that trims, splits or compares it does what
//! it always does.

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;
use std::ops::Range;

/// Marks the names of control tokens in data.
pub(super) struct Guard {
    names: AhoCorasick,
    tokens: Vec<String>,
    marker: char,
    used: bool,
}

impl Guard {
    /// A guard for these names. `data` is all that will be rendered: the marker is a character that is not
    /// in it.
    pub(super) fn new(tokens: Vec<String>, data: &[&Value]) -> Option<Self> {
        let tokens: Vec<String> = tokens
            .into_iter()
            .filter(|token| !token.is_empty())
            .collect();
        let names = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&tokens)
            .ok()?;
        if tokens.is_empty()
            || !data
                .iter()
                .any(|value| any_string(value, &mut |text| names.is_match(text)))
        {
            return None;
        }
        let marker = ('\u{f0000}'..='\u{ffffd}').find(|&c| {
            !data
                .iter()
                .any(|value| any_string(value, &mut |text| text.contains(c)))
        })?;
        Some(Guard {
            names,
            tokens,
            marker,
            used: false,
        })
    }

    /// Marks the strings of a value; the keys of objects stay as they are.
    pub(super) fn mark(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(marked) = self.marked(text) {
                    *text = marked;
                    self.used = true;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mark(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.mark(item)),
            _ => {}
        }
    }

    fn marked(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for found in self.names.find_iter(text) {
            let first = text[found.start()..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
            out.push_str(&text[done..found.start() + first]);
            out.push(self.marker);
            done = found.start() + first;
        }
        (done > 0).then(|| out + &text[done..])
    }

    /// The rendered text without the markers, and the ranges of the names that were marked.
    pub(super) fn unmark(&self, rendered: &str) -> (String, Vec<Range<usize>>) {
        // A template may have written the marker as JSON does in ASCII.
        let mut escaped = String::new();
        for code in self.marker.encode_utf16(&mut [0; 2]) {
            super::python::json::unit(*code, &mut escaped);
        }
        let rendered = rendered.replace(&escaped, self.marker.encode_utf8(&mut [0; 4]));
        let mut out = String::with_capacity(rendered.len());
        let mut places = Vec::new();
        for (index, part) in rendered.split(self.marker).enumerate() {
            if index > 0 {
                places.push(out.len());
            }
            out.push_str(part);
        }
        let ranges = places
            .iter()
            .filter_map(|&place| self.name_around(&out, place))
            .collect();
        (out, ranges)
    }

    /// The longest name that the marker at `place` broke up.
    fn name_around(&self, text: &str, place: usize) -> Option<Range<usize>> {
        let start = place - text[..place].chars().next_back()?.len_utf8();
        let longest = self
            .tokens
            .iter()
            .filter(|token| text[start..].starts_with(token.as_str()))
            .map(String::len)
            .max()?;
        Some(start..start + longest)
    }
}

fn any_string(value: &Value, found: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().any(|item| any_string(item, found)),
        Value::Object(map) => map.values().any(|item| any_string(item, found)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_in_data_are_found_again_after_rendering() {
        let mut data = json!([{"content": "a<|end|>b", "x": ["<|end|>", 1]}]);
        let mut guard = Guard::new(vec!["<|end|>".to_owned(), "<s>".to_owned()], &[&data])
            .expect("a name is there");
        guard.mark(&mut data);
        let content = data[0]["content"].as_str().expect("text");
        assert!(!content.contains("<|end|>"));
        let (text, ranges) = guard.unmark(&format!("<s>{content}<|end|>"));
        assert_eq!(text, "<s>a<|end|>b<|end|>");
        assert_eq!((ranges.len(), &ranges[0]), (1, &(4..11)));
    }

    #[test]
    fn plain_data_needs_no_guard() {
        assert!(Guard::new(vec!["<s>".to_owned()], &[&json!("hello")]).is_none());
        assert!(Guard::new(Vec::new(), &[&json!("hello")]).is_none());
    }
}
