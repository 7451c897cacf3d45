//! Byte-level BPE: GPT-2's tokenizer and its descendants (Llama 3, Qwen, SmolLM, Mistral's tekken, …).

pub(crate) mod build;

use crate::added::{AddedTokens, Permit, Segment};
use crate::bpe::cache::{Workspace, Workspaces};
use crate::bpe::{Merges, Scratch};
use crate::encoding::Encoding;
use crate::error::TextError;
use crate::normalize::{Normalized, Normalizer};
use crate::split::Splitter;
use crate::tokens::TokenTable;
use ahash::RandomState;
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
    pub(crate) trim_offsets: bool,
    pub(crate) normalizer: Option<Normalizer>,
    byte_ids: Box<[u32; 256]>,
    workspaces: Workspaces,
}

/// The stretch of the input that is being encoded, and the way from its (normalized) bytes to the input's.
struct Place<'a> {
    input: &'a str,
    start: usize,
    normalized: Option<&'a Normalized>,
}

impl Place<'_> {
    fn original(&self, from: usize, to: usize) -> (usize, usize) {
        let (from, to) = match self.normalized {
            Some(normalized) => normalized.original(from, to),
            None => (from, to),
        };
        let (mut from, mut to) = (self.start + from, self.start + to);
        while !self.input.is_char_boundary(from) {
            from -= 1;
        }
        while !self.input.is_char_boundary(to) {
            to += 1;
        }
        (from, to)
    }
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
            trim_offsets: false,
            normalizer: None,
            byte_ids,
            workspaces: Workspaces::default(),
        }
    }

    pub(crate) fn id(&self, bytes: &[u8]) -> Option<u32> {
        self.ids.get(bytes).copied()
    }

    /// Appends the tokens of `input[segment]`, in which tokens looked for in raw text are already cut out.
    pub(crate) fn encode(
        &self,
        input: &str,
        segment: std::ops::Range<usize>,
        tokens: &TokenTable,
        added: &AddedTokens,
        permit: &dyn Permit,
        out: &mut Encoding,
    ) -> Result<(), TextError> {
        let text = &input[segment.clone()];
        let normalized = match &self.normalizer {
            Some(normalizer) => normalizer.apply(text)?,
            None => None,
        };
        let clean = normalized.as_ref().map_or(text, Normalized::text);
        let place = Place {
            input,
            start: segment.start,
            normalized: normalized.as_ref(),
        };
        self.workspaces.with(|workspace| {
            let mut emit = |s: Segment| match s.token {
                Some(id) => out.push(id, place.original(s.start, s.end)),
                None => self.encode_plain(clean, s.start..s.end, &place, tokens, workspace, out),
            };
            if added.looks_in_normalized() {
                added.split_normalized(clean, permit, &mut emit);
            } else if !clean.is_empty() {
                emit(Segment {
                    token: None,
                    start: 0,
                    end: clean.len(),
                });
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
        self.splitter.words(&text, &mut |from, to| {
            let word = &text.as_bytes()[from..to];
            let mark = out.ids.len();
            workspace.word(word, &mut out.ids, |symbols, scratch| {
                self.merge(word, symbols, scratch);
            });
            let mut at = from;
            let whole: usize = out.ids[mark..]
                .iter()
                .map(|&id| tokens.bytes(id).len())
                .sum();
            for index in mark..out.ids.len() {
                // Where a byte had no token, lengths do not add up: the tokens of the word share its range.
                let (start, end) = if whole == to - from {
                    let start = at;
                    at += tokens.bytes(out.ids[index]).len();
                    (start, at)
                } else {
                    (from, to)
                };
                let (start, end) = self.trimmed(&text, start, end);
                let moved = |at: usize| range.start + at.saturating_sub(shift);
                out.offsets.push(place.original(moved(start), moved(end)));
                out.type_ids.push(0);
            }
        });
    }

    fn trimmed(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        if !self.trim_offsets {
            return (start, end);
        }
        let bytes = &text.as_bytes()[start..end];
        let leading = bytes.iter().take_while(|&&b| b == b' ').count();
        let trailing = bytes.iter().rev().take_while(|&&b| b == b' ').count();
        (
            (start + leading).min(end),
            end.saturating_sub(trailing).max(start + leading).min(end),
        )
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
            word.iter()
                .map(|&byte| self.byte_ids[usize::from(byte)])
                .filter(|&id| id != NO_TOKEN),
        );
        self.merges.apply(symbols, scratch);
    }
}
