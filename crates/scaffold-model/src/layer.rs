//! One layer, for the decoder and the encoder alike: attention, feed-forward part or experts, and
//! how they join the residual stream.

use std::mem::swap;

use crate::ModelError;
use crate::backend::{Backend, Linear, Norm, RouteRule, Routing, Scores};
use crate::profile::{Effort, Profile, Stage};
use crate::rope::{RopeStyle, RopeTable};
use crate::spec::{LayerSpec, ModelSpec, Parallel};

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

/// The part of a layer behind the attention.
pub(crate) enum FeedForward<B: Backend> {
    Dense(Mlp<B>),
    Experts { router: Linear<B>, experts: Vec<Mlp<B>>, shared: Option<Shared<B>> },
}

/// A feed-forward block.
pub(crate) struct Mlp<B: Backend> {
    /// `[2 * inner, hidden]`, the gate's rows first, or `[inner, hidden]` without a gate.
    pub(crate) up: Linear<B>,
    /// `[hidden, inner]`.
    pub(crate) down: Linear<B>,
    pub(crate) inner: usize,
}

/// The expert that every token takes.
pub(crate) struct Shared<B: Backend> {
    /// `[1, hidden]`.
    pub(crate) gate: Linear<B>,
    pub(crate) mlp: Mlp<B>,
}

/// The attention that a layer is run with: the decoder's, over the KV cache, or the encoder's.
pub(crate) trait Mixer<B: Backend> {
    /// From `heads.q`, `heads.k` and `heads.v` to `heads.mixed`.
    fn mix(
        &mut self,
        backend: &B,
        layer: usize,
        scores: &Scores,
        heads: &mut Heads<B>,
        profile: &mut Profile,
    );
}

/// Queries, keys, values and what attention makes of them.
pub(crate) struct Heads<B: Backend> {
    /// `[rows, heads * head_dim]`.
    pub(crate) q: B::Buffer,
    /// `[rows, kv_heads * head_dim]`.
    pub(crate) k: B::Buffer,
    /// As `k`.
    pub(crate) v: B::Buffer,
    /// As `q`.
    pub(crate) mixed: B::Buffer,
}

/// A rope's angles for the rows of a step.
struct Angles<B: Backend> {
    table: RopeTable,
    turned: B::Angles,
    pairs: usize,
    style: RopeStyle,
}

impl<B: Backend> Layer<B> {
    /// What one row takes but for the attention itself: of the experts, those that it goes to.
    pub(crate) fn effort(&self, backend: &B, spec: &ModelSpec) -> Effort {
        let attention = self.qkv.effort(backend, 1) + self.attn_out.effort(backend, 1);
        let mlp = |mlp: &Mlp<B>| mlp.up.effort(backend, 1) + mlp.down.effort(backend, 1);
        attention
            + match &self.mlp {
                FeedForward::Dense(dense) => mlp(dense),
                FeedForward::Experts { router, experts, shared } => {
                    let chosen = spec.moe.map_or(0, |moe| moe.top_k);
                    let shared = shared.as_ref().map(|s| s.gate.effort(backend, 1) + mlp(&s.mlp));
                    // Experts are of one shape.
                    experts.iter().take(chosen).map(mlp).sum::<Effort>()
                        + router.effort(backend, 1)
                        + shared.unwrap_or_default()
                }
            }
    }
}

/// Buffers for all layers, made once.
pub(crate) struct Work<B: Backend> {
    /// The residual stream `[rows, hidden]`.
    pub(crate) x: B::Buffer,
    /// Behind a norm `[rows, hidden]`.
    pub(crate) normed: B::Buffer,
    /// What a part adds `[rows, hidden]`.
    y: B::Buffer,
    /// Changes places with `x` or `y` when a norm replaces them `[rows, hidden]`.
    pub(crate) spare: B::Buffer,
    /// `[rows, (heads + 2 * kv_heads) * head_dim]`.
    qkv: B::Buffer,
    heads: Heads<B>,
    /// `[rows, 2 * inner]`.
    up: B::Buffer,
    pub(crate) input: B::Input,
    angles: Vec<Angles<B>>,
    experts: Option<ExpertWork<B>>,
    /// Measures nothing unless it was started.
    pub(crate) profile: Profile,
}

struct ExpertWork<B: Backend> {
    rule: RouteRule,
    /// `[rows, experts]`.
    scores: B::Buffer,
    routing: Routing,
    /// An expert's rows `[rows, hidden]`.
    gathered: B::Buffer,
    /// What it makes of them.
    made: B::Buffer,
    /// `0 ..` rows.
    all_rows: Vec<u32>,
    gates: Vec<f32>,
}

impl<B: Backend> Work<B> {
    /// Buffers for `rows` rows.
    pub(crate) fn new(backend: &B, spec: &ModelSpec, rows: usize) -> Self {
        let a = &spec.attention;
        let (q, kv) = (a.heads * a.head_dim, a.kv_heads * a.head_dim);
        let moe = spec.moe.filter(|_| spec.layers.iter().any(|l| l.moe));
        let dense = spec.layers.iter().any(|l| !l.moe).then_some(spec.mlp.inner);
        let inner = [dense, moe.map(|m| m.inner), moe.and_then(|m| m.shared_inner)]
            .into_iter()
            .flatten()
            .max();
        let inner = inner.unwrap_or(0);
        let buffer = |cols: usize| backend.buffer(rows * cols);
        let experts = moe.map(|m| {
            let rule = RouteRule { experts: m.experts, top_k: m.top_k, normalise: m.normalise };
            ExpertWork {
                rule,
                scores: buffer(m.experts),
                routing: Routing::new(&rule, rows),
                gathered: buffer(spec.hidden),
                made: buffer(spec.hidden),
                all_rows: (0..rows as u32).collect(),
                gates: Vec::with_capacity(rows),
            }
        });
        let angles = spec.ropes.iter().map(|rope| Angles {
            table: RopeTable::new(rope, rows),
            turned: backend.angles(),
            pairs: rope.dims / 2,
            style: rope.style,
        });
        Self {
            x: buffer(spec.hidden),
            normed: buffer(spec.hidden),
            y: buffer(spec.hidden),
            spare: buffer(spec.hidden),
            qkv: buffer(q + 2 * kv),
            heads: Heads { q: buffer(q), k: buffer(kv), v: buffer(kv), mixed: buffer(q) },
            up: buffer(if spec.mlp.gated || moe.is_some() { 2 * inner } else { inner }),
            input: backend.input(),
            angles: angles.collect(),
            experts,
            profile: Profile::default(),
        }
    }

    /// Puts `x` through a norm.
    pub(crate) fn norm_x(&mut self, backend: &B, norm: &Norm<B>, rows: usize) {
        backend.norm(norm, &self.x, rows, &mut self.spare);
        swap(&mut self.x, &mut self.spare);
    }

    /// Adds rows `ids` of a table to `x`.
    pub(crate) fn add_embedding(
        &mut self,
        backend: &B,
        table: &B::Matrix,
        ids: &[u32],
        hidden: usize,
    ) {
        backend.embed(table, ids, &mut self.spare);
        backend.add(&mut self.x, &self.spare, 1.0, ids.len() * hidden);
    }

    /// Computes the angles of a step's rows: runs of `(start, rows, planned)`.
    pub(crate) fn turn(
        &mut self,
        backend: &B,
        spec: &ModelSpec,
        runs: &(impl Iterator<Item = (usize, usize, usize)> + Clone),
    ) {
        for (angles, rope) in self.angles.iter_mut().zip(&spec.ropes) {
            angles.table.clear();
            for (start, rows, planned) in runs.clone() {
                angles.table.extend(rope, start, rows, planned);
            }
            backend.turn(&angles.table.cos, &angles.table.sin, angles.pairs, &mut angles.turned);
        }
    }
}

/// What a layer is run on.
pub(crate) struct Run<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) spec: &'a ModelSpec,
    pub(crate) rows: usize,
}

impl<B: Backend> Run<'_, B> {
    /// Takes `work.x` through layer `index`. With `keep`, only these rows go on behind the
    /// attention, and are what `work.x` holds afterwards: behind the last layer nobody asks for the
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
            self.backend.norm(norm, &work.x, self.rows, &mut work.normed);
            work.profile.mark(Stage::Norm);
        }
        self.mix(index, layer, work, mixer);
        match keep {
            None => self.behind_attention(layer, work),
            Some(rows) => {
                self.keep(rows, work);
                work.profile.mark(Stage::Rest);
                Run { rows: rows.len(), ..*self }.behind_attention(layer, work);
            }
        }
    }

    /// Drops all rows but these.
    fn keep(&self, rows: &[u32], work: &mut Work<B>) {
        let (b, a, hidden) = (self.backend, &self.spec.attention, self.spec.hidden);
        b.gather(&work.x, rows, hidden, &mut work.spare);
        swap(&mut work.x, &mut work.spare);
        b.gather(&work.normed, rows, hidden, &mut work.spare);
        swap(&mut work.normed, &mut work.spare);
        let heads = &mut work.heads;
        b.gather(&heads.mixed, rows, a.heads * a.head_dim, &mut heads.q);
        swap(&mut heads.mixed, &mut heads.q);
    }

    /// From what attention made to the end of the layer.
    fn behind_attention(&self, layer: &Layer<B>, work: &mut Work<B>) {
        let (b, rows) = (self.backend, self.rows);
        b.prepare(&layer.attn_out.weight, &work.heads.mixed, rows, &mut work.input);
        work.profile.mark(Stage::Quantize);
        b.linear(&layer.attn_out, &work.input, rows, &mut work.y);
        let effort = || layer.attn_out.effort(b, rows);
        work.profile.mark_effort(Stage::AttentionOut, effort);
        let parallel = self.spec.residual.parallel;
        // Side by side, the feed-forward part starts from the stream before the attention joins it.
        if parallel == Parallel::OwnNorms
            && let Some(norm) = &layer.mlp_norm
        {
            b.norm(norm, &work.x, rows, &mut work.normed);
            work.profile.mark(Stage::Norm);
        }
        self.join(work, layer.attn_out_norm.as_ref(), layer.attn_sum_norm.as_ref());
        if parallel == Parallel::No
            && let Some(norm) = &layer.mlp_norm
        {
            b.norm(norm, &work.x, rows, &mut work.normed);
            work.profile.mark(Stage::Norm);
        }
        let normed = layer.mlp_norm.is_some() || parallel == Parallel::SharedNorm;
        self.feed_forward(&layer.mlp, normed, work);
        self.join(work, layer.mlp_out_norm.as_ref(), layer.mlp_sum_norm.as_ref());
    }

    /// `x` joined by `y`, with the norms that stand there.
    fn join(&self, work: &mut Work<B>, out_norm: Option<&Norm<B>>, sum_norm: Option<&Norm<B>>) {
        let (b, rows) = (self.backend, self.rows);
        if let Some(norm) = out_norm {
            b.norm(norm, &work.y, rows, &mut work.spare);
            swap(&mut work.y, &mut work.spare);
            work.profile.mark(Stage::Norm);
        }
        b.add(&mut work.x, &work.y, self.spec.residual.scale, rows * self.spec.hidden);
        work.profile.mark(Stage::Residual);
        if let Some(norm) = sum_norm {
            work.norm_x(b, norm, rows);
            work.profile.mark(Stage::Norm);
        }
    }

    /// From the stream to what attention makes of it.
    fn mix(&self, index: usize, layer: &Layer<B>, work: &mut Work<B>, mixer: &mut impl Mixer<B>) {
        let (b, rows, a) = (self.backend, self.rows, &self.spec.attention);
        let LayerSpec { window, rope, .. } = self.spec.layers[index];
        let source = if layer.attn_norm.is_some() { &work.normed } else { &work.x };
        b.prepare(&layer.qkv.weight, source, rows, &mut work.input);
        work.profile.mark(Stage::Quantize);
        b.linear(&layer.qkv, &work.input, rows, &mut work.qkv);
        let effort = || layer.qkv.effort(b, rows);
        work.profile.mark_effort(Stage::Qkv, effort);
        let (q, kv) = (a.heads * a.head_dim, a.kv_heads * a.head_dim);
        let heads = &mut work.heads;
        b.split(&work.qkv, rows, [q, kv, kv], [&mut heads.q, &mut heads.k, &mut heads.v]);
        // What the split has left behind is free to write to.
        for (norm, x, width) in
            [(&layer.q_norm, &mut heads.q, q), (&layer.k_norm, &mut heads.k, kv)]
        {
            if let Some(HeadNorm { norm, factors }) = norm {
                b.norm(norm, x, rows * width / norm.cols, &mut work.qkv);
                b.copy(&work.qkv, rows * width, x);
                if let Some(factors) = factors {
                    b.multiply_rows(factors, x, rows);
                }
            }
        }
        if let Some(limit) = a.clip {
            b.clamp(&mut heads.q, limit, rows * q);
            b.clamp(&mut heads.k, limit, rows * kv);
            b.clamp(&mut heads.v, limit, rows * kv);
        }
        if let Some(angles) = rope.map(|r| &work.angles[r]) {
            let (turned, style) = (&angles.turned, angles.style);
            b.rope(turned, style, &mut heads.q, a.heads, a.head_dim);
            b.rope(turned, style, &mut heads.k, a.kv_heads, a.head_dim);
        }
        work.profile.mark(Stage::Rope);
        let scores = Scores {
            heads: a.heads,
            kv_heads: a.kv_heads,
            head_dim: a.head_dim,
            scale: a.scale,
            softcap: a.softcap,
            window,
        };
        mixer.mix(b, index, &scores, heads, &mut work.profile);
    }

    /// From `normed` (or `x`, where no norm stands before) to `y`.
    fn feed_forward(&self, part: &FeedForward<B>, normed: bool, work: &mut Work<B>) {
        let Work { x, normed: behind, y, up, input, experts, profile, .. } = work;
        let source = if normed { &*behind } else { &*x };
        let mut mlp = Inner { up, input, profile };
        match (part, experts) {
            (FeedForward::Dense(dense), _) => self.mlp(dense, source, self.rows, &mut mlp, y),
            (FeedForward::Experts { router, experts, shared }, Some(work)) => {
                self.experts(router, experts, source, &mut mlp, work, y);
                if let Some(shared) = shared {
                    self.shared(shared, source, &mut mlp, work, y);
                }
            }
            // A spec with expert layers makes room for them.
            (FeedForward::Experts { .. }, None) => {
                unreachable!("expert layers without their buffers")
            }
        }
    }

    fn mlp(
        &self,
        mlp: &Mlp<B>,
        source: &B::Buffer,
        rows: usize,
        w: &mut Inner<'_, B>,
        out: &mut B::Buffer,
    ) {
        let b = self.backend;
        let act = self.spec.mlp.activation;
        b.prepare(&mlp.up.weight, source, rows, w.input);
        w.profile.mark(Stage::Quantize);
        b.linear(&mlp.up, w.input, rows, w.up);
        let effort = || mlp.up.effort(b, rows);
        w.profile.mark_effort(Stage::FeedForwardUp, effort);
        if mlp.up.rows == 2 * mlp.inner {
            b.prepare_gated(&mlp.down.weight, act, w.up, rows, w.input);
            w.profile.mark(Stage::Activation);
        } else {
            b.activate(act, w.up, rows * mlp.inner);
            w.profile.mark(Stage::Activation);
            b.prepare(&mlp.down.weight, w.up, rows, w.input);
            w.profile.mark(Stage::Quantize);
        }
        b.linear(&mlp.down, w.input, rows, out);
        let effort = || mlp.down.effort(b, rows);
        w.profile.mark_effort(Stage::FeedForwardDown, effort);
    }

    /// Each expert computes the rows that chose it; a row adds up its experts in ascending order,
    /// whatever its neighbours chose.
    fn experts(
        &self,
        router: &Linear<B>,
        experts: &[Mlp<B>],
        source: &B::Buffer,
        w: &mut Inner<'_, B>,
        e: &mut ExpertWork<B>,
        out: &mut B::Buffer,
    ) {
        let (b, rows, hidden) = (self.backend, self.rows, self.spec.hidden);
        b.prepare(&router.weight, source, rows, w.input);
        b.linear(router, w.input, rows, &mut e.scores);
        b.route(&e.scores, rows, &e.rule, &mut e.routing);
        b.zero(out, rows * hidden);
        for (index, expert) in experts.iter().enumerate() {
            let (ids, weights) = e.routing.of(index);
            if ids.is_empty() {
                continue;
            }
            b.gather(source, ids, hidden, &mut e.gathered);
            w.profile.mark(Stage::Route);
            self.mlp(expert, &e.gathered, ids.len(), w, &mut e.made);
            b.scatter_add(&e.made, ids, weights, hidden, out);
            w.profile.mark(Stage::Route);
        }
    }

    fn shared(
        &self,
        shared: &Shared<B>,
        source: &B::Buffer,
        w: &mut Inner<'_, B>,
        e: &mut ExpertWork<B>,
        out: &mut B::Buffer,
    ) {
        let (b, rows, hidden) = (self.backend, self.rows, self.spec.hidden);
        b.prepare(&shared.gate.weight, source, rows, w.input);
        b.linear(&shared.gate, w.input, rows, &mut e.scores);
        b.gates(&mut e.scores, rows, &mut e.gates);
        w.profile.mark(Stage::Route);
        self.mlp(&shared.mlp, source, rows, w, &mut e.made);
        b.scatter_add(&e.made, &e.all_rows[..rows], &e.gates, hidden, out);
        w.profile.mark(Stage::Route);
    }
}

/// The buffers of a feed-forward block.
struct Inner<'a, B: Backend> {
    up: &'a mut B::Buffer,
    input: &'a mut B::Input,
    profile: &'a mut Profile,
}

/// Rows that fit a scratch.
pub(crate) fn check_rows(rows: usize, max: usize) -> Result<(), ModelError> {
    if rows > max { Err(ModelError::TooManyRows { rows, max }) } else { Ok(()) }
}
