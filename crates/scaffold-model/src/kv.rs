//! What a model's specification says about its cache of keys and values.

use std::fmt;

use scaffold_error::{Error, Remedy, err};
use scaffold_kernels::{KvShape, KvType};

use crate::rope::{RopeScaling, RopeSpec};
use crate::spec::ModelSpec;

/// A key or a value does not fit the numbers of the cache: the cause of the error that says so, by
/// which it is told from errors that a cache of larger numbers would not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheOverflow {
    /// The layer, from 0.
    pub layer: usize,
}

impl fmt::Display for CacheOverflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = self.layer;
        write!(
            f,
            "layer {layer} computes a key or value beyond 65504, the largest number that an f16 cache holds"
        )
    }
}

impl std::error::Error for CacheOverflow {}

impl From<CacheOverflow> for Error {
    fn from(overflow: CacheOverflow) -> Self {
        err!(TooLarge, "{overflow}; the weights are fine, but the cache has to hold larger numbers")
            .remedy(Remedy::Set { key: "SCAFFOLD_KV_TYPE", values: "f32 or q8" })
            .because(overflow)
    }
}

impl ModelSpec {
    /// The size of a KV cache for this model.
    pub fn kv_shape(&self, blocks: usize, block_tokens: usize) -> KvShape {
        KvShape {
            layers: self.layers.len(),
            kv_heads: self.attention.kv_heads,
            k_dim: self.attention.head_dim,
            v_dim: self.attention.head_dim,
            block_tokens,
            blocks,
        }
    }

    /// Memory that one token takes in a cache of this type, in bytes, all layers together.
    pub fn kv_bytes_per_token(&self, ty: KvType) -> usize {
        // The fewest tokens that a block may have.
        let block_tokens = 16;
        self.kv_shape(1, block_tokens).bytes(ty).unwrap_or(usize::MAX) / block_tokens
    }

    /// Whether keys in the cache depend on the length that their sequence was planned for
    /// ([`Span::planned`](crate::Span::planned)). Where they do, a cached prefix may serve only a
    /// sequence with the same [`ModelSpec::length_regime`].
    pub fn depends_on_length(&self) -> bool {
        self.ropes.iter().any(RopeSpec::depends_on_length)
    }

    /// Whether a sequence that was planned for `planned` tokens and has come to `length` must be
    /// computed anew from its first token, planned for its new length: LongRoPE rotates all keys by
    /// other factors once a text is longer than the original context. (`transformers` does so too.
    /// Dynamic scaling it lets go on with the old keys, and so does this decoder.)
    pub fn outgrows(&self, planned: usize, length: usize) -> bool {
        self.ropes.iter().any(|rope| match rope.scaling {
            RopeScaling::LongRope { original, .. } => planned <= original && length > original,
            _ => false,
        })
    }

    /// Sequences planned for lengths of the same regime are rotated alike, so that they can share
    /// cached prefixes.
    pub fn length_regime(&self, planned: usize) -> usize {
        self.ropes.iter().map(|rope| rope.regime(planned)).max().unwrap_or(0)
    }
}
