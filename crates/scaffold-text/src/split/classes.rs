//! Unicode classes of characters, as the splitting patterns of tokenizers name them.

use regex_syntax::hir::{Class, HirKind};
use std::sync::LazyLock;

/// `\p{L}`
pub(crate) const LETTER: u8 = 1;
/// `\p{N}`
pub(crate) const NUMBER: u8 = 2;
/// `\s`
pub(crate) const SPACE: u8 = 4;
/// `\p{M}`
pub(crate) const MARK: u8 = 8;
/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
pub(crate) const UPPER: u8 = 16;
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
pub(crate) const LOWER: u8 = 32;

/// The class bits of every code point, in pages of 256 of which equal ones are stored once.
struct Table {
    pages: Vec<u16>,
    bits: Vec<u8>,
}

static TABLE: LazyLock<Table> = LazyLock::new(build);

/// The class bits of a character.
#[inline]
pub(crate) fn classes(c: char) -> u8 {
    let code = c as usize;
    let table: &Table = &TABLE;
    table.bits[usize::from(table.pages[code >> 8]) * 256 + (code & 255)]
}

/// The regex crate's own Unicode tables, so that these classes and its patterns never disagree.
fn build() -> Table {
    let mut flat = vec![0u8; 0x11_0000];
    for (pattern, bit) in [
        (r"\p{L}", LETTER),
        (r"\p{N}", NUMBER),
        (r"\s", SPACE),
        (r"\p{M}", MARK),
        (r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", UPPER),
        (r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", LOWER),
    ] {
        let hir = regex_syntax::parse(pattern).expect("a constant pattern");
        let HirKind::Class(Class::Unicode(class)) = hir.kind() else {
            unreachable!("a class pattern parses to a class");
        };
        for range in class.ranges() {
            for bits in &mut flat[range.start() as usize..=range.end() as usize] {
                *bits |= bit;
            }
        }
    }
    let mut table = Table { pages: Vec::with_capacity(flat.len() / 256), bits: Vec::new() };
    for page in flat.chunks_exact(256) {
        let known = table.bits.chunks_exact(256).position(|p| p == page);
        let index = known.unwrap_or_else(|| {
            table.bits.extend_from_slice(page);
            table.bits.len() / 256 - 1
        });
        table.pages.push(index as u16);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_agree_with_the_standard_library_where_it_has_them() {
        for c in ['a', 'Z', '7', ' ', '\u{a0}', '日', '\u{301}', '½', '\u{3000}', '_'] {
            assert_eq!(classes(c) & NUMBER != 0, c.is_numeric(), "{c:?}");
            assert_eq!(classes(c) & SPACE != 0, c.is_whitespace(), "{c:?}");
        }
        assert_eq!(classes('\u{301}'), MARK | UPPER | LOWER);
        assert_eq!(classes('A'), LETTER | UPPER);
        assert_eq!(classes('日'), LETTER | UPPER | LOWER);
        assert_eq!(classes('\u{10ffff}'), 0);
    }
}
