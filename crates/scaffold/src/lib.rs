//! Run Hugging Face models inside your own process.
//!
//! This crate is what a program imports: it joins the crates below it (files, text, model, engine) and reads the
//! configuration. It has no HTTP server and prints nothing.
//!
//! Key types: [`config::Config`] (every setting with the place that set it), [`aliases::Alias`] (short names for
//! models), [`Weights`] (a model's files, opened) and [`Error`].
//!
//! ```
//! use scaffold::config::{Config, Inputs};
//!
//! let environment = |_: &str| None;
//! let config = Config::load(Inputs { variable: &environment, project: None, file: None, flags: vec![] })?;
//! assert_eq!(config.model.value, "mistralai/Mistral-7B-Instruct-v0.2");
//! # Ok::<(), scaffold::config::ConfigError>(())
//! ```

pub mod aliases;
pub mod config;
pub mod embed;
mod error;
mod locate;
mod logits;
pub mod machine;
mod nearest;
pub mod rerank;
pub mod selftest;
mod weights;

pub use error::Error;
pub use locate::locate;
pub use logits::logits;
pub use scaffold_hub as hub;
pub use weights::Weights;
