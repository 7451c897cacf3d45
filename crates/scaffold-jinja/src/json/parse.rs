//! Reading JSON.

use super::{Json, JsonError};
use num_bigint::BigInt;
use std::collections::HashMap;

/// Nesting that is certainly not meant; Python's own limit is near it.
const DEEPEST: usize = 500;

pub(super) fn parse(text: &str) -> Result<Json, JsonError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.error("there is more after the value"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, problem: impl Into<String>) -> JsonError {
        let before = &self.text[..self.at];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        JsonError {
            problem: problem.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > DEEPEST {
            return Err(self.error(format!("it is nested more than {DEEPEST} levels deep")));
        }
        self.space();
        for (word, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::Float(f64::NAN)),
            ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
        ] {
            if self.take(word) {
                return Ok(value);
            }
        }
        match self.peek() {
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.error("a value was expected")),
            None => Err(self.error("the text ends where a value was expected")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take("]") {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Json::Array(items));
            }
            if !self.take(",") {
                return Err(self.error("`,` or `]` was expected"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut entries: Vec<(String, Json)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        self.space();
        if self.take("}") {
            return Ok(Json::Object(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in double quotes was expected"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.error("`:` was expected"));
            }
            let value = self.value(depth + 1)?;
            // The last value of a key counts, at the place of the first.
            if let Some(&place) = places.get(&key) {
                entries[place].1 = value;
            } else {
                places.insert(key.clone(), entries.len());
                entries.push((key, value));
            }
            self.space();
            if self.take("}") {
                return Ok(Json::Object(entries));
            }
            if !self.take(",") {
                return Err(self.error("`,` or `}` was expected"));
            }
        }
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let rest = self.rest();
        let digits = |from: usize| {
            rest.as_bytes()[from..].iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let start = usize::from(rest.starts_with('-'));
        let whole = digits(start);
        if whole == 0 {
            return Err(self.error("a digit was expected"));
        }
        if whole > 1 && rest[start..].starts_with('0') {
            return Err(self.error("a number must not begin with 0"));
        }
        let mut end = start + whole;
        let mut float = false;
        if rest[end..].starts_with('.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
            float = true;
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
                float = true;
            }
        }
        let number = &rest[..end];
        let value = if float {
            Json::Float(number.parse().map_err(|_| self.error("not a number"))?)
        } else if number.len() > 4300 {
            // Python's own limit, against texts that take long to read.
            return Err(self.error("a whole number has more than 4300 digits"));
        } else {
            Json::Int(number.parse::<BigInt>().map_err(|_| self.error("not a number"))?)
        };
        self.at += end;
        Ok(value)
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                self.at = self.text.len();
                return Err(self.error("the text ends inside of a string"));
            };
            out.push_str(&rest[..end]);
            let special = rest.as_bytes()[end];
            self.at += end;
            match special {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => self.escape(&mut out)?,
                _ => {
                    return Err(self.error("a control character stands in a string unescaped"));
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), JsonError> {
        let c = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.unit(self.at + 2)?;
                let mut code = first;
                let mut length = 4;
                if (0xd800..0xdc00).contains(&first)
                    && self.text[self.at + 6..].starts_with("\\u")
                    && let Ok(second @ 0xdc00..0xe000) = self.unit(self.at + 8)
                {
                    code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    length = 10;
                }
                let c = char::from_u32(code)
                    .ok_or_else(|| self.error("half of a surrogate pair stands alone"))?;
                self.at += length;
                c
            }
            _ => return Err(self.error("unknown escape")),
        };
        self.at += 2;
        out.push(c);
        Ok(())
    }

    fn unit(&self, at: usize) -> Result<u32, JsonError> {
        self.text
            .get(at..at + 4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("four hexadecimal digits were expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_size_and_kind() {
        let text = r#"{"a": 123456789012345678901234567890, "b": -0, "c": 1e400, "a": 2.50, "d": [-0.0, 1E3]}"#;
        let Json::Object(entries) = parse(text).expect("JSON") else {
            panic!("not an object");
        };
        assert_eq!(entries[0], ("a".to_owned(), Json::Float(2.5)));
        assert_eq!(entries[1].1, Json::Int(BigInt::from(0)));
        assert_eq!(entries[2].1, Json::Float(f64::INFINITY));
        assert_eq!(
            parse("12345678901234567890123").expect("a number").to_string(),
            "12345678901234567890123"
        );
    }

    #[test]
    fn strings_are_unescaped_and_places_told() {
        assert_eq!(
            parse(r#""a\u00e9\ud83d\ude00\n""#).expect("text"),
            Json::String("aé😀\n".to_owned())
        );
        let error = parse("{\n  \"a\": \"\\ud83d\"}").expect_err("half a pair");
        assert_eq!((error.line, error.column), (2, 9));
        for bad in ["", "[1,]", "{\"a\"}", "01", "-", "1.", "[1 2]", "\"\\x\"", "nul", "[", "\"a"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
