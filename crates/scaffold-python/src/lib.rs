//! The native half of the Python package `scaffold-llm`: the library's types as Python classes, and
//! nothing that a model is computed with.
//!
//! What programs import are the Python files beside it (`python/scaffold_llm`), which give this its
//! names, types and defaults. Structures cross the border as JSON, numbers of embeddings as arrays of
//! NumPy without a copy.
//!
//! Key types:
//! - `Model` (`llm.rs`), `Embedder` (`encoder.rs`), `CrossEncoder` (`ranker.rs`) and `Registry`: handles of
//!   the library's types, see `handle.rs`.
//! - `Stream`: an answer as it arrives, for a thread that waits, which Ctrl-C interrupts, and for a task
//!   of asyncio, whose loop is told by a `Bell`.
//! - `raised` (`errors.rs`): the library's errors as the package's exceptions.
//!
//! Promises, each with a test:
//! - nothing waits or computes while it holds Python's lock, and no thread that computes ever takes it;
//! - a process that was forked from one with models is refused, not hung.

#![forbid(unsafe_code)]

mod answer;
mod arriving;
mod asked;
mod bell;
mod command;
mod encoder;
mod errors;
mod handle;
mod llm;
mod loading;
mod logs;
mod metrics;
mod process;
mod progress;
mod ranker;
mod registry;
mod remedy;
mod settings;
mod stream;
mod waiting;

use pyo3::pymodule;

#[pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use crate::command::run_command;
    #[pymodule_export]
    use crate::encoder::{Embedder, load_embedder};
    #[pymodule_export]
    use crate::llm::{Model, load_model};
    #[pymodule_export]
    use crate::ranker::{CrossEncoder, load_cross_encoder};
    #[pymodule_export]
    use crate::registry::{Registry, open_registry};
    #[pymodule_export]
    use crate::settings::{settings, version};
    #[pymodule_export]
    use crate::stream::Stream;
}
