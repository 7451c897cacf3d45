//! A sequence's guide, and what it was found to allow next.

use std::fmt;

use scaffold_error::{Error, err};

use crate::constraint::{Allowed, Guide, Progress};
use crate::contain::contained;

/// Tokens that are taken over at most after a chosen one: they are rows of one step.
const FORCED: usize = 32;

/// What a constrained sequence keeps.
pub(crate) struct Guided {
    /// `None` while another thread has it, and after it has failed.
    guide: Option<Box<dyn Guide>>,
    allowed: Option<Result<Allowed, Error>>,
    /// Whether tokens that must follow may be taken without logits of their own.
    leaps: bool,
    progress: Progress,
}

impl Guided {
    /// `leaps`: nothing is asked of the logits of tokens that must follow.
    pub(crate) fn new(mut guide: Box<dyn Guide>, leaps: bool) -> Self {
        let progress = guide.standing();
        Self { guide: Some(guide), allowed: None, leaps, progress }
    }

    /// Hands the guide out, to ask it what it allows, unless that is known.
    pub(crate) fn lend(&mut self) -> Option<Box<dyn Guide>> {
        if self.allowed.is_some() { None } else { self.guide.take() }
    }

    /// Takes the guide back, with what it said.
    pub(crate) fn give_back(&mut self, asked: Asked) {
        self.guide = asked.guide;
        self.allowed = Some(asked.allowed);
    }

    /// What may come next. It holds until the next token is [taken](Self::take).
    pub(crate) fn allowed(&self) -> Result<&Allowed, Error> {
        match &self.allowed {
            Some(Ok(allowed)) => Ok(allowed),
            Some(Err(error)) => Err(error.clone()),
            None => Err(lost()),
        }
    }

    /// Takes the token that was chosen; the tokens that must follow it are returned, and taken, too:
    /// `room` at most, as the answer has room for no more.
    pub(crate) fn take(&mut self, id: u32, room: usize) -> Result<Vec<u32>, Error> {
        self.allowed = None;
        let mut guide = self.guide.take().ok_or_else(lost)?;
        let most = if self.leaps { room.min(FORCED) } else { 0 };
        let (guide, forced, progress) = contained(move || {
            guide.take(id)?;
            let forced = if most > 0 { guide.forced(most)? } else { Vec::new() };
            let progress = guide.standing();
            Ok::<_, Error>((guide, forced, progress))
        })
        .unwrap_or_else(|detail| Err(broken(&detail)))?;
        (self.guide, self.progress) = (Some(guide), progress);
        Ok(forced)
    }

    /// Where the answer stands, after the last token that was taken and all that it forced.
    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }
}

impl fmt::Debug for Guided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guided").field("progress", &self.progress).finish_non_exhaustive()
    }
}

/// A guide that was asked, and its answer.
pub(crate) struct Asked {
    /// `None` if it has broken: its state may be anything then.
    guide: Option<Box<dyn Guide>>,
    allowed: Result<Allowed, Error>,
}

/// Asks a guide what it allows; a panic of it is an error of its own sequence.
pub(crate) fn ask(mut guide: Box<dyn Guide>) -> Asked {
    let asked = contained(move || {
        let allowed = guide.allowed();
        (guide, allowed)
    });
    match asked {
        Ok((guide, allowed)) => Asked { guide: Some(guide), allowed },
        Err(detail) => Asked { guide: None, allowed: Err(broken(&detail)) },
    }
}

fn broken(detail: &str) -> Error {
    err!(
        Internal,
        "the constraint of the answer broke off: {detail}; this is a fault of the program, and nothing else is harmed by it. \
         Report it with the constraint"
    )
}

fn lost() -> Error {
    broken("its guide is lost")
}
