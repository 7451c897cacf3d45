//! Numbers and strings in templates.

use super::Token;
use num_bigint::BigInt;

/// The length of a run of digits with single underscores between them.
fn digits(text: &str, is_digit: impl Fn(char) -> bool) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if is_digit(c) {
            end = at + c.len_utf8();
        } else if c != '_' || end != at || !chars.peek().is_some_and(|(_, next)| is_digit(*next)) {
            break;
        }
    }
    end
}

fn decimal(text: &str) -> usize {
    if text.starts_with('_') {
        return 0;
    }
    digits(text, |c| c.is_ascii_digit())
}

/// A number at the start of the text, with its length. After a dot (`x.0.1`) there are no floats.
pub(super) fn number(text: &str, after_dot: bool) -> Option<(usize, Token)> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if !after_dot && let Some(length) = float_length(text) {
        let value = text[..length].replace('_', "").parse().ok()?;
        return Some((length, Token::Float(value)));
    }
    for (prefix, base) in [("0b", 2), ("0o", 8), ("0x", 16)] {
        if text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            let body = text[2..].strip_prefix('_').unwrap_or(&text[2..]);
            let length = digits(body, |c| c.is_digit(base));
            if length > 0 {
                let length = text.len() - body.len() + length;
                let value = text[2..length].replace('_', "");
                return Some((
                    length,
                    Token::Integer(BigInt::parse_bytes(value.as_bytes(), base)?),
                ));
            }
        }
    }
    let length = if text.starts_with('0') { digits(text, |c| c == '0') } else { decimal(text) };
    let value = text[..length].replace('_', "");
    Some((length, Token::Integer(value.parse().ok()?)))
}

fn float_length(text: &str) -> Option<usize> {
    let whole = decimal(text);
    let exponent = |at: usize| {
        let rest = text[at..].strip_prefix(['e', 'E'])?;
        let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let length = decimal(rest);
        (length > 0).then(|| text.len() - rest.len() + length)
    };
    if let Some(rest) = text[whole..].strip_prefix('.') {
        let fraction = decimal(rest);
        if fraction > 0 {
            let end = whole + 1 + fraction;
            return Some(exponent(end).unwrap_or(end));
        }
    }
    exponent(whole)
}

/// The length of a string with its quotes, if one begins here and ends.
pub(super) fn string_length(text: &str) -> Option<usize> {
    let quote = text.bytes().next().filter(|byte| b"'\"".contains(byte))?;
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// A string's text from what stands between its quotes, as Python's codec `unicode-escape` reads
/// it.
pub(super) fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut position = 0;
    while let Some(c) = chars.next() {
        position += 1;
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(escape) = chars.next() else {
            return Err("\\ at end of string".to_owned());
        };
        let mut hex = |count: usize, name: &str| {
            let digits: String =
                std::iter::from_fn(|| chars.next_if(char::is_ascii_hexdigit)).take(count).collect();
            if digits.len() < count {
                return Err(format!("truncated {name} escape"));
            }
            u32::from_str_radix(&digits, 16)
                .ok()
                .and_then(char::from_u32)
                .ok_or_else(|| format!("{name} names no character: {digits}"))
        };
        match escape {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(escape),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            'x' => out.push(hex(2, "\\xXX")?),
            'u' => out.push(hex(4, "\\uXXXX")?),
            'U' => out.push(hex(8, "\\UXXXXXXXX")?),
            'N' => return Err(format!("unknown Unicode character name at {position}")),
            '0'..='7' => {
                let mut code = escape as u32 - '0' as u32;
                for _ in 0..2 {
                    match chars.next_if(|c| ('0'..='7').contains(c)) {
                        Some(c) => code = code * 8 + (c as u32 - '0' as u32),
                        None => break,
                    }
                }
                out.extend(char::from_u32(code));
            }
            // The backslash stays, and Python has written what is not ASCII as an escape by now.
            c if c.is_ascii() => out.extend(['\\', c]),
            c => {
                let code = c as u32;
                let escape = match code {
                    0..0x100 => format!("\\x{code:02x}"),
                    0x100..0x1_0000 => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                };
                out.push_str(&escape);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_end_in_python() {
        let length = |text| number(text, false).map(|(length, _)| length);
        assert_eq!(length("1_000.5e-3x"), Some(10));
        assert_eq!(length("1.x"), Some(1));
        assert_eq!(length("1e5"), Some(3));
        assert_eq!(length("0x_fFg"), Some(5));
        assert_eq!(length("1__0"), Some(1));
        assert_eq!(length("007"), Some(2));
        assert_eq!(number("0.1", true).map(|(length, _)| length), Some(1));
    }

    #[test]
    fn escapes_are_those_of_python() {
        assert_eq!(unescape(r"a\n\x41\u00e9\101\d\'").expect("text"), "a\nAéA\\d'");
        assert_eq!(unescape("\\é").expect("text"), "\\xe9");
        assert!(unescape(r"\x4").is_err());
        assert_eq!(string_length(r"'a\'b' c"), Some(6));
        assert_eq!(string_length("'a"), None);
    }
}
