//! Run Hugging Face models inside your own process.
//!
//! This crate is what a program imports: it joins the crates below it (files, text, model, engine)
//! and reads the configuration. It has no HTTP server and prints nothing.
//!
//! Key types: [`LlmManager`] (a model that answers), [`GenerateOptions`] (how), [`Answer`],
//! [`Embedder`] (texts to vectors), [`CrossEncoder`] (rankings), [`Config`](config::Config) (every
//! setting with the place that set it) and [`Error`].
//!
//! ```no_run
//! use scaffold::{LlmManager, Message};
//!
//! let model = LlmManager::from_pretrained("starter")?;
//! println!("{}", model.generate("What is sustainability?")?);
//! println!("{}", model.chat(&[Message::system("Answer in French."), Message::user("Good morning!")])?);
//! # Ok::<(), scaffold::Error>(())
//! ```
//!
//! The configuration is that of the process, or one that the program makes:
//!
//! ```
//! use scaffold::config::{Config, Inputs};
//!
//! let environment = |_: &str| None;
//! let config = Config::load(Inputs { variable: &environment, project: None, file: None, flags: vec![] })?;
//! assert_eq!(config.model.value, "mistralai/Mistral-7B-Instruct-v0.2");
//! # Ok::<(), scaffold::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod about;
pub mod aliases;
mod batch;
pub mod builder;
pub mod config;
pub mod doctor;
pub mod embed;
mod error;
mod exec;
#[doc(hidden)]
pub mod fuzzing;
mod llm;
pub mod locate;
pub mod logits;
pub mod machine;
pub mod made;
pub mod memory;
pub mod model;
mod options;
pub mod packed;
pub mod prefixes;
pub mod profile;
pub mod prompts;
pub mod quantize;
pub mod registry;
pub mod report;
pub mod rerank;
mod roof;
pub mod selftest;
mod slot;
mod trace;

pub use batch::{Cancel, EncoderMetrics};
pub use builder::Builder;
pub use embed::Embedder;
pub use error::Error;
pub use llm::{
    Answer, AnswerStream, Arrived, Candidate, GenerateOptions, KeptPrefix, LlmManager, Logprob,
    ModelInfo, PartStream, Piece, Reply, Score, ToolChoice,
};
pub use model::Model;
pub use options::{LoadOptions, MemoryLimit};
pub use registry::Registry;
pub use rerank::CrossEncoder;
pub use scaffold_engine as engine;
pub use scaffold_error::{Kind, Notice, Remedy, Topic};
pub use scaffold_files as files;
pub use scaffold_grammar::{self as grammar, Grammar};
pub use scaffold_hub as hub;
pub use scaffold_text::{self as text, Call, Message, Part, RenderOptions};

/// The examples of the pages, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embeddings.md")]
#[doc = include_str!("../../../docs/library.md")]
#[doc = include_str!("../../../docs/structured-output.md")]
struct Pages;
