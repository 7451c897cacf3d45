//! Answers as they arrive.

use scaffold_engine::{Event, EventStream, Finished, TokenLogprob};

use crate::error::Error;

/// An answer as it arrives, piece by piece. Dropping it cancels the rest.
#[derive(Debug)]
pub struct AnswerStream {
    events: EventStream,
    finished: Option<Finished>,
}

impl AnswerStream {
    pub(crate) fn new(events: EventStream) -> Self {
        Self { events, finished: None }
    }

    /// Why and when the answer ended, once it has.
    pub fn finished(&self) -> Option<&Finished> {
        self.finished.as_ref()
    }

    /// The events below the text: ids, log-probabilities, timings.
    pub fn into_events(self) -> EventStream {
        self.events
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// Whatever ends the answer before it is complete.
    pub fn collect_answer(self) -> Result<Answer, Error> {
        let mut answer = Answer::default();
        for event in self.events {
            match event {
                Event::Started(started) => answer.seed = started.seed,
                Event::Text(piece) => {
                    answer.text.push_str(&piece.text);
                    answer.ids.extend(piece.ids);
                    answer.logprobs.extend(piece.logprobs);
                }
                Event::Finished(finished) => answer.finished = Some(finished),
                Event::Failed(error) => return Err(error.into()),
            }
        }
        Ok(answer)
    }
}

impl Iterator for AnswerStream {
    type Item = Result<String, Error>;

    /// The next piece of text. An error is the last item.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.events.recv()? {
                Event::Started(_) => {}
                Event::Text(piece) if piece.text.is_empty() => {}
                Event::Text(piece) => return Some(Ok(piece.text)),
                Event::Finished(finished) => self.finished = Some(finished),
                Event::Failed(error) => return Some(Err(error.into())),
            }
        }
    }
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What the model says, without control tokens.
    pub text: String,
    /// Its tokens, the one that ended it included.
    pub ids: Vec<u32>,
    /// One entry per token, where the request asked for them.
    pub logprobs: Vec<TokenLogprob>,
    /// The seed that repeats this answer.
    pub seed: u64,
    /// Why it ended, and what it took.
    pub finished: Option<Finished>,
}
