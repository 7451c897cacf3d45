//! Answers as they arrive.

use std::time::{Duration, Instant};

use scaffold_engine::{Event, EventStream, Finished, Started, Text, TokenLogprob};

use crate::error::Error;

/// An answer as it arrives, piece by piece. Dropping it cancels the rest.
///
/// As an iterator it gives the pieces of text; an error is the last item.
#[derive(Debug)]
pub struct AnswerStream {
    events: EventStream,
    answer: Answer,
}

impl AnswerStream {
    pub(crate) fn new(events: EventStream) -> Self {
        Self { events, answer: Answer::default() }
    }

    /// Waits for the next piece; `None` after the last one.
    ///
    /// A piece may have tokens whose text comes later, and text without new tokens.
    pub fn recv(&mut self) -> Option<Result<Text, Error>> {
        loop {
            let event = self.events.recv()?;
            if let Some(piece) = self.take(event) {
                return Some(piece);
            }
        }
    }

    /// Waits for the next piece, but no longer than `timeout`; `None` when it did not come, or
    /// after the last one ([`is_ended`](Self::is_ended) tells the two apart).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Option<Result<Text, Error>> {
        // A timeout past the end of time is none.
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let left = deadline.map_or(Duration::MAX, |end| end.duration_since(Instant::now()));
            let event = self.events.recv_timeout(left)?;
            if let Some(piece) = self.take(event) {
                return Some(piece);
            }
        }
    }

    /// Whether nothing comes any more.
    pub fn is_ended(&self) -> bool {
        self.events.is_ended()
    }

    /// What has come until now.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// What has come until now, without the rest.
    pub fn into_answer(self) -> Answer {
        self.answer
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// Whatever ends the answer before it is complete.
    pub fn collect_answer(mut self) -> Result<Answer, Error> {
        while let Some(piece) = self.recv() {
            piece?;
        }
        Ok(self.answer)
    }

    /// Adds an event to the answer. The pieces are what a reader waits for.
    fn take(&mut self, event: Event) -> Option<Result<Text, Error>> {
        match event {
            Event::Started(started) => self.answer.started = Some(started),
            Event::Text(piece) => {
                self.answer.text.push_str(&piece.text);
                self.answer.ids.extend_from_slice(&piece.ids);
                self.answer.logprobs.extend_from_slice(&piece.logprobs);
                return Some(Ok(piece));
            }
            Event::Finished(finished) => self.answer.finished = Some(finished),
            Event::Failed(error) => return Some(Err(error.into())),
        }
        None
    }
}

impl Iterator for AnswerStream {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.recv()? {
                Ok(piece) if piece.text.is_empty() => {}
                piece => return Some(piece.map(|piece| piece.text)),
            }
        }
    }
}

/// An answer, complete once it has `finished`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What the model says, without control tokens.
    pub text: String,
    /// Its tokens, the one that ended it included.
    pub ids: Vec<u32>,
    /// One entry per token, where the request asked for them.
    pub logprobs: Vec<TokenLogprob>,
    /// What was known before its first token, the seed that repeats it among it.
    pub started: Option<Started>,
    /// Why it ended, and what it took.
    pub finished: Option<Finished>,
}
