//! Tiny models, a fake Hub that misbehaves, and tolerances, for tests.
//!
//! Nothing here is part of the product. Helpers panic where a test should fail, with a message that
//! says why.
//!
//! The key types:
//! - [`golden::TinyGolden`]: a tiny model with the numbers that `transformers` computed from it.
//!   [`write_gguf`](golden::TinyGolden::write_gguf) makes it a GGUF file,
//!   [`old_style`](golden::TinyGolden::old_style) gives it the configuration that models on the Hub
//!   mostly have.
//! - [`corpus`]: the seeds of the fuzz targets, replayed and changed.
//! - [`skip`]: what happens to a test that lacks a model or a tool.
//! - [`tokenizer`]: a vocabulary for the tiny models.
//! - [`tolerance`]: how far numbers may be from a golden.
//!
//! ```
//! use scaffold_testing::{golden, tolerance::{MaxAbs, Tolerance}};
//!
//! let llama = golden::tiny("llama");
//! // A test would compute these with the model in `llama.dir`.
//! let computed = llama.logits().values.clone();
//! MaxAbs(1e-4).check("llama logits", &computed, llama.logits());
//! ```

#![forbid(unsafe_code)]

pub mod corpus;
pub mod gguf;
pub mod golden;
pub mod hub;
pub mod old_config;
pub mod proxy;
pub mod skip;
pub mod tokenizer;
pub mod tolerance;
