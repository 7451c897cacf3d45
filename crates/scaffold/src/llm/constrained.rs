//! Grammars of answers: compiled once for a model, and handed to the engine.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use scaffold_engine::{Allowed, Constraint, Guide, Progress, Rules};
use scaffold_grammar::{Compiled, Grammar, Vocabulary, guide};
use scaffold_text::Tokenizer;

use super::thoughts::{ThoughtMarks, Thoughtful};
use crate::error::Error;

/// Compiled grammars that are kept: agents ask for the same ones again and again.
const KEPT: usize = 16;

/// When an answer that keeps to a grammar may begin with thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinks {
    /// Where the prompt has opened them: nothing else could follow.
    IfOpened,
    /// Also where the model opens them itself: the reader tells them apart.
    IfItLikes,
}

/// How the thoughts of an answer are.
#[derive(Clone, Debug)]
pub(super) struct Thoughts {
    pub(super) marks: Arc<ThoughtMarks>,
    /// The prompt has opened them.
    pub(super) opened: bool,
    /// Tokens that they may have.
    pub(super) budget: Option<usize>,
}

/// The grammars of one model.
#[derive(Default)]
pub(super) struct Grammars {
    /// The model's tokens, put in order when the first grammar comes.
    vocabulary: OnceLock<Result<Arc<Vocabulary>, Error>>,
    /// The last ones, the newest last.
    compiled: Mutex<Vec<(Grammar, Arc<Compiled>)>>,
}

impl fmt::Debug for Grammars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grammars")
    }
}

impl Grammars {
    /// What an answer has to keep to, behind thoughts where there may be any.
    pub(super) fn constraint(
        &self,
        grammar: &Grammar,
        tokenizer: &Arc<Tokenizer>,
        thoughts: Option<Thoughts>,
    ) -> Result<Constraint, Error> {
        let compiled = self.compiled(grammar, tokenizer)?;
        let tokenizer = Arc::clone(tokenizer);
        Ok(Constraint::new(Arc::new(Held { compiled, tokenizer, thoughts })))
    }

    /// What an answer has to keep to that is free, but for the budget of its thoughts.
    pub(super) fn budget(
        tokenizer: &Arc<Tokenizer>,
        thoughts: Thoughts,
        budget: usize,
    ) -> Constraint {
        let tokenizer = Arc::clone(tokenizer);
        Constraint::new(Arc::new(Budget { tokenizer, thoughts, tokens: budget }))
    }

    fn compiled(
        &self,
        grammar: &Grammar,
        tokenizer: &Arc<Tokenizer>,
    ) -> Result<Arc<Compiled>, Error> {
        let kept = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let found = {
            let mut kept = kept();
            let found = kept.iter().position(|(known, _)| known == grammar);
            found.map(|at| {
                let found = kept.remove(at);
                let compiled = Arc::clone(&found.1);
                kept.push(found);
                compiled
            })
        };
        if let Some(compiled) = found {
            return Ok(compiled);
        }
        let vocabulary =
            self.vocabulary.get_or_init(|| Vocabulary::new(Arc::clone(tokenizer)).map(Arc::new));
        let compiled = Arc::new(Compiled::new(grammar, vocabulary.clone()?)?);
        let mut kept = kept();
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((grammar.clone(), Arc::clone(&compiled)));
        Ok(compiled)
    }
}

/// A grammar, as the engine holds answers to it.
struct Held {
    compiled: Arc<Compiled>,
    tokenizer: Arc<Tokenizer>,
    thoughts: Option<Thoughts>,
}

impl Rules for Held {
    fn begin(&self) -> Result<Box<dyn Guide>, Error> {
        let guide = Plain(self.compiled.begin());
        Ok(match &self.thoughts {
            None => Box::new(guide),
            Some(Thoughts { marks, opened, budget }) => {
                let (marks, tokenizer) = (Arc::clone(marks), Arc::clone(&self.tokenizer));
                Box::new(Thoughtful::new(guide, marks, tokenizer, *opened, *budget))
            }
        })
    }
}

/// A budget of thoughts, and nothing else.
struct Budget {
    tokenizer: Arc<Tokenizer>,
    thoughts: Thoughts,
    tokens: usize,
}

impl Rules for Budget {
    fn begin(&self) -> Result<Box<dyn Guide>, Error> {
        let (marks, tokenizer) = (Arc::clone(&self.thoughts.marks), Arc::clone(&self.tokenizer));
        Ok(Box::new(Thoughtful::free(marks, tokenizer, self.thoughts.opened, self.tokens)))
    }
}

/// A guide of a grammar, as the engine has guides.
pub(super) struct Plain(guide::Guide);

impl Guide for Plain {
    fn allowed(&mut self) -> Result<Allowed, Error> {
        let may_end = self.standing() != Progress::Incomplete;
        Ok(Allowed { tokens: Some(self.0.allowed()?), may_end })
    }

    fn take(&mut self, id: u32) -> Result<(), Error> {
        self.0.take(id)
    }

    fn forced(&mut self, most: usize) -> Result<Vec<u32>, Error> {
        self.0.forced(most)
    }

    fn standing(&mut self) -> Progress {
        match self.0.progress() {
            guide::Progress::Incomplete => Progress::Incomplete,
            guide::Progress::MayEnd => Progress::MayEnd,
            guide::Progress::Complete => Progress::Complete,
        }
    }
}
