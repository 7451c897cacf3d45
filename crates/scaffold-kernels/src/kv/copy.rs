//! Blocks out of a store and into another one.

use std::ops::Range;

use super::{KvStore, head_range};

impl KvStore {
    /// What the bytes of a block mean; raised when that changes.
    pub const LAYOUT: u32 = 1;

    /// Bytes of one block, keys and values of all layers.
    pub fn block_bytes(&self) -> usize {
        self.shape.layers * self.shape.kv_heads * self.layout.head_lines * 64
    }

    /// Puts the contents of a block behind `out`: [`block_bytes`](Self::block_bytes) bytes, which mean
    /// the same to every store of equal heads, dimensions, block length and type, on machines of one
    /// byte order.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn copy_out(&self, block: u32, out: &mut Vec<u8>) {
        assert!((block as usize) < self.shape.blocks, "block {block} of {}", self.shape.blocks);
        out.reserve(self.block_bytes());
        for layer in 0..self.shape.layers {
            out.extend_from_slice(bytemuck::cast_slice(&self.data[self.layer_range(layer, block)]));
        }
    }

    /// Makes a block what [`copy_out`](Self::copy_out) has written.
    ///
    /// # Panics
    /// If there is no such block, or `bytes` are more or fewer than a block has.
    pub fn copy_in(&mut self, block: u32, bytes: &[u8]) {
        assert!((block as usize) < self.shape.blocks, "block {block} of {}", self.shape.blocks);
        assert_eq!(bytes.len(), self.block_bytes(), "bytes of a block");
        for (layer, from) in bytes.chunks_exact(bytes.len() / self.shape.layers).enumerate() {
            let range = self.layer_range(layer, block);
            bytemuck::cast_slice_mut(&mut self.data[range]).copy_from_slice(from);
        }
    }

    /// All heads of a block in one layer.
    fn layer_range(&self, layer: usize, block: u32) -> Range<usize> {
        let (shape, layout) = (&self.shape, &self.layout);
        let first = head_range(shape, layout, layer, block, 0);
        first.start..head_range(shape, layout, layer, block, shape.kv_heads - 1).end
    }
}

#[cfg(test)]
mod tests {
    use crate::{AttendSpan, Exec, KvShape, KvStore, KvType};

    fn shape(blocks: usize) -> KvShape {
        KvShape { layers: 3, kv_heads: 2, k_dim: 8, v_dim: 24, block_tokens: 16, blocks }
    }

    #[test]
    fn a_block_is_the_same_wherever_it_lies() {
        let exec = Exec::new(1);
        for ty in KvType::ALL {
            let (mut from, mut to) =
                (KvStore::new(shape(4), ty).unwrap(), KvStore::new(shape(7), ty).unwrap());
            let values =
                |count: usize| (0..count).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
            let (k, v) = (values(40 * 2 * 8), values(40 * 2 * 24));
            for layer in 0..3 {
                let span = |blocks| [AttendSpan { blocks, start: 0, rows: 40 }];
                from.write(&exec, layer, &k, &v, &span(&[2, 0, 3]));
            }
            let mut blocks = Vec::new();
            for block in [2, 0, 3] {
                let start = blocks.len();
                from.copy_out(block, &mut blocks);
                assert_eq!(blocks.len() - start, from.block_bytes());
            }
            for (block, bytes) in [6, 1, 5].into_iter().zip(blocks.chunks(from.block_bytes())) {
                to.copy_in(block, bytes);
            }
            let mut again = Vec::new();
            for block in [6, 1, 5] {
                to.copy_out(block, &mut again);
            }
            assert_eq!(again, blocks, "{ty:?}");
            assert!(blocks.iter().any(|&byte| byte != 0));
            let mut untouched = Vec::new();
            to.copy_out(0, &mut untouched);
            assert!(untouched.iter().all(|&byte| byte == 0));
        }
    }
}
