//! Attention: softmax of scaled dot products, applied to values.
//!
//! The arithmetic for one query, which neither the level, nor the chunking of a prompt, nor the
//! other rows of a batch, nor the number of threads changes: keys are taken in chunks of
//! [`CHUNK`] positions and within them in blocks of [`BLOCK`], both counted from position 0. A
//! chunk is an online softmax over its blocks (Milakov and Gimelshein, 2018), and the chunks'
//! results are merged in order. Dot products go over a head's values in order, sums over keys in
//! order, each step rounded once.

mod bidirectional;
mod causal;
mod core;
mod short;

pub use bidirectional::{BidirectionalParams, DistanceBias, attend_bidirectional};
pub use causal::{AttendParams, attend};

/// Keys of one step of the online softmax.
const BLOCK: usize = 64;
/// Keys whose result is computed on its own and then merged.
const CHUNK: usize = 256;

#[cfg(test)]
mod tests;
