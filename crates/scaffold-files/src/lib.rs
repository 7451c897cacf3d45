//! What every crate that touches files agrees on.
//!
//! - [`Pending`], [`write()`](fn@write), [`write_secret`], [`publish`]: files that appear whole or
//!   not at all.
//! - [`SplitName`]: the names of the parts of a split GGUF file.
//!
//! It lies below the formats, which know bytes and no cache, and the hub, which knows a cache and
//! no kernels: neither may know the other. It depends on the standard library alone.

#![forbid(unsafe_code)]

mod pending;
mod split;

pub use pending::{
    Pending, UNFINISHED, beside, is_unfinished_of, publish, unique_mark, write, write_secret,
    write_unsynced,
};
pub use split::SplitName;
