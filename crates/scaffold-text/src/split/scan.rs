//! Small steps over a string that the hand-written splitters share.

use super::classes::{LETTER, NUMBER, SPACE, classes};

/// The character at byte `at`, and the byte after it.
#[inline]
pub(super) fn next_char(text: &str, at: usize) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    let &first = bytes.get(at)?;
    if first < 0x80 {
        return Some((first as char, at + 1));
    }
    let c = text[at..].chars().next()?;
    Some((c, at + c.len_utf8()))
}

/// The end of the run, from `at`, of characters for which `keep` holds, at most `limit` of them.
#[inline]
pub(super) fn run(
    text: &str,
    mut at: usize,
    limit: usize,
    keep: impl Fn(char, u8) -> bool,
) -> usize {
    for _ in 0..limit {
        match next_char(text, at) {
            Some((c, end)) if keep(c, classes(c)) => at = end,
            _ => break,
        }
    }
    at
}

/// The end of the run of characters that have one of `bits`.
#[inline]
pub(super) fn run_of(text: &str, at: usize, bits: u8) -> usize {
    run(text, at, usize::MAX, |_, class| class & bits != 0)
}

/// The end of the run of characters that are neither space, letter, number nor of `others`.
#[inline]
pub(super) fn run_of_symbols(text: &str, at: usize, others: u8) -> usize {
    run(text, at, usize::MAX, |_, class| class & (SPACE | LETTER | NUMBER | others) == 0)
}

/// An English contraction (`'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d`) at `at`: the byte after it.
///
/// Without case, `s` has a third form: `ſ` (U+017F) folds to it.
#[inline]
pub(super) fn contraction(text: &str, at: usize, any_case: bool) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    if rest.first() != Some(&b'\'') {
        return None;
    }
    let fold = |b: &u8| if any_case { b.to_ascii_lowercase() } else { *b };
    match (rest.get(1).map(fold), rest.get(2).map(fold)) {
        (Some(b's' | b't' | b'm' | b'd'), _) => Some(at + 2),
        (Some(b'r' | b'v'), Some(b'e')) | (Some(b'l'), Some(b'l')) => Some(at + 3),
        _ if any_case && rest[1..].starts_with("ſ".as_bytes()) => Some(at + 3),
        _ => None,
    }
}

/// `\s+(?!\S)|\s+` at `at`, which is a space: the whole run, less its last character if a word
/// follows.
#[inline]
pub(super) fn spaces(text: &str, at: usize) -> usize {
    let end = run_of(text, at, SPACE);
    if end == text.len() {
        return end;
    }
    let last = text[at..end].chars().next_back().map_or(0, char::len_utf8);
    if end - last > at { end - last } else { end }
}

/// `\s*[\r\n]+` at `at`: up to the last line break of the run of spaces, if it has one.
#[inline]
pub(super) fn line_breaks(text: &str, at: usize) -> Option<usize> {
    let end = run_of(text, at, SPACE);
    let last = text.as_bytes()[at..end].iter().rposition(|b| matches!(b, b'\r' | b'\n'))?;
    Some(at + last + 1)
}
