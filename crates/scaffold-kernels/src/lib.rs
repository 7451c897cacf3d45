//! Quantized block formats, packed matrices, attention and the worker team: the arithmetic of Scaffold.

mod block_type;
mod blocks;
mod error;
mod level;

pub use block_type::BlockType;
pub use blocks::{dequantize, quantize};
pub use error::KernelError;
pub use level::Level;
