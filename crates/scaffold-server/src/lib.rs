//! Models over HTTP, for clients of Ollama and of OpenAI: in this process, on this machine.
//!
//! A [`Server`] answers at one address in three ways of speaking: Ollama's (`/api/…`), OpenAI's
//! (`/v1/…`), and that of rerankers (`/rerank`, `/embed`), with a little of its own (`/tokenize`,
//! `/render`, `/health`, `/ready`, `/metrics`, `/stages`, `/names`, `/openapi.json`, `/v1/load`, `/v1/models/events`). Each turns a request once into calls of
//! [`scaffold`], and the answer back; no type of the wire goes further in than its folder.
//!
//! Key types: [`Server`], [`ServerOptions`] (address, keys, limits), [`Keys`] (who may ask),
//! [`Stopper`] (ends it from elsewhere).
//!
//! ```no_run
//! use scaffold::config::Config;
//! use scaffold_server::{Server, ServerOptions};
//!
//! let options = ServerOptions::new().preload(["starter".to_owned()]);
//! let server = Server::bind(Config::of_process()?, options)?;
//! println!("listening on http://{}", server.address());
//! // Until SIGINT or SIGTERM: then answers at hand come to their end.
//! server.run_until_signal()?;
//! # Ok::<(), scaffold::Error>(())
//! ```
//!
//! # What is promised
//! - What is asked and cannot be done is refused with the field's name. What is accepted and has no
//!   meaning here is named in the header `x-scaffold-ignored`. Nothing is dropped silently.
//! - A client that goes away ends the computing of its answer.
//! - Neither prompts nor answers nor keys are logged.
//!
//! This is the only crate with asynchronous code: a stream that waits for its next token takes no
//! thread; calls that compute or read files run on threads of their own.

#![forbid(unsafe_code)]

mod anthropic;
mod body;
mod call;
mod clock;
mod dialect;
mod fault;
mod fields;
mod forms;
mod gate;
mod handle;
mod models;
mod notices;
mod ollama;
mod openai;
mod openapi;
mod options;
mod page;
mod places;
mod plain;
mod query;
mod race;
mod random;
mod reload;
mod rerank;
mod responses;
mod routes;
mod sampling;
mod serve;
mod states;
mod stream;
mod tls;
mod tools;
mod watched;

pub use clock::keep_alive_of;
pub use gate::keys::Keys;
pub use options::{KeptResponses, ServerOptions, TlsFiles};
pub use reload::Reloader;
pub use serve::{Server, Stopper};
