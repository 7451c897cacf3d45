//! Embeddings, as `sentence-transformers` computes them.
//!
//! A repository says how (`modules.json` and the files that it names; [`Repository`] reads them),
//! an [`Embedder`] does it: texts become tokens, the encoder's hidden states are pooled, and the
//! modules after that are applied. Texts are computed in batches of similar length, packed without
//! padding; an embedding does not depend on its batch, bit for bit.

pub mod repository;

mod activation;
mod embedder;
mod embeddings;
#[cfg(test)]
pub(crate) mod golden;
mod hidden;
pub(crate) mod input;
pub(crate) mod load;
mod npy;
mod pool;
mod similarity;
mod stage;

pub use activation::Activation;
pub use embedder::{EmbedOptions, Embedder};
pub use embeddings::{Cut, Embeddings, Ranked};
pub(crate) use embeddings::{cuts, ranked};
pub use hidden::hidden_states;
pub use npy::NpyWriter;
pub use repository::{Pooling, PoolingMode, Prompt, Prompts, Repository};
pub use similarity::{Similarity, norm, normalize};
