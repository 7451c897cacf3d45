//! A grammar at one place of one answer.

use std::fmt;
use std::sync::Arc;

use llguidance::Matcher;
use scaffold_error::{Error, err};
use toktrie::SimpleVob;

/// The tokens that may come next, a bit for each, from the lowest of the first word up.
pub type Tokens = Vec<u32>;

/// How far an answer is, as its grammar sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More must come.
    Incomplete,
    /// It may end here, or go on.
    MayEnd,
    /// It is whole: nothing may follow.
    Complete,
}

/// Says what may come next in one answer.
pub struct Guide {
    matcher: Matcher,
    /// Tokens that may not come first.
    not_first: Option<Arc<SimpleVob>>,
    /// No token goes on with what may end here.
    over: bool,
}

impl fmt::Debug for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guide").finish_non_exhaustive()
    }
}

impl Guide {
    pub(crate) fn new(matcher: Matcher, not_first: Option<Arc<SimpleVob>>) -> Self {
        Self { matcher, not_first, over: false }
    }

    /// The tokens that may come next. Those that end an answer are not among them: whether it may end
    /// is its [progress](Self::progress).
    ///
    /// # Errors
    /// A limit of time or memory is met, or no token of the model can go on.
    pub fn allowed(&mut self) -> Result<Tokens, Error> {
        if self.progress() == Progress::Complete {
            return Ok(Vec::new());
        }
        let may_end = self.progress() == Progress::MayEnd;
        let mut allowed = match self.matcher.compute_mask() {
            Ok(allowed) => allowed,
            // Nothing but the end.
            Err(_) if may_end && self.is_at_dead_end() => {
                self.over = true;
                return Ok(Vec::new());
            }
            Err(_) if self.is_at_dead_end() => return Err(dead_end()),
            Err(error) => return Err(broken(&error.to_string())),
        };
        if let Some(spaced) = &self.not_first {
            allowed.sub(spaced);
            if allowed.is_zero() && !may_end {
                return Err(dead_end());
            }
        }
        Ok(allowed.as_slice().to_vec())
    }

    fn is_at_dead_end(&self) -> bool {
        use llguidance::api::StopReason;
        let words = self.matcher.get_error().unwrap_or_default();
        self.matcher.stop_reason() == StopReason::NoExtensionBias
            || words.contains("NoExtensionBias")
    }

    /// Takes a token that was allowed.
    ///
    /// # Errors
    /// As [`allowed`](Self::allowed).
    pub fn take(&mut self, id: u32) -> Result<(), Error> {
        self.not_first = None;
        self.matcher.consume_token(id).map_err(|error| broken(&error.to_string()))
    }

    /// The tokens that must come next, `most` of them at most; they are taken.
    ///
    /// # Errors
    /// As [`allowed`](Self::allowed).
    pub fn forced(&mut self, most: usize) -> Result<Vec<u32>, Error> {
        if self.progress() != Progress::Incomplete {
            return Ok(Vec::new());
        }
        let mut forced = self.matcher.compute_ff_tokens();
        forced.truncate(most);
        // Bytes that are no text of their own may be cut into other tokens than the grammar follows: those
        // are left to the model, which has no choice either.
        let followed = self.matcher.validate_tokens(&forced).unwrap_or(0);
        forced.truncate(followed);
        self.matcher.consume_tokens(&forced).map_err(|error| broken(&error.to_string()))?;
        Ok(forced)
    }

    /// How far the answer is.
    pub fn progress(&mut self) -> Progress {
        use llguidance::api::StopReason;
        match self.matcher.stop_reason() {
            StopReason::NoExtension | StopReason::EndOfSentence => Progress::Complete,
            _ if self.over => Progress::Complete,
            // What is wrong is told when it is asked next.
            StopReason::NotStopped if self.matcher.is_accepting().unwrap_or(false) => {
                Progress::MayEnd
            }
            _ => Progress::Incomplete,
        }
    }
}

fn dead_end() -> Error {
    err!(
        Unsupported,
        "no token of this model can go on with the answer as its grammar asks for it: the grammar wants characters that the \
         model cannot write here, or no answer at all is right by it"
    )
}

/// An error of the machinery below.
pub(crate) fn broken(words: &str) -> Error {
    // What follows is its inner state.
    let first = words.lines().next().unwrap_or_default();
    let limits = [
        "too complex",
        "limit",
        "fuel",
        "TooComplex",
        "too many",
        "too big",
        "too large",
        "exceeded",
    ];
    if limits.iter().any(|limit| words.contains(limit)) {
        return err!(
            TooLarge,
            "the grammar takes too much time or memory ({first}): make it simpler, with fewer alternatives, shorter \
             repetitions or tighter bounds"
        )
        .of_key("grammar");
    }
    err!(
        Internal,
        "the grammar cannot be followed any further: {first}; report it with the grammar"
    )
}
