//! One layer, for the decoder and the encoder alike: attention, feed-forward part or experts, and
//! how they join the residual stream.

mod feed_forward;
mod work;

use std::mem::swap;

use scaffold_error::{Error, err};

use crate::backend::{Backend, Linear, Norm, Ops, Scores};
use crate::profile::Effort;
use crate::spec::{LayerSpec, ModelSpec, Parallel};

pub(crate) use feed_forward::{FeedForward, Mlp, Shared};
pub(crate) use work::{Heads, Work};

/// A layer's weights.
pub(crate) struct Layer<B: Backend> {
    pub(crate) attn_norm: Option<Norm<B>>,
    /// Queries, keys and values, stacked `[(heads + 2 * kv_heads) * head_dim, hidden]`.
    pub(crate) qkv: Linear<B>,
    pub(crate) q_norm: Option<HeadNorm<B>>,
    pub(crate) k_norm: Option<HeadNorm<B>>,
    pub(crate) attn_out: Linear<B>,
    pub(crate) attn_out_norm: Option<Norm<B>>,
    pub(crate) attn_sum_norm: Option<Norm<B>>,
    pub(crate) mlp_norm: Option<Norm<B>>,
    pub(crate) mlp: FeedForward<B>,
    pub(crate) mlp_out_norm: Option<Norm<B>>,
    pub(crate) mlp_sum_norm: Option<Norm<B>>,
}

/// A norm on queries or keys.
pub(crate) struct HeadNorm<B: Backend> {
    pub(crate) norm: Norm<B>,
    /// Weights of its own for each head, `[heads * head_dim]`.
    pub(crate) factors: Option<B::Vector>,
}

/// The attention that a layer is run with: the decoder's, over the KV cache, or the encoder's.
pub(crate) trait Mixer<B: Backend> {
    /// From `heads.q`, `heads.k` and `heads.v` to `heads.mixed`.
    fn mix(&mut self, ops: &Ops<'_, B>, layer: usize, scores: &Scores, heads: &mut Heads<B>);
}

impl<B: Backend> Layer<B> {
    /// What one row takes but for the attention itself: of the experts, those that it goes to.
    pub(crate) fn effort(&self, backend: &B, spec: &ModelSpec) -> Effort {
        self.qkv.effort(backend, 1)
            + self.attn_out.effort(backend, 1)
            + self.mlp.effort(backend, spec)
    }
}

/// What a layer is run on.
pub(crate) struct Run<'a, 'o, B: Backend> {
    pub(crate) ops: &'a Ops<'o, B>,
    pub(crate) spec: &'a ModelSpec,
    pub(crate) rows: usize,
}

impl<B: Backend> Run<'_, '_, B> {
    /// Takes `work.x` through layer `index`. With `keep`, only these rows go on after the
    /// attention, and are what `work.x` holds at the end: after the last layer nobody asks for the
    /// others.
    pub(crate) fn layer(
        &self,
        index: usize,
        layer: &Layer<B>,
        work: &mut Work<B>,
        mixer: &mut impl Mixer<B>,
        keep: Option<&[u32]>,
    ) {
        if let Some(norm) = &layer.attn_norm {
            self.ops.norm(norm, &work.x, self.rows, &mut work.normed);
        }
        self.heads(index, layer, work);
        mixer.mix(self.ops, index, &self.scores(index), &mut work.heads);
        match keep {
            None => self.after_attention(layer, work),
            Some(kept) => {
                self.keep(kept, work);
                Run { rows: kept.len(), ..*self }.after_attention(layer, work);
            }
        }
    }

    /// From what attention made to the end of the layer.
    fn after_attention(&self, layer: &Layer<B>, work: &mut Work<B>) {
        let parallel = self.spec.residual.parallel;
        let (mixed, input) = (&work.heads.mixed, &mut work.input);
        self.ops.linear(&layer.attn_out, mixed, self.rows, input, &mut work.y);
        // Side by side, the feed-forward part starts from the stream before the attention joins it.
        if parallel == Parallel::OwnNorms {
            self.mlp_norm(layer, work);
        }
        self.join(work, layer.attn_out_norm.as_ref(), layer.attn_sum_norm.as_ref());
        if parallel == Parallel::No {
            self.mlp_norm(layer, work);
        }
        let normed = layer.mlp_norm.is_some() || parallel == Parallel::SharedNorm;
        self.feed_forward(layer, normed, work);
        self.join(work, layer.mlp_out_norm.as_ref(), layer.mlp_sum_norm.as_ref());
    }

    fn mlp_norm(&self, layer: &Layer<B>, work: &mut Work<B>) {
        if let Some(norm) = &layer.mlp_norm {
            self.ops.norm(norm, &work.x, self.rows, &mut work.normed);
        }
    }

    /// `x` joined by `y`, with the norms that stand there.
    fn join(&self, work: &mut Work<B>, out_norm: Option<&Norm<B>>, sum_norm: Option<&Norm<B>>) {
        if let Some(norm) = out_norm {
            self.ops.norm(norm, &work.y, self.rows, &mut work.spare);
            swap(&mut work.y, &mut work.spare);
        }
        let (scale, len) = (self.spec.residual.scale, self.rows * self.spec.hidden);
        self.ops.add(&mut work.x, &work.y, scale, len);
        if let Some(norm) = sum_norm {
            work.norm_x(self.ops, norm, self.rows);
        }
    }

    /// From the stream to queries, keys and values.
    fn heads(&self, index: usize, layer: &Layer<B>, work: &mut Work<B>) {
        let (ops, rows, a) = (self.ops, self.rows, &self.spec.attention);
        let source = if layer.attn_norm.is_some() { &work.normed } else { &work.x };
        ops.linear(&layer.qkv, source, rows, &mut work.input, &mut work.qkv);
        let (q, kv) = (a.heads * a.head_dim, a.kv_heads * a.head_dim);
        let heads = &mut work.heads;
        ops.split(&work.qkv, rows, [q, kv, kv], [&mut heads.q, &mut heads.k, &mut heads.v]);
        // `qkv` is free to write to from here on.
        for (norm, x, width) in
            [(&layer.q_norm, &mut heads.q, q), (&layer.k_norm, &mut heads.k, kv)]
        {
            if let Some(HeadNorm { norm, factors }) = norm {
                ops.head_norm(norm, factors.as_ref(), [rows, width], x, &mut work.qkv);
            }
        }
        if let Some(limit) = a.clip {
            ops.clamp(&mut heads.q, limit, rows * q);
            ops.clamp(&mut heads.k, limit, rows * kv);
            ops.clamp(&mut heads.v, limit, rows * kv);
        }
        if let Some(rope) = self.spec.layers[index].rope {
            let angles = &work.angles[rope];
            ops.rope(&angles.values, angles.style, &mut heads.q, a.heads, a.head_dim);
            ops.rope(&angles.values, angles.style, &mut heads.k, a.kv_heads, a.head_dim);
        }
    }

    /// How layer `index` makes attention scores.
    fn scores(&self, index: usize) -> Scores {
        let (a, LayerSpec { window, .. }) = (&self.spec.attention, self.spec.layers[index]);
        Scores {
            heads: a.heads,
            kv_heads: a.kv_heads,
            head_dim: a.head_dim,
            scale: a.scale,
            softcap: a.softcap,
            window,
        }
    }

    /// Drops all rows but these.
    fn keep(&self, kept: &[u32], work: &mut Work<B>) {
        let (a, hidden) = (&self.spec.attention, self.spec.hidden);
        self.ops.keep(kept, hidden, &mut work.x, &mut work.spare);
        self.ops.keep(kept, hidden, &mut work.normed, &mut work.spare);
        let heads = &mut work.heads;
        self.ops.keep(kept, a.heads * a.head_dim, &mut heads.mixed, &mut heads.q);
    }
}

/// Rows that fit the buffers.
pub(crate) fn check_rows(rows: usize, max: usize) -> Result<(), Error> {
    if rows <= max {
        return Ok(());
    }
    Err(err!(
        TooLarge,
        "the step has {rows} rows, its scratch was made for {max}; make a larger one or split the step"
    ))
}

/// A token that is in the embedding.
pub(crate) fn check_tokens(tokens: &[u32], vocab: usize) -> Result<(), Error> {
    match tokens.iter().find(|id| **id as usize >= vocab) {
        Some(id) => Err(err!(
            Damaged,
            "the token id {id} is not below the model's vocabulary of {vocab}; the tokenizer belongs to another model"
        )),
        None => Ok(()),
    }
}

/// A sequence up to `end`, with what it must not be longer than.
pub(crate) fn check_end(end: usize, limit: usize, what: &str) -> Result<(), Error> {
    if end <= limit {
        return Ok(());
    }
    let position = end - 1;
    Err(err!(TooLarge, "position {position} is beyond {what} ({limit}); shorten the sequence"))
}
