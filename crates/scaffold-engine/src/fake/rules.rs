//! Rules for tests: what may come next depends on all tokens before it.

use scaffold_error::Error;

use super::VOCAB;
use crate::constraint::{Allowed, Guide, Progress, Rules};

/// An answer of `length` tokens without the end: an even token after an odd one and the other way
/// round. After a multiple of 4 must come 9, 10 and 11, which are even and odd in their turn or not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turns {
    pub(crate) length: usize,
    /// It may go on when it is whole.
    pub(crate) open: bool,
    /// At this token it fails, or panics.
    pub(crate) fails_at: Option<usize>,
    pub(crate) panics_at: Option<usize>,
}

struct Turn {
    rules: Turns,
    tokens: Vec<u32>,
    /// What must come, the next last.
    due: Vec<u32>,
}

impl Rules for Turns {
    fn begin(&self) -> Result<Box<dyn Guide>, Error> {
        Ok(Box::new(Turn { rules: *self, tokens: Vec::new(), due: Vec::new() }))
    }
}

impl Turn {
    fn may(&self, id: u32) -> bool {
        match (self.due.last(), self.tokens.last()) {
            (Some(due), _) => id == *due,
            (None, Some(last)) => id > 0 && (id + last) % 2 == 1,
            (None, None) => id > 0,
        }
    }
}

impl Guide for Turn {
    fn allowed(&mut self) -> Result<Allowed, Error> {
        if self.rules.fails_at == Some(self.tokens.len()) {
            return Err(super::told_to_fail());
        }
        assert!(self.rules.panics_at != Some(self.tokens.len()), "the guide was told to panic");
        let bits = (0..VOCAB as u32).filter(|&id| self.may(id)).fold(0, |bits, id| bits | 1 << id);
        let may_end = self.standing() != Progress::Incomplete;
        Ok(Allowed { tokens: Some(vec![bits]), may_end })
    }

    fn take(&mut self, id: u32) -> Result<(), Error> {
        assert!(self.may(id), "{id} came after {:?}", self.tokens);
        if self.due.pop().is_none() && id.is_multiple_of(4) {
            self.due = vec![11, 10, 9];
        }
        self.tokens.push(id);
        Ok(())
    }

    fn forced(&mut self, most: usize) -> Result<Vec<u32>, Error> {
        let mut forced = Vec::new();
        while let Some(&id) = self.due.last().filter(|_| forced.len() < most) {
            self.take(id)?;
            forced.push(id);
        }
        Ok(forced)
    }

    fn standing(&mut self) -> Progress {
        match self.tokens.len() >= self.rules.length && self.due.is_empty() {
            false => Progress::Incomplete,
            true if self.rules.open => Progress::MayEnd,
            true => Progress::Complete,
        }
    }
}
