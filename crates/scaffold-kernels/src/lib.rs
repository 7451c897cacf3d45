//! The arithmetic of Scaffold: quantized block formats, packed matrices, attention, norms, and the
//! team of threads that they run on.
//!
//! This crate knows nothing of models, files or prompts. It takes slices of numbers and computes,
//! on the best instruction set that the CPU has, and always the same bits: results do not depend
//! on the instruction set, the number of threads, or what else is in a batch.
//!
//! Key types: [`BlockType`] (how stored values are encoded), [`Exec`] (an instruction set and a
//! [`Team`] of threads), [`Matrix`] (a packed weight), [`Activations`] (the input of matmuls) and
//! [`KvStore`] (the cache that [`attend`] reads).
//!
//! ```
//! use scaffold_kernels::*;
//!
//! let exec = Exec::new(2);
//! // A weight of 3 rows and 64 columns, stored as 4-bit blocks.
//! let values: Vec<f32> = (0..3 * 64).map(|i| (i % 13) as f32 - 6.0).collect();
//! let bytes = quantize(BlockType::Q4_1, &values)?;
//! let source = MatrixSource::new(BlockType::Q4_1, 3, 64, &bytes);
//! let weight = Matrix::pack(&exec, &[source])?;
//!
//! // Two rows of activations.
//! let mut x = Activations::new();
//! x.load(&exec, &[0.5; 2 * 64], 64, weight.needs());
//! let mut out = [0.0; 2 * 3];
//! matmul(&exec, &weight, &x, &mut out);
//!
//! let exact: f32 = values[..64].iter().map(|v| v * 0.5).sum();
//! assert!((out[0] - exact).abs() < 3.0);
//! assert_eq!(out[..3], out[3..]); // equal rows, equal bits
//! # Ok::<(), Error>(())
//! ```
#![allow(clippy::inline_always)] // Wide instructions reach a kernel only by inlining; see `simd`.
#![allow(clippy::excessive_precision)] // Coefficients are written as their sources print them.
#![allow(clippy::needless_range_loop)] // Register tiles are indexed arrays that the compiler unrolls.

#[macro_use]
mod widths;

mod activation;
mod activations;
mod attend;
mod block_type;
mod blocks;
mod cpu;
mod exec;
mod head;
mod kv;
mod level;
mod line;
mod mapped;
mod math;
mod matmul;
mod matrix;
mod norm;
mod owned;
pub mod roof;
mod rope;
mod scratch;
mod shared;
mod simd;
mod spans;
mod team;
mod turns;

pub use activation::{Activation, activate, add, add_bias, add_scaled, multiply, scale, softcap};
pub use activations::Activations;
pub use attend::{AttendParams, BidirectionalParams, DistanceBias, attend, attend_bidirectional};
pub use block_type::BlockType;
pub use blocks::{convert, dequantize, quantize, quantize_searched};
pub use cpu::Cpu;
pub use exec::Exec;
pub use head::{add_pairs, argmax, split_columns};
pub use kv::{KvShape, KvStore, KvType};
pub use level::Level;
pub use mapped::Mapped;
pub use matmul::matmul;
pub use matrix::{Matrix, MatrixSource, Needs, PackedBytes};
pub use norm::{NormWeight, layer_norm, rms_norm};
pub use rope::{RopeAngles, RopeStyle, rope};
pub use scaffold_error::{Error, Kind};
pub use spans::{AttendSpan, SpanMemory};
pub use team::Team;
pub use turns::Turn;
