//! Answers as they arrive.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use scaffold_engine::{Canceller, Event, EventStream, Text, TokenLogprob};
use scaffold_text::Tokenizer;

use super::answer::{Answer, Logprob};
use crate::error::Error;
use crate::trace;

/// An answer as it arrives, piece by piece. Dropping it cancels the rest.
///
/// As an iterator it gives the pieces of text; an error is the last item.
pub struct AnswerStream {
    events: EventStream,
    tokenizer: Arc<Tokenizer>,
    /// The model's name.
    model: Arc<str>,
    answer: Answer,
}

/// A piece of an answer. It may have tokens whose text comes later, and text without new tokens.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Piece {
    /// New text, never half a character.
    pub text: String,
    /// New tokens, the one that ends the answer included.
    pub ids: Vec<u32>,
    /// When each of them was chosen, from when the request left the queue.
    pub times: Vec<Duration>,
    /// One entry per token, where they were asked for.
    pub logprobs: Vec<Logprob>,
    /// Of the next tokens of the prompt, where they were asked for.
    pub prompt_logprobs: Vec<Logprob>,
}

fn logprobs(found: &[TokenLogprob], tokenizer: &Tokenizer) -> Vec<Logprob> {
    found.iter().map(|one| Logprob::of(one, tokenizer)).collect()
}

impl AnswerStream {
    pub(crate) fn new(events: EventStream, tokenizer: Arc<Tokenizer>, model: Arc<str>) -> Self {
        Self { events, tokenizer, model, answer: Answer::begin() }
    }

    /// Waits for the next piece; `None` after the last one.
    pub fn recv(&mut self) -> Option<Result<Piece, Error>> {
        loop {
            let event = self.events.recv()?;
            if let Some(piece) = self.take(event) {
                return Some(piece);
            }
        }
    }

    /// Waits for the next piece, but no longer than `timeout`; `None` when it did not come, or
    /// after the last one ([`is_ended`](Self::is_ended) tells the two apart).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Option<Result<Piece, Error>> {
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

    /// The next piece, for a task that is woken when it is there: `None` after the last one. No
    /// thread waits meanwhile.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Piece, Error>>> {
        loop {
            let Some(event) = std::task::ready!(self.events.poll_recv(context)) else {
                return Poll::Ready(None);
            };
            if let Some(piece) = self.take(event) {
                return Poll::Ready(Some(piece));
            }
        }
    }

    /// Whether nothing comes any more.
    pub fn is_ended(&self) -> bool {
        self.events.is_ended()
    }

    /// Tokens of the prompt that are read until now: of `answer().usage.prompt_tokens`, once that is
    /// known.
    pub fn prompt_read(&self) -> usize {
        self.events.prompt_read()
    }

    /// A handle that cancels the answer from elsewhere, such as another thread. The stream then
    /// ends after what has arrived.
    pub fn canceller(&self) -> Canceller {
        self.events.canceller()
    }

    /// What has come until now.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// What has come until now, without the rest.
    pub fn into_answer(self) -> Answer {
        self.answer
    }

    /// Waits for the whole answer, or for as much as comes before it is cancelled.
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
    fn take(&mut self, event: Event) -> Option<Result<Piece, Error>> {
        let answer = &mut self.answer;
        match event {
            Event::Started(started) => {
                answer.seed = started.seed;
                answer.usage.prompt_tokens = started.prompt_tokens;
                answer.usage.cached_tokens = started.cached_tokens;
            }
            Event::Scored(scores) => {
                let prompt_logprobs = logprobs(&scores, &self.tokenizer);
                answer.prompt_logprobs.extend_from_slice(&prompt_logprobs);
                return Some(Ok(Piece { prompt_logprobs, ..Piece::default() }));
            }
            Event::Text(text) => {
                let logprobs = logprobs(&text.logprobs, &self.tokenizer);
                answer.text.push_str(&text.text);
                answer.ids.extend_from_slice(&text.ids);
                answer.times.extend_from_slice(&text.times);
                answer.logprobs.extend_from_slice(&logprobs);
                answer.usage.completion_tokens = answer.ids.len();
                let Text { text, ids, times, .. } = text;
                return Some(Ok(Piece { text, ids, times, logprobs, ..Piece::default() }));
            }
            Event::Finished(finished) => {
                answer.finish = finished.reason;
                answer.usage = finished.usage;
                answer.timings = finished.timings;
                answer.widened = finished.widened;
                answer.incomplete = finished.incomplete;
                trace::answered(&self.model, answer);
            }
            Event::Failed(error) => {
                trace::failed(&self.model, &error);
                return Some(Err(error.of_model(&*self.model)));
            }
        }
        None
    }
}

impl fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream").field("answer", &self.answer).finish_non_exhaustive()
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

/// The pieces, for a program that waits for many streams at once.
#[cfg(feature = "futures")]
impl futures_core::Stream for AnswerStream {
    type Item = Result<Piece, Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        self.poll_recv(context)
    }
}
