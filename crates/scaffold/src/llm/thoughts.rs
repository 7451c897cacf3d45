//! Answers that keep to a grammar behind their thoughts, which are free.
//!
//! The marks around thoughts are tokens of their own in most models, and several in some: so it is
//! the text of tokens that is looked at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use scaffold_engine::{Allowed, Guide, Progress};
use scaffold_text::{TokenKind, Tokenizer};

use crate::error::Error;

/// Tokens of white space between thoughts and answer, at most.
const SPACES: usize = 4;

/// How a model marks thoughts.
#[derive(Debug)]
pub(super) struct ThoughtMarks {
    close: Vec<u8>,
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
        Self {
            close: close.trim().as_bytes().to_vec(),
            open: ids.clone().find(opens),
            spaces,
            beyond: Mutex::default(),
        }
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
}

impl<G: Guide> Thoughtful<G> {
    /// `opened`: the prompt has opened thoughts.
    pub(super) fn new(
        guide: G,
        marks: Arc<ThoughtMarks>,
        tokenizer: Arc<Tokenizer>,
        opened: bool,
    ) -> Self {
        let stage = match (opened, marks.open) {
            (true, _) => Stage::Thoughts(Vec::new()),
            (false, Some(_)) => Stage::Start,
            (false, None) => Stage::Answer,
        };
        Self { guide, marks, tokenizer, stage }
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
        Stage::Thoughts(text)
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
            Stage::Start if self.marks.open == Some(id) => Stage::Thoughts(Vec::new()),
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
        if self.stage == Stage::Answer { self.guide.forced(most) } else { Ok(Vec::new()) }
    }

    fn standing(&mut self) -> Progress {
        match self.stage {
            Stage::Answer => self.guide.standing(),
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

#[cfg(test)]
mod tests;
