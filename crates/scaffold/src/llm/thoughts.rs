//! Answers that keep to a grammar behind their thoughts, which are free, and thoughts that are closed
//! when they have had their budget.
//!
//! The marks around thoughts are tokens of their own in most models, and several in some: so it is
//! the text of tokens that is looked at.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use scaffold_engine::{Allowed, Guide, Progress};
use scaffold_text::{EncodeOptions, TokenKind, Tokenizer};

use crate::error::Error;

/// Tokens of white space between thoughts and answer, at most.
const SPACES: usize = 4;

/// How a model marks thoughts.
#[derive(Debug)]
pub(super) struct ThoughtMarks {
    close: Vec<u8>,
    /// The tokens that close thoughts.
    closing: Vec<u32>,
    /// The token that opens thoughts, where one alone does.
    open: Option<u32>,
    /// Tokens that are white space and nothing else, as bits.
    spaces: Vec<u32>,
    /// Tokens that end the thoughts with words behind the mark, by how much of it stands there already.
    beyond: Mutex<HashMap<usize, Arc<Vec<u32>>>>,
}

impl ThoughtMarks {
    pub(super) fn new(open: &str, close: &str, tokenizer: &Tokenizer) -> Self {
        let opens = |id: &u32| {
            let alone = matches!(tokenizer.kind(*id), TokenKind::Added | TokenKind::Control);
            alone && tokenizer.id_to_piece(*id).is_some_and(|name| name == open.trim())
        };
        let ids = 0..tokenizer.vocab_size() as u32;
        let mut spaces = vec![0; tokenizer.vocab_size().div_ceil(32)];
        for id in ids.clone() {
            let bytes = tokenizer.token_bytes(id).unwrap_or_default();
            if !bytes.is_empty() && is_space(&bytes) {
                allow(&mut spaces, id);
            }
        }
        let words = EncodeOptions { add_special: false, parse_special: true };
        let closing = tokenizer.encode(close.trim_start_matches(' '), &words);
        Self {
            close: close.trim().as_bytes().to_vec(),
            closing: closing.map(|encoding| encoding.ids).unwrap_or_default(),
            open: ids.clone().find(opens),
            spaces,
            beyond: Mutex::default(),
        }
    }

    /// So many tokens close thoughts.
    pub(super) fn closing(&self) -> usize {
        self.closing.len()
    }

    /// The tokens that may not come where so much of the closing mark stands there: they end it and go
    /// on with words, which the grammar would not see.
    fn beyond(&self, begun: usize, tokenizer: &Tokenizer) -> Arc<Vec<u32>> {
        let mut known = self.beyond.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.entry(begun).or_insert_with(|| {
            let rest = &self.close[begun..];
            let goes_beyond = |id: &u32| {
                let bytes = tokenizer.token_bytes(*id).unwrap_or_default();
                match begun {
                    0 => find(&bytes, rest).is_some_and(|at| !is_space(&bytes[at + rest.len()..])),
                    _ => bytes.strip_prefix(rest).is_some_and(|behind| !is_space(behind)),
                }
            };
            Arc::new((0..tokenizer.vocab_size() as u32).filter(goes_beyond).collect())
        });
        Arc::clone(found)
    }
}

fn is_space(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn allow(tokens: &mut Vec<u32>, id: u32) {
    let word = id as usize / 32;
    if tokens.len() <= word {
        tokens.resize(word + 1, 0);
    }
    tokens[word] |= 1 << (id % 32);
}

/// Where an answer is.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// At its start: it may open thoughts.
    Start,
    /// In its thoughts, with the end of their text.
    Thoughts(Vec<u8>),
    /// At the end of thoughts that have had their budget: these tokens close them.
    Closing(VecDeque<u32>),
    /// Behind them, with so many tokens of white space that may come.
    Between(usize),
    /// In what keeps to the grammar.
    Answer,
}

/// A guide of an answer that may think first.
pub(super) struct Thoughtful<G> {
    guide: G,
    marks: Arc<ThoughtMarks>,
    tokenizer: Arc<Tokenizer>,
    stage: Stage,
    /// Tokens that thoughts may still have.
    left: usize,
    /// Whether what comes behind thoughts is free, too.
    free: bool,
}

impl<G: Guide> Thoughtful<G> {
    /// `opened`: the prompt has opened thoughts. `budget`: tokens that thoughts may have.
    pub(super) fn new(
        guide: G,
        marks: Arc<ThoughtMarks>,
        tokenizer: Arc<Tokenizer>,
        opened: bool,
        budget: Option<usize>,
    ) -> Self {
        let left = budget.unwrap_or(usize::MAX);
        let stage = match (opened, marks.open) {
            (true, _) => Self::thinking(Vec::new(), left, &marks),
            (false, Some(_)) => Stage::Start,
            (false, None) => Stage::Answer,
        };
        Self { guide, marks, tokenizer, stage, left, free: false }
    }

    /// In thoughts, with the end of their text; at their end, if nothing is left for them.
    fn thinking(text: Vec<u8>, left: usize, marks: &ThoughtMarks) -> Stage {
        match left {
            0 if !marks.closing.is_empty() => {
                Stage::Closing(marks.closing.iter().copied().collect())
            }
            _ => Stage::Thoughts(text),
        }
    }

    /// How much of the closing mark stands at the end of a text.
    fn begun(&self, text: &[u8]) -> usize {
        let close = &self.marks.close;
        (1..close.len()).rev().find(|&length| text.ends_with(&close[..length])).unwrap_or(0)
    }

    fn in_thoughts(&mut self, id: u32, mut text: Vec<u8>) -> Stage {
        text.extend(self.tokenizer.token_bytes(id).unwrap_or_default());
        let close = &self.marks.close;
        if let Some(at) = find(&text, close) {
            let spaced = text.len() > at + close.len();
            return Stage::Between(SPACES - usize::from(spaced));
        }
        text.drain(..text.len().saturating_sub(close.len()));
        self.left = self.left.saturating_sub(1);
        // In the middle of the mark the model closes them itself.
        let left = if self.begun(&text) > 0 { self.left.max(1) } else { self.left };
        Self::thinking(text, left, &self.marks)
    }
}

impl<G: Guide> Guide for Thoughtful<G> {
    fn allowed(&mut self) -> Result<Allowed, Error> {
        match &self.stage {
            Stage::Answer => self.guide.allowed(),
            Stage::Start | Stage::Between(_) => {
                let mut allowed = self.guide.allowed()?;
                if let Some(tokens) = &mut allowed.tokens {
                    if let (Stage::Start, Some(open)) = (&self.stage, self.marks.open) {
                        allow(tokens, open);
                    } else {
                        tokens.resize(tokens.len().max(self.marks.spaces.len()), 0);
                        tokens
                            .iter_mut()
                            .zip(&self.marks.spaces)
                            .for_each(|(word, spaces)| *word |= spaces);
                    }
                }
                Ok(allowed)
            }
            Stage::Closing(closing) => {
                let mut tokens = Vec::new();
                closing.front().into_iter().for_each(|&id| allow(&mut tokens, id));
                Ok(Allowed { tokens: Some(tokens), may_end: false })
            }
            // Where all is free nothing need be kept apart.
            Stage::Thoughts(_) if self.free => Ok(Allowed::ALL),
            Stage::Thoughts(text) => {
                let mut tokens = vec![u32::MAX; self.tokenizer.vocab_size().div_ceil(32)];
                let begun = self.begun(text);
                for part in if begun == 0 { vec![0] } else { vec![0, begun] } {
                    for &id in &*self.marks.beyond(part, &self.tokenizer) {
                        tokens[id as usize / 32] &= !(1 << (id % 32));
                    }
                }
                // Without an answer behind them, thoughts are none.
                Ok(Allowed { tokens: Some(tokens), may_end: false })
            }
        }
    }

    fn take(&mut self, id: u32) -> Result<(), Error> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Answer) {
            Stage::Thoughts(text) => self.in_thoughts(id, text),
            Stage::Start if self.marks.open == Some(id) => {
                Self::thinking(Vec::new(), self.left, &self.marks)
            }
            Stage::Closing(mut closing) => {
                closing.pop_front();
                if closing.is_empty() { Stage::Between(SPACES) } else { Stage::Closing(closing) }
            }
            Stage::Between(left) if left > 0 && self.is_between(id)? => Stage::Between(left - 1),
            _ => {
                self.guide.take(id)?;
                Stage::Answer
            }
        };
        if self.stage == Stage::Between(0) {
            self.stage = Stage::Answer;
        }
        Ok(())
    }

    fn forced(&mut self, most: usize) -> Result<Vec<u32>, Error> {
        match &mut self.stage {
            Stage::Answer => self.guide.forced(most),
            Stage::Closing(closing) => {
                let forced: Vec<u32> = closing.drain(..most.min(closing.len())).collect();
                if closing.is_empty() {
                    self.stage = Stage::Between(SPACES);
                }
                Ok(forced)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn standing(&mut self) -> Progress {
        match self.stage {
            Stage::Answer => self.guide.standing(),
            Stage::Closing(_) => Progress::Incomplete,
            _ if self.free => Progress::MayEnd,
            _ => Progress::Incomplete,
        }
    }
}

impl<G: Guide> Thoughtful<G> {
    /// Whether a token is white space before the answer, and not of it.
    fn is_between(&mut self, id: u32) -> Result<bool, Error> {
        let spaces = Allowed { tokens: Some(self.marks.spaces.clone()), may_end: false };
        Ok(spaces.has(id) && !self.guide.allowed()?.has(id))
    }
}

impl Thoughtful<Free> {
    /// A guide of an answer that is free, but for the budget of its thoughts.
    pub(super) fn free(
        marks: Arc<ThoughtMarks>,
        tokenizer: Arc<Tokenizer>,
        opened: bool,
        budget: usize,
    ) -> Self {
        Self { free: true, ..Self::new(Free, marks, tokenizer, opened, Some(budget)) }
    }
}

/// The guide of an answer that may be anything.
pub(super) struct Free;

impl Guide for Free {
    fn allowed(&mut self) -> Result<Allowed, Error> {
        Ok(Allowed::ALL)
    }

    fn take(&mut self, _: u32) -> Result<(), Error> {
        Ok(())
    }

    fn standing(&mut self) -> Progress {
        Progress::MayEnd
    }
}

#[cfg(test)]
mod tests;
