//! What every crate that touches files agrees on.
//!
//! - [`Pending`], [`write()`](fn@write), [`write_secret`], [`publish`]: files that appear whole or
//!   not at all.
//! - [`SplitName`]: the names of the parts of a split GGUF file.
//! - [`has_tokenizer`], [`is_tokenizer_file`]: which files make a tokenizer.
//!
//! It lies below the formats, which know bytes and no cache, and the hub, which knows a cache and
//! no kernels: neither may know the other. It depends on the standard library alone.

#![forbid(unsafe_code)]

mod pending;
mod split;
mod tokenizers;

pub use pending::{
    Pending, UNFINISHED, beside, is_unfinished_of, publish, unique_mark, write, write_secret,
    write_unsynced,
};
pub use split::SplitName;
pub use tokenizers::{
    MERGES_TXT, TOKENIZER_FILES, TOKENIZER_JSON, TOKENIZER_MODEL, TOKENIZERS_IN_WORDS, VOCAB_JSON,
    VOCAB_TXT, directory_has_tokenizer, has_tokenizer, is_tekken, is_tiktoken, is_tokenizer_file,
    sentence_piece_version,
};
