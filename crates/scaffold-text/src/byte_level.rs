//! Byte-level BPE: GPT-2's tokenizer and its descendants (Llama 3, Qwen, SmolLM, Mistral's tekken,
//! …).

pub(crate) mod build;

use crate::added::{AddedToken, AddedTokens, Permit, Segment};
use crate::bpe::cache::{Workspace, Workspaces};
use crate::bpe::{Merges, Scratch};
use crate::encoding::Encoding;
use crate::normalize::{Normalized, Normalizer};
use crate::split::Splitter;
use crate::tokens::TokenTable;
use ahash::RandomState;
use scaffold_error::Error;
use std::borrow::Cow;
use std::collections::HashMap;

/// The id of a byte that the vocabulary lacks: such a byte is dropped, as in `tokenizers`.
const NO_TOKEN: u32 = u32::MAX;

/// Tokens by their bytes.
pub(crate) type Ids = HashMap<Box<[u8]>, u32, RandomState>;

/// Vocabulary, merges and word borders of a byte-level tokenizer.
#[derive(Debug)]
pub(crate) struct ByteLevel {
    splitter: Splitter,
    merges: Merges,
    ids: Ids,
    /// A word that is a token is that token, whatever the merges say.
    pub(crate) whole_words: bool,
    /// Text that does not start with a space gets one.
    pub(crate) add_prefix_space: bool,
    /// Offsets leave out the spaces that tokens start and end with.
    pub(crate) trim: Option<Trim>,
    pub(crate) normalizer: Option<Normalizer>,
    byte_ids: Box<[u32; 256]>,
    workspaces: Workspaces,
}

/// The stretch of the input that is being encoded, and the way from its (normalized) bytes to the
/// input's.
struct Place<'a> {
    input: &'a str,
    start: usize,
    normalized: Option<&'a Normalized>,
}

impl Place<'_> {
    /// The characters of the input that the bytes `from..to` of the normalized text come from.
    fn original(&self, from: usize, to: usize) -> (usize, usize) {
        let (from, to) = match self.normalized {
            Some(normalized) => normalized.original(from, to),
            None => (from, to),
        };
        let from = self.input.floor_char_boundary(self.start + from);
        (from, self.input.ceil_char_boundary(self.start + to).max(from))
    }
}

/// Asks about places of normalized text in terms of the input.
struct InInput<'a> {
    place: &'a Place<'a>,
    permit: &'a dyn Permit,
}

impl Permit for InInput<'_> {
    fn allows(&self, token: &AddedToken, start: usize, end: usize) -> bool {
        let (start, end) = self.place.original(start, end);
        self.permit.allows(token, start, end)
    }
}

/// Which spaces at their borders tokens leave out of their offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trim {
    /// A first token keeps a single space at its start, which might be the one that was put in
    /// front of the text.
    pub(crate) keeps_first: bool,
}

impl Trim {
    /// `offsets` of the token with number `index`, whose text starts and ends with these numbers of
    /// spaces.
    fn apply(
        self,
        input: &str,
        index: usize,
        offsets: (usize, usize),
        (leading, trailing): (usize, usize),
    ) -> (usize, usize) {
        let (from, to) = offsets;
        let first = (index == 0 || from == 0) && self.keeps_first && leading == 1;
        let start = if first { from } else { (from + leading).min(to) };
        let end = to.saturating_sub(trailing).max(start);
        // A space counts as one byte, whatever the input has in its place.
        (input.floor_char_boundary(start), input.ceil_char_boundary(end))
    }
}

/// How many spaces a token's text starts and ends with.
fn spaces(text: &[u8]) -> (usize, usize) {
    let count = |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|&&b| b == b' ').count();
    (count(&mut text.iter()), count(&mut text.iter().rev()))
}

impl ByteLevel {
    pub(crate) fn new(splitter: Splitter, merges: Merges, ids: Ids) -> Self {
        let mut byte_ids = Box::new([NO_TOKEN; 256]);
        for byte in 0..=255u8 {
            if let Some(&id) = ids.get([byte].as_slice()) {
                byte_ids[usize::from(byte)] = id;
            }
        }
        ByteLevel {
            splitter,
            merges,
            ids,
            whole_words: false,
            add_prefix_space: false,
            trim: None,
            normalizer: None,
            byte_ids,
            workspaces: Workspaces::default(),
        }
    }

    pub(crate) fn id(&self, bytes: &[u8]) -> Option<u32> {
        self.ids.get(bytes).copied()
    }

    /// Appends the tokens of `input[segment]`, in which tokens looked for in raw text are already
    /// cut out.
    pub(crate) fn encode(
        &self,
        input: &str,
        segment: std::ops::Range<usize>,
        tokens: &TokenTable,
        added: &AddedTokens,
        permit: &dyn Permit,
        out: &mut Encoding,
    ) -> Result<(), Error> {
        let text = &input[segment.clone()];
        let normalized = match &self.normalizer {
            Some(normalizer) => normalizer.apply(text)?,
            None => None,
        };
        let clean = normalized.as_ref().map_or(text, Normalized::text);
        let place = Place { input, start: segment.start, normalized: normalized.as_ref() };
        self.workspaces.with(|workspace| {
            let mut emit = |s: Segment| match s.token {
                Some(id) => {
                    let offsets = place.original(s.start, s.end);
                    self.push_added(id, offsets, &clean[s.start..s.end], input, out);
                }
                None => self.encode_plain(clean, s.start..s.end, &place, tokens, workspace, out),
            };
            if added.looks_in_normalized() {
                let permit = InInput { place: &place, permit };
                added.split_normalized(clean, &permit, &mut emit);
            } else if !clean.is_empty() {
                emit(Segment { token: None, start: 0, end: clean.len() });
            }
        });
        Ok(())
    }

    fn encode_plain(
        &self,
        clean: &str,
        range: std::ops::Range<usize>,
        place: &Place<'_>,
        tokens: &TokenTable,
        workspace: &mut Workspace,
        out: &mut Encoding,
    ) {
        let text = &clean[range.clone()];
        let (text, shift) = if self.add_prefix_space && !text.starts_with(' ') {
            (Cow::Owned(format!(" {text}")), 1)
        } else {
            (Cow::Borrowed(text), 0)
        };
        let first = clean[range.clone()].chars().next().map_or(0, char::len_utf8);
        self.splitter.words(&text, &mut |from, to| {
            let word = &text.as_bytes()[from..to];
            let mark = out.ids.len();
            workspace.word(word, &mut out.ids, |symbols, scratch| {
                self.merge(word, symbols, scratch);
            });
            let mut at = from;
            let whole: usize = out.ids[mark..].iter().map(|&id| tokens.bytes(id).len()).sum();
            for index in mark..out.ids.len() {
                // Where a byte had no token, lengths do not add up: the tokens of the word share
                // its range.
                let (start, end) = if whole == to - from {
                    let start = at;
                    at += tokens.bytes(out.ids[index]).len();
                    (start, at)
                } else {
                    (from, to)
                };
                // A space that was put in front counts as part of the first character.
                let last = if end > shift { end - shift } else { first };
                let moved = range.start + start.saturating_sub(shift);
                let mut offsets = place.original(moved, range.start + last);
                if let Some(trim) = self.trim {
                    let spaces = spaces(&text.as_bytes()[start..end]);
                    offsets = trim.apply(place.input, index, offsets, spaces);
                }
                out.offsets.push(offsets);
                out.type_ids.push(0);
            }
        });
    }

    /// Appends an added token that was found in the text as `found`.
    pub(crate) fn push_added(
        &self,
        id: u32,
        offsets: (usize, usize),
        found: &str,
        input: &str,
        out: &mut Encoding,
    ) {
        let mut offsets = offsets;
        if let Some(trim) = self.trim {
            let leading = found.chars().take_while(|c| c.is_whitespace()).count();
            let trailing = found.chars().rev().take_while(|c| c.is_whitespace()).count();
            offsets = trim.apply(input, out.len(), offsets, (leading, trailing));
        }
        out.push(id, offsets);
    }

    fn merge(&self, word: &[u8], symbols: &mut Vec<u32>, scratch: &mut Scratch) {
        symbols.clear();
        if self.whole_words
            && let Some(id) = self.id(word)
        {
            symbols.push(id);
            return;
        }
        symbols.extend(
            word.iter().map(|&byte| self.byte_ids[usize::from(byte)]).filter(|&id| id != NO_TOKEN),
        );
        self.merges.apply(symbols, scratch);
    }
}
