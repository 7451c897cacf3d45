//! Which line of a JSON text a key is on, for messages.

/// The line, from 1, of the key at `path` (outermost first) in a valid JSON text; `None` where it
/// is not found. Of keys that are there twice the last counts, as for everyone who reads JSON into
/// a map. Keys spelled with escapes are not found.
pub(super) fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let mut walk = Walk { depth: 0, matched: 0, arrays: 0, line: 1, found: None };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let length = string_length(rest);
            let (string, after) = rest.split_at(length);
            if after.trim_start().starts_with(':') {
                walk.key(&string[1..length.max(2) - 1], path);
            }
            rest = after;
            continue;
        }
        walk.symbol(first);
        rest = &rest[first.len_utf8()..];
    }
    walk.found
}

struct Walk {
    /// Open objects.
    depth: usize,
    /// How many keys of the path the open objects have matched.
    matched: usize,
    /// Open arrays: nothing inside one is on a path of keys.
    arrays: usize,
    line: usize,
    found: Option<usize>,
}

impl Walk {
    fn key(&mut self, key: &str, path: &[&str]) {
        // The keys of an object at depth d belong to place d − 1 of the path, if all before it have
        // matched.
        let place = self.depth.wrapping_sub(1);
        if self.arrays > 0 || place > self.matched {
            return;
        }
        self.matched = place;
        if path.get(place) == Some(&key) {
            self.matched = place + 1;
            if self.matched == path.len() {
                self.found = Some(self.line);
            }
        }
    }

    fn symbol(&mut self, symbol: char) {
        match symbol {
            '\n' => self.line += 1,
            '{' => self.depth += 1,
            '}' => {
                self.depth = self.depth.saturating_sub(1);
                self.matched = self.matched.min(self.depth);
            }
            '[' => self.arrays += 1,
            ']' => self.arrays = self.arrays.saturating_sub(1),
            _ => {}
        }
    }
}

/// The length in bytes of the string that the text starts with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::line_of;

    const TEXT: &str = r#"{
  "a": "rope {",
  "rope": {
    "type": "x",
    "deep": {"type": 1}
  },
  "list": [
    {"type": 2}
  ],
  "type": "\"a\": 3",
  "b": 4
}"#;

    #[test]
    fn a_key_is_found_in_its_own_object() {
        assert_eq!(line_of(TEXT, &["a"]), Some(2));
        assert_eq!(line_of(TEXT, &["rope"]), Some(3));
        assert_eq!(line_of(TEXT, &["rope", "type"]), Some(4));
        assert_eq!(line_of(TEXT, &["rope", "deep", "type"]), Some(5));
        assert_eq!(line_of(TEXT, &["type"]), Some(10));
        assert_eq!(line_of(TEXT, &["b"]), Some(11));
        assert_eq!(line_of(TEXT, &["list", "type"]), None);
        assert_eq!(line_of(TEXT, &["deep"]), None);
    }

    #[test]
    fn broken_text_is_no_trouble() {
        for text in ["", "\"", "{\"", "{\"a", "}}}]]]", "{\"a\\", "\"\":"] {
            assert_eq!(line_of(text, &["a"]), None, "{text:?}");
        }
    }
}
