//! Where values end.

/// Where the JSON value ends that `text` begins with, after white space: the start and the end.
/// `None` where it does not end (yet). Whether it is valid is not looked at.
pub(super) fn json_value(text: &str) -> Option<(usize, usize)> {
    let start = text.len() - text.trim_start().len();
    let mut scan = Nesting::default();
    for (at, byte) in text.bytes().enumerate().skip(start) {
        scan.take(byte);
        if scan.depth == 0 && !scan.in_text {
            return matches!(byte, b'}' | b']' | b'"').then_some((start, at + 1));
        }
    }
    None
}

/// The first place in `text`, outside quotes and brackets, where one of `ends` stands; which one, and
/// whether there may be one later.
pub(super) fn end_of_value(text: &str, ends: &[&str]) -> Option<(usize, usize)> {
    let mut scan = Nesting::default();
    for (at, byte) in text.bytes().enumerate() {
        if scan.depth == 0 && !scan.in_text && text.is_char_boundary(at) {
            let found = ends.iter().position(|end| text[at..].starts_with(end));
            if let Some(which) = found {
                return Some((at, which));
            }
        }
        scan.take(byte);
        scan.depth = scan.depth.max(0);
    }
    None
}

#[derive(Default)]
struct Nesting {
    depth: i64,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    fn take(&mut self, byte: u8) {
        match (self.in_text, byte) {
            (true, _) if self.escaped => self.escaped = false,
            (true, b'\\') => self.escaped = true,
            (_, b'"') => self.in_text = !self.in_text,
            (false, b'{' | b'[') => self.depth += 1,
            (false, b'}' | b']') => self.depth -= 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_their_brackets_do() {
        assert_eq!(json_value(r#" {"a": "}\"", "b": [1]} x"#), Some((1, 23)));
        assert_eq!(json_value(r#"{"a": 1"#), None);
        assert_eq!(json_value("x{}"), None);
        assert_eq!(json_value(""), None);
        assert_eq!(end_of_value(r#"[1,2],"a,b"}"#, &[",", "}"]), Some((5, 0)));
        assert_eq!(end_of_value(r#""a,b"}"#, &[",", "}"]), Some((5, 1)));
        assert_eq!(end_of_value("é", &[","]), None);
    }
}
