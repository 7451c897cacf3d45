//! Requests, sequences, KV blocks, the scheduler and the sampler.
//!
//! One operating system thread owns a model. Doors hand it requests and read events from a stream;
//! in between, each step goes `submit → plan → forward → look → commit → emit`, one function each
//! (see `step.rs`). Prompt chunks and the next tokens of running answers share every step.
//!
//! What this crate is not: it knows neither wire formats nor chat templates (a prompt is token
//! ids), opens no files, reads no environment and is not async.
//!
//! Key types:
//! - [`Engine`]: the handle; [`Engine::submit`] takes a [`Request`] and returns an [`EventStream`].
//! - [`Request`] with [`Sampling`] (the meaning of `transformers`' generation config) and [`Stop`].
//! - [`Event`]: `Started`, `Scored` where that was asked for, `Text`, then `Finished` or `Failed`.
//! - [`EngineConfig`] and [`MemoryPlan`]: context, KV cache and memory, planned and refused before
//!   anything is computed.
//! - [`LanguageModel`] with its [`Forward`] sessions, and [`Vocabulary`]: what the engine needs of a
//!   model and a tokenizer.
//! - [`Constraint`], with [`Rules`] and a [`Guide`]: what an answer has to keep to.
//!
//! Promises, each with a test:
//! - An answer does not depend on what else is computed: same tokens alone, in a batch, and after
//!   being put back (given that the model's rows do not depend on each other, which [`Forward`]
//!   asks for).
//! - A seed repeats an answer, because random numbers are a function of (seed, sequence, position).
//! - A prompt that does not fit is an error with both numbers; nothing is ever cut.
//! - A panic on the engine's thread is an error of the requests at hand; the engine goes on with
//!   new memory for them, or ends and says so ([`Engine::health`]).
//! - A reader that is gone cancels its request, wherever it is; a reader that is slow delays
//!   nobody.
//!
//! ```
//! use std::sync::Arc;
//! use scaffold_engine::{
//!     ControlText, Engine, EngineConfig, Error, Event, Forward, KvType, LanguageModel, Request,
//!     SessionSize, Span, Stop, TextDecoder, Vocabulary, Want,
//! };
//!
//! /// A model that counts: after token n comes n + 1.
//! struct Counter;
//!
//! impl LanguageModel for Counter {
//!     fn vocab(&self) -> usize { 10 }
//!     fn context(&self) -> usize { 128 }
//!     fn weight_bytes(&self) -> usize { 0 }
//!     fn scratch_bytes(&self, _rows: usize, _logits: usize) -> usize { 0 }
//!     fn block_bytes(&self, tokens: usize, _kv: KvType) -> Option<usize> { Some(tokens) }
//!     fn session(self: Arc<Self>, _: SessionSize) -> Result<Box<dyn Forward>, Error> {
//!         Ok(Box::new(Logits(Vec::new())))
//!     }
//! }
//!
//! struct Logits(Vec<f32>);
//!
//! impl Forward for Logits {
//!     fn forward(&mut self, spans: &[Span<'_>]) -> Result<&[f32], Error> {
//!         self.0.clear();
//!         for span in spans.iter().filter(|span| span.want == Want::Last) {
//!             let next = (span.tokens[span.tokens.len() - 1] + 1) % 10;
//!             self.0.extend((0..10).map(|id| if id == next { 1.0 } else { 0.0 }));
//!         }
//!         Ok(&self.0)
//!     }
//! }
//!
//! struct Digits;
//!
//! impl Vocabulary for Digits {
//!     fn size(&self) -> usize { 10 }
//!     fn decoder(&self, _: &ControlText) -> Box<dyn TextDecoder> { Box::new(Digits) }
//! }
//!
//! impl TextDecoder for Digits {
//!     fn push(&mut self, id: u32) -> Result<Option<String>, Error> {
//!         Ok(Some(id.to_string()))
//!     }
//!     fn finish(&mut self) -> Result<Option<String>, Error> { Ok(None) }
//! }
//!
//! let engine = Engine::start_with(Arc::new(Counter), Arc::new(Digits), EngineConfig::default())?;
//! let stop = Stop { strings: vec!["78".into()], ..Stop::default() };
//! let mut answer = String::new();
//! for event in engine.submit(Request { stop, ..Request::new(vec![1, 2, 3]) })? {
//!     match event {
//!         Event::Text(piece) => answer.push_str(&piece.text),
//!         Event::Failed(error) => return Err(error),
//!         Event::Started(_) | Event::Scored(_) | Event::Finished(_) => {}
//!     }
//! }
//! assert_eq!(answer, "456");
//! # Ok::<(), Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod blocks;
mod channel;
mod config;
mod constraint;
mod contain;
mod decoder;
mod engine;
mod event;
#[cfg(test)]
mod fake;
mod forward;
mod guided;
mod health;
mod join;
mod masks;
mod memory;
mod metrics;
mod output;
mod pace;
mod prefix;
mod queue;
mod request;
pub mod sample;
mod schedule;
mod sender;
mod sequence;
mod step;
mod thread;

pub use channel::{Canceller, EventStream};
pub use config::{EngineConfig, Limits};
pub use constraint::{Allowed, Constraint, Guide, Progress, Rules};
pub use decoder::scratch_bytes;
pub use engine::{Engine, Load};
pub use event::{Event, FinishReason, Finished, Started, Text, Timings, Usage};
pub use forward::{Forward, LanguageModel, TextDecoder, Vocabulary};
pub use health::{Condition, Health, stopped};
pub use memory::{DoesNotFit, Footprint, MemoryPlan, Suggestion, bytes_text, plan_memory};
pub use metrics::{BlockMetrics, Histogram, Metrics};
pub use prefix::{Cached, PromptPrefix};
pub use queue::{Overloaded, Queue, Ticket};
pub use request::{ControlText, Priority, Request, Scores, Standing, Stop};
pub use sample::{Choice, Parameter, Sampling, TokenLogprob, parameter};
pub use scaffold_error::{Error, Kind};
pub use scaffold_model::{CacheOverflow, KvType, SessionSize, Span, Want};
