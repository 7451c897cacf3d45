//! From a checkpoint of the Hub, or from a GGUF file, to a GGUF file with weights of other types.
//!
//! [`of_checkpoint`] gives the tensors of a `transformers` checkpoint the names, the order of rows and
//! the metadata that llama.cpp's converter gives them (`convert_hf_to_gguf.py`; a test compares every
//! byte), so that whatever reads GGUF reads them. [`of_gguf`] takes a GGUF file as it is. Both leave it
//! to the caller which type each matrix gets, and return a [`GgufWriter`] that makes one tensor after
//! the other when it is written: no more than one is in memory. The vocabulary is added by whoever
//! knows tokenizers.
//!
//! - [`of_checkpoint`], [`of_gguf`]: the tensors and metadata of the new file
//! - [`Chosen`]: what a matrix is to be stored as
//! - [`file_type`]: the number that says what a file's weights are as a whole
//!
//! ```
//! use scaffold_convert::{Chosen, of_gguf};
//! use scaffold_formats::{BlockType, Gguf, write::GgufWriter};
//! use scaffold_kernels::Exec;
//!
//! let mut source = GgufWriter::new();
//! source.set("general.architecture", "llama");
//! source.add_f32("blk.0.ffn_up.weight", BlockType::F16, &[2, 256], &[0.5; 512])?;
//! let source = Gguf::from_bytes("source.gguf", source.to_bytes()?)?;
//!
//! let exec = Exec::new(1);
//! let smaller = of_gguf(&exec, &source, &|_: &Chosen<'_>| BlockType::Q4_K)?;
//! let smaller = Gguf::from_bytes("smaller.gguf", smaller.to_bytes()?)?;
//! assert_eq!(smaller.tensor("blk.0.ffn_up.weight")?.unwrap().ty, BlockType::Q4_K);
//! # Ok::<(), scaffold_error::Error>(())
//! ```

#![forbid(unsafe_code)]

mod arrange;
mod checkpoint;
mod config;
mod family;
mod metadata;
mod names;
mod retyped;
mod types;

pub use checkpoint::{check, of_checkpoint};
pub use retyped::of_gguf;
pub use scaffold_error::Error;
pub use scaffold_formats::write::GgufWriter;
pub use types::{Choice, Chosen, file_type, file_type_name};
