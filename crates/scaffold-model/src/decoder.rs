//! The decoder: token ids in, logits out, for every family.

mod step;

use std::any::Any;
use std::sync::Arc;

use scaffold_formats::TensorSource;
use scaffold_kernels::{Exec, KvShape, KvType, Precision};

use crate::backend::{Backend, CpuBackend};
use crate::{Effort, Kind, ModelError, ModelSpec, PackedStore, Profile, Stage};
use step::{DecoderOn, StepWork};

/// How weights are loaded.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions<'a> {
    /// As they are stored, dequantized to `f32` for exact comparisons (several times the memory),
    /// or floats as 8-bit blocks (a quarter to half of the memory).
    pub precision: Precision,
    /// Where packed weights are kept between runs, if anywhere.
    pub store: Option<&'a dyn PackedStore>,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        Self { precision: Precision::Native, store: None }
    }
}

/// A decoder with its weights, ready to compute steps. Shared by reference; what changes from step
/// to step is in [`KvCache`] and [`Scratch`].
pub struct Decoder {
    inner: Box<dyn AnyDecoder>,
}

/// A run of tokens of one sequence in a step: a prompt, a piece of one, or the one token that was
/// sampled last.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// The tokens.
    pub tokens: &'a [u32],
    /// The position of the first in its sequence.
    pub start: usize,
    /// The sequence's block table: entry `i` is the block of positions `i * block_tokens ..`. It
    /// covers the span's end.
    pub blocks: &'a [u32],
    /// Which of the tokens get a row of logits.
    pub want: Want,
    /// The length that the sequence is planned for: that of its prompt, the same in every step,
    /// until the sequence [outgrows](ModelSpec::outgrows) it. Only ropes whose frequencies depend
    /// on the length read it (see [`ModelSpec::depends_on_length`]), so that a prompt is computed
    /// alike however it is cut; 0 is right for all others.
    pub planned: usize,
}

/// Which tokens of a span get a row of logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// None: a piece of a prompt that is not the last.
    Nothing,
    /// The last.
    Last,
    /// All.
    All,
}

impl Want {
    fn rows(self, tokens: usize) -> usize {
        match self {
            Want::Nothing => 0,
            Want::Last => tokens.min(1),
            Want::All => tokens,
        }
    }
}

/// Keys and values of the tokens that were computed, in blocks that sequences share.
pub struct KvCache {
    inner: Box<dyn Any + Send>,
    shape: KvShape,
    bytes: usize,
}

impl KvCache {
    /// Memory in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Blocks.
    pub fn blocks(&self) -> usize {
        self.shape.blocks
    }

    /// Tokens in a block.
    pub fn block_tokens(&self) -> usize {
        self.shape.block_tokens
    }
}

/// The buffers of a step, made once and used again: a steady decode allocates nothing.
pub struct Scratch {
    inner: Box<dyn Any + Send>,
    max_rows: usize,
}

impl Scratch {
    /// The most rows that a step may have.
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }
}

impl Decoder {
    /// Loads the weights for the CPU, one tensor at a time: peak memory is the final size plus the
    /// largest tensor.
    ///
    /// # Errors
    /// The model is an encoder; a tensor is missing, of another shape than the specification asks
    /// for, or left over.
    pub fn load(
        source: &dyn TensorSource,
        spec: ModelSpec,
        exec: Arc<Exec>,
        options: &LoadOptions<'_>,
    ) -> Result<Self, ModelError> {
        Self::load_on(CpuBackend::new(exec), source, spec, options)
    }

    /// Loads the weights for any backend.
    ///
    /// # Errors
    /// As [`Decoder::load`].
    pub fn load_on<B: Backend>(
        backend: B,
        source: &dyn TensorSource,
        spec: ModelSpec,
        options: &LoadOptions<'_>,
    ) -> Result<Self, ModelError> {
        Ok(Self { inner: Box::new(DecoderOn::load(backend, source, spec, options)?) })
    }

    /// What the model is.
    pub fn spec(&self) -> &ModelSpec {
        self.inner.spec()
    }

    /// Memory of the weights in bytes.
    pub fn weight_bytes(&self) -> usize {
        self.inner.weight_bytes()
    }

    /// What one token takes in all layers: every matrix once, of experts those that a token goes
    /// to. Attention itself, whose work grows with the text, is not in it, nor are the logits.
    pub fn layers_effort(&self) -> Effort {
        self.inner.layers_effort()
    }

    /// What the logits of one token take.
    pub fn head_effort(&self) -> Effort {
        self.inner.head_effort()
    }

    /// A KV cache of `blocks` blocks of `block_tokens` tokens.
    ///
    /// # Errors
    /// A size is zero or too large.
    pub fn new_kv(
        &self,
        blocks: usize,
        block_tokens: usize,
        ty: KvType,
    ) -> Result<KvCache, ModelError> {
        self.inner.new_kv(self.spec().kv_shape(blocks, block_tokens), ty)
    }

    /// Buffers for steps of at most `max_rows` tokens.
    pub fn new_scratch(&self, max_rows: usize) -> Scratch {
        self.inner.new_scratch(max_rows)
    }

    /// Computes a step: every token of every span, its key and value put into the cache. Returns
    /// the logits of the wanted tokens, `[wanted rows, vocab]` in the order of the spans.
    ///
    /// A token's logits do not depend on the other spans of the step, nor on how its sequence was
    /// cut into spans, bit for bit.
    ///
    /// # Errors
    /// A token is not in the vocabulary, a position is out of range, a block does not exist, or the
    /// step is larger than the scratch. Nothing is computed then. A key or a value is too large for
    /// the cache's numbers: what the step put into the cache is then worthless.
    pub fn forward<'s>(
        &self,
        spans: &[Span<'_>],
        kv: &mut KvCache,
        scratch: &'s mut Scratch,
    ) -> Result<&'s [f32], ModelError> {
        self.inner.forward(spans, kv, scratch, Output::Logits, None)
    }

    /// As [`Decoder::forward`], and adds the time of each stage to `profile`.
    ///
    /// # Errors
    /// As [`Decoder::forward`].
    pub fn forward_profiled<'s>(
        &self,
        spans: &[Span<'_>],
        kv: &mut KvCache,
        scratch: &'s mut Scratch,
        profile: &mut Profile,
    ) -> Result<&'s [f32], ModelError> {
        self.inner.forward(spans, kv, scratch, Output::Logits, Some(profile))
    }

    /// As [`Decoder::forward`], but returns the wanted tokens' last hidden states, behind the last
    /// norm, `[wanted rows, hidden]`: what models that embed texts with a decoder pool.
    ///
    /// # Errors
    /// As [`Decoder::forward`].
    pub fn hidden_states<'s>(
        &self,
        spans: &[Span<'_>],
        kv: &mut KvCache,
        scratch: &'s mut Scratch,
    ) -> Result<&'s [f32], ModelError> {
        self.inner.forward(spans, kv, scratch, Output::HiddenStates, None)
    }
}

/// What a step returns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Logits,
    HiddenStates,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("family", &self.spec().family).finish_non_exhaustive()
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
    /// ([`Span::planned`]). Where they do, a cached prefix may serve only a sequence with the same
    /// [`ModelSpec::length_regime`].
    pub fn depends_on_length(&self) -> bool {
        self.ropes.iter().any(crate::RopeSpec::depends_on_length)
    }

    /// Whether a sequence that was planned for `planned` tokens and has come to `length` must be
    /// computed anew from its first token, planned for its new length: LongRoPE turns all keys by
    /// other factors once a text is longer than the original context. (`transformers` does so too.
    /// Dynamic scaling it lets go on with the old keys, and so does this decoder.)
    pub fn outgrows(&self, planned: usize, length: usize) -> bool {
        self.ropes.iter().any(|rope| match rope.scaling {
            crate::RopeScaling::LongRope { original, .. } => {
                planned <= original && length > original
            }
            _ => false,
        })
    }

    /// Sequences planned for lengths of the same regime are rotated alike, so that they can share
    /// cached prefixes.
    pub fn length_regime(&self, planned: usize) -> usize {
        self.ropes.iter().map(|rope| rope.regime(planned)).max().unwrap_or(0)
    }
}

/// [`DecoderOn`] without its backend's type, so that nothing above this crate depends on it.
trait AnyDecoder: Send + Sync {
    fn spec(&self) -> &ModelSpec;
    fn weight_bytes(&self) -> usize;
    fn layers_effort(&self) -> Effort;
    fn head_effort(&self) -> Effort;
    fn new_kv(&self, shape: KvShape, ty: KvType) -> Result<KvCache, ModelError>;
    fn new_scratch(&self, max_rows: usize) -> Scratch;
    fn forward<'s>(
        &self,
        spans: &[Span<'_>],
        kv: &mut KvCache,
        scratch: &'s mut Scratch,
        output: Output,
        profile: Option<&mut Profile>,
    ) -> Result<&'s [f32], ModelError>;
}

impl<B: Backend> AnyDecoder for DecoderOn<B> {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    fn layers_effort(&self) -> Effort {
        DecoderOn::layers_effort(self)
    }

    fn head_effort(&self) -> Effort {
        DecoderOn::head_effort(self)
    }

    fn new_kv(&self, shape: KvShape, ty: KvType) -> Result<KvCache, ModelError> {
        let kv = self.backend.kv(shape, ty)?;
        let bytes = self.backend.kv_bytes(&kv);
        Ok(KvCache { inner: Box::new(kv), shape, bytes })
    }

    fn new_scratch(&self, max_rows: usize) -> Scratch {
        Scratch { inner: Box::new(StepWork::new(self, max_rows)), max_rows }
    }

    fn forward<'s>(
        &self,
        spans: &[Span<'_>],
        kv: &mut KvCache,
        scratch: &'s mut Scratch,
        output: Output,
        profile: Option<&mut Profile>,
    ) -> Result<&'s [f32], ModelError> {
        let shape = self.spec.kv_shape(kv.shape.blocks, kv.shape.block_tokens);
        let fits = shape == kv.shape;
        let (Some(store), true) = (kv.inner.downcast_mut::<B::Kv>(), fits) else {
            return Err(ModelError::Foreign { what: "KV cache" });
        };
        let work = scratch.inner.downcast_mut::<StepWork<B>>().filter(|work| work.fits(self));
        let Some(work) = work else {
            return Err(ModelError::Foreign { what: "scratch" });
        };
        self.check(spans, &shape, scratch.max_rows)?;
        let token_bytes = kv.bytes / (shape.layers * shape.blocks * shape.block_tokens).max(1);
        if let Some(profile) = profile {
            // The step's stages write to the one in its buffers, which is off at other times.
            std::mem::swap(&mut work.work.profile, profile);
            let done = self.step(spans, store, token_bytes, work, output);
            work.work.profile.mark(Stage::Rest);
            std::mem::swap(&mut work.work.profile, profile);
            done?;
        } else {
            self.step(spans, store, token_bytes, work, output)?;
        }
        Ok(self.output(work, output))
    }
}

/// Refuses a specification of the other kind.
pub(crate) fn wrong_kind(spec: &ModelSpec) -> ModelError {
    let (is, wanted, instead) = match spec.kind {
        Kind::Encoder(_) => ("an encoder", "a decoder", "it makes embeddings or scores, not text"),
        Kind::Decoder(_) => {
            ("a decoder", "an encoder", "it makes text; embeddings want an encoder model")
        }
    };
    ModelError::WrongKind { family: spec.family, is, wanted, instead }
}
