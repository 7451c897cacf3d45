//! From chosen tokens to pieces of text: decoding, stop strings, and what is held back.

use std::time::Duration;

use crate::event::Text;
use scaffold_error::Error;
use scaffold_text::StopMatcher;

use crate::forward::TextDecoder;
use crate::sample::Choice;

/// The text of one answer as it grows.
pub(crate) struct Output {
    decoder: Box<dyn TextDecoder>,
    stops: StopMatcher,
    /// Said, but not reported yet.
    piece: Text,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("piece", &self.piece).finish_non_exhaustive()
    }
}

impl Output {
    pub(crate) fn new(decoder: Box<dyn TextDecoder>, stops: Vec<String>) -> Self {
        Self { decoder, stops: StopMatcher::new(stops), piece: Text::default() }
    }

    /// Takes a token whose text belongs to the answer; returns the index of the stop string that it
    /// completes.
    pub(crate) fn push(&mut self, choice: Choice, at: Duration) -> Result<Option<usize>, Error> {
        let id = choice.id;
        self.note(choice, at);
        let text = self.decoder.push(id)?;
        Ok(text.and_then(|text| self.say(&text)))
    }

    /// Takes a token that ends the answer and has no text, chosen `at` this time.
    pub(crate) fn note(&mut self, choice: Choice, at: Duration) {
        self.piece.ids.push(choice.id);
        self.piece.times.push(at);
        self.piece.logprobs.extend(choice.logprob);
    }

    fn say(&mut self, text: &str) -> Option<usize> {
        let outcome = self.stops.push(text);
        self.piece.text.push_str(&outcome.emit);
        outcome.hit
    }

    /// Releases what was held back because more could have come. Returns a stop string that the
    /// last text completes.
    pub(crate) fn finish(&mut self) -> Result<Option<usize>, Error> {
        if let Some(text) = self.decoder.finish()?
            && let Some(hit) = self.say(&text)
        {
            return Ok(Some(hit));
        }
        let held = self.stops.finish().unwrap_or_default();
        self.piece.text.push_str(&held);
        Ok(None)
    }

    /// What is to be reported now: a piece with text, or at the end also one with ids alone.
    pub(crate) fn take(&mut self, at_end: bool) -> Option<Text> {
        let ready = if at_end { !self.piece.is_empty() } else { !self.piece.text.is_empty() };
        ready.then(|| std::mem::take(&mut self.piece))
    }
}
