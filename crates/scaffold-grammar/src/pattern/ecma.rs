//! ECMAScript's regular expressions in the syntax of Rust's.
//!
//! The two read most of it alike. They differ in `.`, `\d`, `\w` and `\s`, in escapes of characters,
//! and inside of classes, where Rust has operators that are plain characters in ECMAScript.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// What ends a line in ECMAScript, for `.`.
const LINE_ENDS: &str = r"\n\r\u{2028}\u{2029}";
/// White space in ECMAScript.
const SPACE: &str = r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

type Pattern<'p> = Peekable<Chars<'p>>;

/// Translates a pattern, or says what it has that cannot be translated.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '.' => write!(out, "[^{LINE_ENDS}]").unwrap_or_default(),
            '\\' => out.push_str(&escape(&mut rest)?.outside()),
            '[' => class(&mut rest, &mut out)?,
            '(' if rest.peek() == Some(&'?') => group(&mut rest, &mut out)?,
            // Not an operator where it counts nothing.
            '{' if !counts(&rest) => out.push_str(r"\{"),
            ']' => out.push_str(r"\]"),
            '}' => out.push(c),
            ' ' | '#' | '&' | '~' | '-' => quoted(c, &mut out),
            c => out.push(c),
        }
    }
    Ok(out)
}

/// What an escape stands for.
enum Escaped {
    /// One character.
    One(char),
    /// A class, as it is written within brackets.
    Class(String),
    /// All but a class.
    Not(String),
    /// Something that Rust writes in the same way.
    Same(String),
}

impl Escaped {
    fn outside(&self) -> String {
        match self {
            Self::One(c) => {
                let mut out = String::new();
                quoted(*c, &mut out);
                out
            }
            Self::Class(class) => format!("[{class}]"),
            Self::Not(class) => format!("[^{class}]"),
            Self::Same(same) => same.clone(),
        }
    }
}

fn escape(rest: &mut Pattern<'_>) -> Result<Escaped, String> {
    let c = rest.next().ok_or("it ends with `\\`")?;
    Ok(match c {
        'd' => Escaped::Class("0-9".to_owned()),
        'D' => Escaped::Not("0-9".to_owned()),
        'w' => Escaped::Class("0-9A-Za-z_".to_owned()),
        'W' => Escaped::Not("0-9A-Za-z_".to_owned()),
        's' => Escaped::Class(SPACE.to_owned()),
        'S' => Escaped::Not(SPACE.to_owned()),
        'n' => Escaped::One('\n'),
        'r' => Escaped::One('\r'),
        't' => Escaped::One('\t'),
        'v' => Escaped::One('\x0B'),
        'f' => Escaped::One('\x0C'),
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => Escaped::One('\0'),
        'x' => Escaped::One(coded(&digits(rest, 2)?)?),
        'u' => Escaped::One(unicode(rest)?),
        'c' => {
            let letter =
                rest.next().filter(char::is_ascii_alphabetic).ok_or("`\\c` without a letter")?;
            Escaped::One(char::from(letter as u8 % 32))
        }
        'p' | 'P' => {
            let mut name = String::from('\\');
            name.push(c);
            if rest.peek() == Some(&'{') {
                for c in rest.by_ref() {
                    name.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
            Escaped::Same(name)
        }
        'b' => Escaped::Same(r"\b".to_owned()),
        'B' => Escaped::Same(r"\B".to_owned()),
        '1'..='9' | 'k' => return Err("backreferences cannot be followed".to_owned()),
        'A' | 'z' | 'Z' | 'G' => {
            return Err(format!("`\\{c}` is nothing in a JSON schema's pattern"));
        }
        c => Escaped::One(c),
    })
}

fn unicode(rest: &mut Pattern<'_>) -> Result<char, String> {
    if rest.peek() == Some(&'{') {
        rest.next();
        let code: String = rest.by_ref().take_while(|&c| c != '}').collect();
        return coded(&code);
    }
    let high = digits(rest, 4)?;
    let code =
        u32::from_str_radix(&high, 16).map_err(|_| format!("`\\u{high}` is no character"))?;
    if !(0xD800..0xDC00).contains(&code) {
        return coded(&high);
    }
    // A character above the first 65536, in two halves.
    let no_pair = || format!("`\\u{high}` is half a character");
    if (rest.next(), rest.next()) != (Some('\\'), Some('u')) {
        return Err(no_pair());
    }
    let low = u32::from_str_radix(&digits(rest, 4)?, 16).map_err(|_| no_pair())?;
    let code = 0x10000 + ((code - 0xD800) << 10) + low.checked_sub(0xDC00).ok_or_else(no_pair)?;
    char::from_u32(code).ok_or_else(no_pair)
}

fn digits(rest: &mut Pattern<'_>, count: usize) -> Result<String, String> {
    let digits: String = rest.by_ref().take(count).collect();
    let whole = digits.len() == count && digits.chars().all(|c| c.is_ascii_hexdigit());
    if whole {
        Ok(digits)
    } else {
        Err(format!("`{digits}` is no number of {count} hexadecimal digits"))
    }
}

fn coded(code: &str) -> Result<char, String> {
    let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
    c.ok_or_else(|| format!("U+{code} is no character"))
}

/// Writes a character that stands for itself, in and outside of classes.
fn quoted(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() || !c.is_ascii() && !c.is_control() && !c.is_whitespace() {
        out.push(c);
    } else {
        write!(out, r"\x{{{:X}}}", c as u32).unwrap_or_default();
    }
}

/// A class, behind its opening bracket.
fn class(rest: &mut Pattern<'_>, out: &mut String) -> Result<(), String> {
    let negated = rest.next_if_eq(&'^').is_some();
    if rest.next_if_eq(&']').is_some() {
        // Nothing, or everything.
        out.push_str(if negated { r"[\x00-\x{10FFFF}]" } else { r"[^\x00-\x{10FFFF}]" });
        return Ok(());
    }
    out.push_str(if negated { "[^" } else { "[" });
    while let Some(first) = item(rest)? {
        let mut ahead = rest.clone();
        let is_range = ahead.next() == Some('-') && !matches!(ahead.peek(), Some(']') | None);
        match first {
            Escaped::One(from) if is_range => {
                rest.next();
                match item(rest)? {
                    Some(Escaped::One(to)) => {
                        quoted(from, out);
                        out.push('-');
                        quoted(to, out);
                    }
                    // As browsers read it: three things, of which one is a hyphen.
                    Some(other) => {
                        quoted(from, out);
                        quoted('-', out);
                        within(&other, out);
                    }
                    None => break,
                }
            }
            first => within(&first, out),
        }
    }
    out.push(']');
    Ok(())
}

fn within(item: &Escaped, out: &mut String) {
    match item {
        Escaped::One(c) => quoted(*c, out),
        Escaped::Class(class) => out.push_str(class),
        Escaped::Not(class) => write!(out, "[^{class}]").unwrap_or_default(),
        // In a class it is a backspace.
        Escaped::Same(same) if same == r"\b" => quoted('\x08', out),
        Escaped::Same(same) => out.push_str(same),
    }
}

/// The next thing in a class; `None` at its end.
fn item(rest: &mut Pattern<'_>) -> Result<Option<Escaped>, String> {
    match rest.next() {
        None => Err("a class (`[`) has no end".to_owned()),
        Some(']') => Ok(None),
        Some('\\') => escape(rest).map(Some),
        Some(c) => Ok(Some(Escaped::One(c))),
    }
}

/// A group that begins with `(?`.
fn group(rest: &mut Pattern<'_>, out: &mut String) -> Result<(), String> {
    rest.next();
    let look = Err("looking ahead or behind (`(?=`, `(?!`, `(?<`) cannot be followed".to_owned());
    match rest.next() {
        Some(':') => out.push_str("(?:"),
        Some('=' | '!') => return look,
        Some('<') if matches!(rest.peek(), Some('=' | '!')) => return look,
        Some('<') => {
            // A name says nothing here.
            if !rest.by_ref().any(|c| c == '>') {
                return Err("the name of a group has no end".to_owned());
            }
            out.push_str("(?:");
        }
        other => {
            let c = other.map(String::from).unwrap_or_default();
            return Err(format!("`(?{c}` is nothing in a JSON schema's pattern"));
        }
    }
    Ok(())
}

/// Whether a brace counts repetitions.
fn counts(rest: &Pattern<'_>) -> bool {
    let mut rest = rest.clone();
    let mut digits = 0;
    while rest.next_if(char::is_ascii_digit).is_some() {
        digits += 1;
    }
    if rest.next_if_eq(&',').is_some() {
        while rest.next_if(char::is_ascii_digit).is_some() {}
    }
    digits > 0 && rest.next() == Some('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_dialects_are_told_apart() {
        for (pattern, expected) in [
            (r"^\d+$", "^[0-9]+$"),
            (r"a.b", r"a[^\n\r\u{2028}\u{2029}]b"),
            (r"[\w.-]", r"[0-9A-Za-z_\x{2E}\x{2D}]"),
            (r"[a-z&&[b]", r"[a-z\x{26}\x{26}\x{5B}b]"),
            (r"\/\-\u0041\x42\u{1F600}", "\\x{2F}\\x{2D}AB\u{1F600}"),
            (r"\ud83d\ude00", "\u{1F600}"),
            (r"(?<year>[0-9]{4})-x{a}", r"(?:[0-9]{4})\x{2D}x\{a}"),
            (r"[^]", r"[\x00-\x{10FFFF}]"),
            (r"[\b]", r"[\x{8}]"),
        ] {
            assert_eq!(translate(pattern).unwrap(), expected, "{pattern}");
        }
        for pattern in
            [r"(?=a)", r"(?<!a)b", r"(a)\1", r"\k<a>", r"[a", r"\u12", r"\ud83d", r"(?i)a", "\\"]
        {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
