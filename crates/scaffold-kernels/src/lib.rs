//! Quantized block formats, packed matrices, attention and the worker team: the arithmetic of Scaffold.

mod block_type;

pub use block_type::BlockType;
