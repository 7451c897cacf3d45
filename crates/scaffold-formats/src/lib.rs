//! Model files as typed tensors and metadata: safetensors, GGUF and `config.json`, from untrusted
//! bytes.
//!
//! This crate knows bytes. It finds out what a file holds, checks that the file is what it claims
//! to be, and hands out slices of it. It does not know what a tensor is for (that is
//! `scaffold-model`), does not convert values (`scaffold-kernels`), and does not fetch anything
//! (`scaffold-hub`).
//!
//! The key types:
//! - [`Gguf`]: a GGUF file, whole or split, with its [`Metadata`].
//! - [`Safetensors`]: a `.safetensors` file, or shards under an index.
//! - [`TensorSource`]: what both are to a loader, [`Tensor`]s by name.
//! - [`ConfigJson`] and [`GenerationConfig`]: the JSON beside the weights, with errors that name
//!   file, line and key.
//! - [`packed::PackedFile`]: weights that were packed by an earlier run, kept on disk.
//! - [`kept::KeptFile`]: what a model computed of a prefix of prompts, kept on disk.
//! - [`mod@write`]: the way back, [`write::GgufWriter`] and [`write::SafetensorsWriter`].
//!
//! ```
//! use scaffold_formats::{BlockType, Gguf, write::GgufWriter};
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("tiny.gguf");
//! let mut writer = GgufWriter::new();
//! writer.set("general.architecture", "llama").set("llama.block_count", 2_u32);
//! writer.add_f32("token_embd.weight", BlockType::F32, &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])?;
//! writer.write(&path)?;
//!
//! let model = Gguf::open(&path)?;
//! assert_eq!(model.metadata().architecture()?, "llama");
//! assert_eq!(model.metadata().require_usize("llama.block_count")?, 2);
//! let embedding = model.tensor("token_embd.weight")?.expect("it was just written");
//! assert_eq!((embedding.ty, embedding.shape), (BlockType::F32, [2, 3].as_slice()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Hostile files
//! Files come from strangers. Every length is compared with the bytes that are left before anything
//! is allocated or read, all arithmetic on them is checked, names and texts are checked to be
//! UTF-8, and tensors may neither overlap nor reach outside their file; a shard's name may not
//! leave its directory. Whatever the bytes, the outcome is a value or an [`Error`], never a
//! panic; fuzz targets and their corpora check that.
//!
//! # Mapped files
//! Weights are mapped, not read: opening a model takes milliseconds, and its pages are shared
//! between processes and dropped under memory pressure. The price is that a file must not change
//! while it is open. Model files are not changed in place by anything that should touch them (a
//! cache replaces a file by renaming a new one over it, which leaves the mapping of the old one
//! whole, and so does this crate's own writer). If something does so all the same:
//! - a file that is **overwritten** in place gives wrong numbers, never a read outside of it;
//! - a file that is **truncated** in place would make a Unix system end the process when a lost page
//!   is read (`SIGBUS`). Such pages are replaced by zeros, and whoever loads or computes asks
//!   ([`TensorSource::check`], [`Watch`]) and fails with the file's name. Windows keeps a mapped file
//!   as long as it is mapped. Loading copies the weights into packed form, so the time at risk is
//!   that of loading, but for packed weights that stay mapped.
//!
//! The sizes are taken from the open file, not from a path, so there is no moment in which another
//! file could be slipped in between check and use.

#![deny(unsafe_code)]

#[doc(hidden)]
pub mod fuzzing;
mod gguf;
mod json;
pub mod kept;
#[expect(unsafe_code, reason = "mapping a file is unsafe")]
mod map;
pub mod packed;
mod quoted;
mod safetensors;
mod tensor;
pub mod write;

pub use gguf::{Gguf, Metadata, MetadataArray, Value, ValueType};
pub use json::{ConfigJson, ConfigObject, GenerationConfig, generation, read_python_json};
pub use map::Watch;
pub use safetensors::Safetensors;
pub use scaffold_error::{Error, Kind};
pub use scaffold_kernels::BlockType;
pub use tensor::{Tensor, TensorInfo, TensorSource};
