//! What SentencePiece does to a line before cutting it: a table of replacements, spaces, the dummy
//! prefix.

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};
use scaffold_error::{Error, err};

const SPACE: &str = "▁";

/// The normalizer of one model.
#[derive(Debug)]
pub(crate) struct SpmNormalizer {
    pub(crate) add_dummy_prefix: bool,
    pub(crate) remove_extra_whitespaces: bool,
    pub(crate) escape_whitespaces: bool,
    pub(crate) space_is_suffix: bool,
    pub(crate) replacements: Option<Replacements>,
    protected: Option<AhoCorasick>,
}

impl Default for SpmNormalizer {
    /// The identity with a dummy prefix, as in Llama's and Mistral's models.
    fn default() -> Self {
        SpmNormalizer {
            add_dummy_prefix: true,
            remove_extra_whitespaces: false,
            escape_whitespaces: true,
            space_is_suffix: false,
            replacements: None,
            protected: None,
        }
    }
}

/// A normalized line, and for each of its bytes the byte of the original that it comes from.
pub(crate) struct Normalized {
    pub(crate) text: String,
    origin: Vec<u32>,
    /// Where the part of the original ends that each byte comes from.
    origin_end: Vec<u32>,
}

impl Normalized {
    /// The bytes of the original that `start..end` of the line come from.
    pub(crate) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        if start >= end {
            return (0, 0);
        }
        (self.origin[start] as usize, self.origin_end[end - 1] as usize)
    }

    fn push(&mut self, text: &str, from: usize, to: usize) {
        self.text.push_str(text);
        self.origin.resize(self.text.len(), from as u32);
        self.origin_end.resize(self.text.len(), to as u32);
    }

    fn truncate(&mut self, length: usize) {
        self.text.truncate(length);
        self.origin.truncate(length);
        self.origin_end.truncate(length);
    }
}

impl SpmNormalizer {
    /// What a model file means where it says nothing.
    pub(crate) fn trained() -> Self {
        SpmNormalizer { remove_extra_whitespaces: true, ..SpmNormalizer::default() }
    }

    /// Whether text starts without the space that the first piece begins with.
    pub(crate) fn strips_leading_space(&self) -> bool {
        self.add_dummy_prefix || self.remove_extra_whitespaces
    }

    /// User-defined pieces pass through as they are.
    pub(crate) fn protect(&mut self, pieces: &[String]) -> Result<(), Error> {
        if pieces.is_empty() {
            return Ok(());
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Anchored)
            .build(pieces)
            .map_err(|error| {
                err!(Damaged, "the list of user-defined pieces is not usable: {error}")
            })?;
        self.protected = Some(automaton);
        Ok(())
    }

    /// The end of the longest user-defined piece that starts at `at`.
    pub(crate) fn protected(&self, text: &str, at: usize) -> Option<usize> {
        let input = Input::new(text).range(at..).anchored(Anchored::Yes);
        let found = self.protected.as_ref()?.try_find(input).ok()??;
        (found.end() > at).then_some(found.end())
    }

    /// The replacement of what stands at `at`, and the byte after it.
    fn prefix<'a>(&'a self, text: &'a str, at: usize) -> (&'a str, usize) {
        if let Some(end) = self.protected(text, at) {
            return (&text[at..end], end);
        }
        if let Some((replacement, length)) =
            self.replacements.as_ref().and_then(|r| r.longest(&text.as_bytes()[at..]))
            && text.is_char_boundary(at + length)
        {
            return (replacement, at + length);
        }
        let end = at + text[at..].chars().next().map_or(1, char::len_utf8);
        (&text[at..end], end)
    }

    pub(crate) fn apply(&self, text: &str, line_start: bool) -> Normalized {
        let mut line = Normalized {
            text: String::with_capacity(text.len() + text.len() / 4),
            origin: Vec::with_capacity(text.len() + text.len() / 4),
            origin_end: Vec::with_capacity(text.len() + text.len() / 4),
        };
        let mut at = 0;
        if self.remove_extra_whitespaces {
            while at < text.len() {
                let (piece, end) = self.prefix(text, at);
                if piece != " " {
                    break;
                }
                at = end;
            }
        }
        if at >= text.len() {
            return line;
        }
        let space = if self.escape_whitespaces { SPACE } else { " " };
        let prefix = self.add_dummy_prefix && line_start;
        if prefix && !self.space_is_suffix {
            line.push(space, at, at);
        }
        let mut after_space = self.remove_extra_whitespaces;
        while at < text.len() {
            let (piece, end) = self.prefix(text, at);
            let mut rest = piece;
            while after_space && rest.starts_with(' ') {
                rest = &rest[1..];
            }
            if !rest.is_empty() {
                for (index, part) in rest.split(' ').enumerate() {
                    if index > 0 {
                        line.push(space, at, end);
                    }
                    line.push(part, at, end);
                }
                after_space = self.remove_extra_whitespaces && rest.ends_with(' ');
            }
            at = end;
        }
        if self.remove_extra_whitespaces {
            while line.text.ends_with(space) {
                line.truncate(line.text.len() - space.len());
            }
        }
        if prefix && self.space_is_suffix {
            line.push(space, text.len(), text.len());
        }
        line
    }
}

/// SentencePiece's compiled table of replacements: a double-array trie from byte strings to
/// strings.
#[derive(Debug)]
pub(crate) struct Replacements {
    units: Vec<u32>,
    strings: Vec<u8>,
}

impl Replacements {
    /// Reads `precompiled_charsmap`: the trie's size in bytes, the trie, then strings that end in
    /// NUL.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Option<Self>, Error> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let bad = |problem: String| {
            err!(
                Damaged,
                "the model's table of replacements (precompiled_charsmap) is not usable: {problem}"
            )
        };
        let Some((size, rest)) = bytes.split_first_chunk::<4>() else {
            return Err(bad(format!("it has {} bytes, too few for its own size", bytes.len())));
        };
        let size = u32::from_le_bytes(*size) as usize;
        if !size.is_multiple_of(4) || size > rest.len() {
            return Err(bad(format!(
                "it announces a trie of {size} bytes, but has {}",
                rest.len()
            )));
        }
        let (trie, strings) = rest.split_at(size);
        if std::str::from_utf8(strings).is_err() {
            return Err(bad("its strings are not UTF-8".to_owned()));
        }
        Ok(Some(Replacements {
            units: trie
                .chunks_exact(4)
                .map(|u| u32::from_le_bytes([u[0], u[1], u[2], u[3]]))
                .collect(),
            strings: strings.to_vec(),
        }))
    }

    /// The replacement for the longest prefix of `text` in the table, and that prefix's length.
    fn longest(&self, text: &[u8]) -> Option<(&str, usize)> {
        let offset = |unit: u32| ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize;
        let mut at = offset(*self.units.first()?);
        let mut best = None;
        for (index, &byte) in text.iter().enumerate() {
            at ^= usize::from(byte);
            let Some(&unit) = self.units.get(at) else {
                break;
            };
            if unit & (1 << 31 | 0xff) != u32::from(byte) {
                break;
            }
            at ^= offset(unit);
            if unit >> 8 & 1 == 1
                && let Some(&value) = self.units.get(at)
            {
                best = Some(((value & !(1 << 31)) as usize, index + 1));
            }
        }
        let (start, length) = best?;
        let rest = self.strings.get(start..)?;
        let end = rest.iter().position(|&b| b == 0).unwrap_or(rest.len());
        Some((std::str::from_utf8(&rest[..end]).ok()?, length))
    }
}
