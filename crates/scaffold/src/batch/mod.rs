//! Texts of several calls, computed together.
//!
//! Calls of one encoder come from any threads. One of those threads computes for all of them, within
//! the encoder's turns, until its own texts are done; then another goes on with what is left: no
//! thread is there while nothing is to be done. Which texts share a batch is a rule of its own
//! (`pick.rs`); a text's result does not depend on it, bit for bit.

mod call;
mod cancel;
mod error;
mod lead;
mod metrics;
mod pick;
pub(crate) mod sessions;
#[cfg(test)]
mod tests;
mod tried;

pub(crate) use call::How;
pub use cancel::Cancel;
pub(crate) use lead::{Batcher, Computed, Finished, Head};
pub use metrics::EncoderMetrics;
pub(crate) use tried::Tried;
