//! The decoder: token ids in, logits out, for every family.

mod session;

use std::sync::Arc;

use scaffold_error::{Error, err};
use scaffold_formats::{TensorSource, Watch};
use scaffold_kernels::{Exec, KvShape};

use crate::backend::{Backend, CpuBackend, Linear, Norm, Ops};
use crate::layer::{Layer, Work, check_end, check_rows, check_tokens};
use crate::load::{LoadOptions, Loader, complete, wrong_kind};
use crate::names::Slot;
use crate::packed::PackedStore;
use crate::profile::{Effort, Stage};
use crate::spec::{HeadSpec, Kind, ModelSpec};

pub use session::{Session, SessionSize};

/// A decoder's weights, immutable and shared. What changes from step to step is in a [`Session`].
pub struct Decoder<B: Backend = CpuBackend> {
    backend: B,
    weight_bytes: usize,
    head: HeadSpec,
    /// `[vocab, hidden]`; also the output matrix where `output` is none.
    embed: Linear<B>,
    positions: Option<B::Matrix>,
    layers: Vec<Layer<B>>,
    final_norm: Norm<B>,
    output: Option<Linear<B>>,
    spec: ModelSpec,
    /// The file that packed weights lie in.
    watch: Option<Watch>,
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
    ) -> Result<Self, Error> {
        Self::load_on(CpuBackend::new(exec), source, spec, options)
    }
}

impl<B: Backend> Decoder<B> {
    /// Loads the weights for any backend.
    ///
    /// # Errors
    /// As [`Decoder::load`].
    pub fn load_on(
        backend: B,
        source: &dyn TensorSource,
        mut spec: ModelSpec,
        options: &LoadOptions<'_>,
    ) -> Result<Self, Error> {
        let Kind::Decoder(mut head) = spec.kind.clone() else {
            return Err(wrong_kind(&spec));
        };
        let factors = complete(source, &mut spec)?;
        let loader = Loader::new(source, &spec, &backend, options);
        loader.mark(factors);
        let (vocab, hidden) = (spec.vocab, spec.hidden);
        let (weight, tied) = loader.embedding(vocab, head.tied)?;
        let embed = Linear { weight, bias: None, rows: vocab, cols: hidden, stage: Stage::Head };
        head.tied = Some(tied);
        let output =
            (!tied).then(|| loader.linear(Slot::Head, 0, vocab, hidden, head.bias)).transpose()?;
        let positions =
            spec.embedding.positions.map(|p| loader.table(Slot::Positions, p.rows)).transpose()?;
        let layers = (0..spec.layers.len()).map(|l| loader.layer(l)).collect::<Result<_, _>>()?;
        let final_norm = loader.norm(Slot::FinalNorm, 0)?;
        loader.finish()?;
        let weight_bytes = loader.weight_bytes();
        spec.kind = Kind::Decoder(head.clone());
        let watch = options.store.and_then(PackedStore::watch);
        Ok(Self {
            backend,
            weight_bytes,
            head,
            embed,
            positions,
            layers,
            final_norm,
            output,
            spec,
            watch,
        })
    }

    /// Whether the weights are still all there, where they lie in a file.
    ///
    /// # Errors
    /// The file became shorter, and zeros were computed with in place of what it has lost.
    pub fn check_weights(&self) -> Result<(), Error> {
        self.watch.as_ref().map_or(Ok(()), Watch::check)
    }

    /// What the model is.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Memory of the weights in bytes.
    pub fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    /// What one token takes in all layers: every matrix once, of experts those that a token goes
    /// to. Attention itself, whose work grows with the text, is not in it, nor are the logits.
    pub fn layers_effort(&self) -> Effort {
        self.layers.iter().map(|l| l.effort(&self.backend, &self.spec)).sum()
    }

    /// What the logits of one token take.
    pub fn head_effort(&self) -> Effort {
        self.head_matrix().effort(&self.backend, 1)
    }

    fn head_matrix(&self) -> &Linear<B> {
        self.output.as_ref().unwrap_or(&self.embed)
    }

    /// Checks everything that a caller can get wrong, before anything is written.
    fn check(&self, spans: &[Span<'_>], kv: &KvShape, max_rows: usize) -> Result<(), Error> {
        check_rows(spans.iter().map(|s| s.tokens.len()).sum(), max_rows)?;
        for span in spans {
            check_tokens(span.tokens, self.spec.vocab)?;
            let end = span.start.saturating_add(span.tokens.len());
            let learned = self.spec.embedding.positions.map_or(usize::MAX, |p| p.rows - p.offset);
            for (limit, what) in [
                (span.blocks.len().saturating_mul(kv.block_tokens), "the sequence's blocks"),
                (learned, "the model's learned positions"),
                // Positions are computed in f32, which counts exactly this far.
                (1 << 24, "the positions that can be told apart"),
            ] {
                check_end(end, limit, what)?;
            }
            let used = end.div_ceil(kv.block_tokens);
            if let Some(&block) = span.blocks[..used].iter().find(|b| **b as usize >= kv.blocks) {
                let blocks = kv.blocks;
                return Err(err!(
                    Internal,
                    "block {block} does not exist in a KV cache of {blocks} blocks"
                ));
            }
        }
        Ok(())
    }

    /// Tokens to the residual stream.
    fn embed(&self, ops: &Ops<'_, B>, tokens: &[u32], positions: &[u32], work: &mut Work<B>) {
        ops.embed(&self.embed.weight, tokens, &mut work.x);
        if let Some(scale) = self.spec.embedding.scale {
            ops.scale(&mut work.x, scale, tokens.len() * self.spec.hidden);
        }
        if let Some(table) = &self.positions {
            work.add_rows(ops, table, positions, self.spec.hidden);
        }
    }
}

impl<B: Backend> std::fmt::Debug for Decoder<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("family", &self.spec.family).finish_non_exhaustive()
    }
}
