//! What an answer has to keep to: which tokens may come next, and which must.
//!
//! The engine knows no grammars. A door brings [`Rules`]; each answer gets a [`Guide`] of its own,
//! which is told every token and asked before each choice. What it allows is asked on another thread
//! while the model computes the logits ([`masks`](crate::masks)). Tokens that it does not allow are
//! never chosen; tokens that must follow are not computed on their own.

use std::fmt;
use std::sync::Arc;

use scaffold_error::Error;

/// What an answer has to keep to. Begun anew for each answer.
pub trait Rules: Send + Sync {
    /// A guide for one answer, which has said nothing yet.
    ///
    /// # Errors
    /// The rules cannot be kept to.
    fn begin(&self) -> Result<Box<dyn Guide>, Error>;
}

/// The rules at one place of one answer.
///
/// A guide depends on nothing but the tokens that it took: the same answer is guided in the same way,
/// whatever is computed beside it.
pub trait Guide: Send {
    /// What may come next.
    ///
    /// # Errors
    /// Whatever keeps it from finding out; the answer ends with that.
    fn allowed(&mut self) -> Result<Allowed, Error>;

    /// Takes the token that came. It is one of those that were allowed, and ends no answer.
    ///
    /// # Errors
    /// As [`allowed`](Self::allowed).
    fn take(&mut self, id: u32) -> Result<(), Error>;

    /// The tokens that must come next, whatever the model: at most `most`, and taken by now.
    ///
    /// # Errors
    /// As [`allowed`](Self::allowed).
    fn forced(&mut self, _most: usize) -> Result<Vec<u32>, Error> {
        Ok(Vec::new())
    }

    /// Where the answer stands.
    fn standing(&mut self) -> Progress;
}

/// How far an answer is, as its rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More must come.
    Incomplete,
    /// It may end here, or go on.
    MayEnd,
    /// It is whole: nothing may follow.
    Complete,
}

/// The tokens that may come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// A bit for each token, from the lowest of the first word up; `None` for all tokens. Whether
    /// tokens that end the answer may come is said by `may_end` alone.
    pub tokens: Option<Vec<u32>>,
    /// Whether the answer may end here.
    pub may_end: bool,
}

impl Allowed {
    /// Every token, and the end.
    pub const ALL: Self = Self { tokens: None, may_end: true };

    /// Whether this token may come, if it ends no answer.
    pub fn has(&self, id: u32) -> bool {
        let word = |tokens: &Vec<u32>| tokens.get(id as usize / 32).copied().unwrap_or(0);
        self.tokens.as_ref().is_none_or(|tokens| word(tokens) >> (id % 32) & 1 == 1)
    }
}

/// [`Rules`] as a request has them.
#[derive(Clone)]
pub struct Constraint(Arc<dyn Rules>);

impl Constraint {
    /// Rules that may be shared by many requests.
    pub fn new(rules: Arc<dyn Rules>) -> Self {
        Self(rules)
    }

    pub(crate) fn begin(&self) -> Result<Box<dyn Guide>, Error> {
        self.0.begin()
    }
}

impl PartialEq for Constraint {
    /// Whether both are the same, not only alike.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Constraint")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_lowest_and_what_is_beyond_them_is_not_allowed() {
        let allowed = Allowed { tokens: Some(vec![0b101, 1 << 31]), may_end: false };
        let ids: Vec<u32> = (0..100).filter(|&id| allowed.has(id)).collect();
        assert_eq!(ids, [0, 2, 63]);
        assert!(Allowed::ALL.has(7));
    }
}
