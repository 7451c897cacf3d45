#![allow(missing_docs, unused, clippy::pedantic)]
#[allow(unreachable_pub)]
pub use scaffold_kernels::*;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvType {
    F32,
    F16,
    Q8,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvShape {
    pub layers: usize,
    pub kv_heads: usize,
    pub k_dim: usize,
    pub v_dim: usize,
    pub block_tokens: usize,
    pub blocks: usize,
}
#[derive(Clone, Copy, Debug)]
pub struct AttendSpan<'a> {
    pub blocks: &'a [u32],
    pub start: usize,
    pub rows: usize,
}
#[derive(Clone, Copy, Debug)]
pub struct MatrixSource<'a> {
    pub ty: BlockType,
    pub rows: usize,
    pub cols: usize,
    pub bytes: &'a [u8],
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Native,
    F32,
}
#[derive(Debug)]
pub struct Exec;
impl Exec {
    pub fn new(_: usize) -> Self {
        Exec
    }
}
