//! The classes of characters that Python's methods and messages know.

use regex_syntax::hir::{Class, HirKind};
use std::sync::LazyLock;

/// What Python takes for space: Unicode's white space, and four separators that ASCII once had for
/// files and records.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The characters of a class, as ranges in order.
pub(crate) fn ranges(pattern: &str) -> Vec<(char, char)> {
    let hir = regex_syntax::parse(pattern).expect("a constant pattern");
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|r| (r.start(), r.end())).collect()
        }
        _ => Vec::new(),
    }
}

/// The range that a character is in.
pub(crate) fn within(ranges: &[(char, char)], c: char) -> Option<(char, char)> {
    let after = ranges.partition_point(|range| range.0 <= c);
    let range = *ranges.get(after.checked_sub(1)?)?;
    (c <= range.1).then_some(range)
}

/// The value of a decimal digit of any script.
pub(crate) fn digit_value(c: char) -> Option<u32> {
    static DECIMAL: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"\p{Nd}"));
    if c.is_ascii() {
        return c.to_digit(10);
    }
    within(&DECIMAL, c).map(|(first, _)| (c as u32 - first as u32) % 10)
}

/// Python's `str.isprintable`: all but separators other than the space, and characters of the
/// category "other".
pub(crate) fn printable(c: char) -> bool {
    static HIDDEN: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"[\p{C}\p{Z}]"));
    if matches!(c, ' '..='~') {
        return true;
    }
    within(&HIDDEN, c).is_none()
}
