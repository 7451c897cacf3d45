//! The buffers that all layers of a step share, made once.

use std::mem::swap;

use crate::backend::{Backend, Norm, Ops, RouteRule, Routing};
use crate::rope::{RopeStyle, RopeTable};
use crate::spec::ModelSpec;

/// Buffers for all layers.
pub(crate) struct Work<B: Backend> {
    /// The residual stream `[rows, hidden]`.
    pub(crate) x: B::Buffer,
    /// After a norm `[rows, hidden]`.
    pub(crate) normed: B::Buffer,
    /// What a part adds `[rows, hidden]`.
    pub(super) y: B::Buffer,
    /// Changes places with `x` or `y` when a norm replaces them `[rows, hidden]`.
    pub(crate) spare: B::Buffer,
    /// `[rows, (heads + 2 * kv_heads) * head_dim]`.
    pub(super) qkv: B::Buffer,
    pub(super) heads: Heads<B>,
    /// `[rows, 2 * inner]`.
    pub(super) up: B::Buffer,
    pub(crate) input: B::Input,
    pub(super) angles: Vec<Angles<B>>,
    pub(super) experts: Option<ExpertWork<B>>,
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
pub(super) struct Angles<B: Backend> {
    table: RopeTable,
    pub(super) values: B::Angles,
    pairs: usize,
    pub(super) style: RopeStyle,
}

/// What the choice of experts needs.
pub(super) struct ExpertWork<B: Backend> {
    pub(super) rule: RouteRule,
    /// `[rows, experts]`.
    pub(super) scores: B::Buffer,
    pub(super) routing: Routing,
    /// An expert's rows `[rows, hidden]`.
    pub(super) gathered: B::Buffer,
    /// What it makes of them.
    pub(super) made: B::Buffer,
    /// `0 ..` rows.
    pub(super) all_rows: Vec<u32>,
    pub(super) gates: Vec<f32>,
}

impl<B: Backend> Work<B> {
    /// Buffers for `rows` rows.
    pub(crate) fn new(backend: &B, spec: &ModelSpec, rows: usize) -> Self {
        let a = &spec.attention;
        let (q, kv) = (a.heads * a.head_dim, a.kv_heads * a.head_dim);
        let buffer = |cols: usize| backend.buffer(rows * cols);
        let angles = spec.ropes.iter().map(|rope| Angles {
            table: RopeTable::new(rope, rows),
            values: backend.angles(),
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
            up: buffer(widest_up(spec)),
            input: backend.input(),
            angles: angles.collect(),
            experts: ExpertWork::new(backend, spec, rows),
        }
    }

    /// Puts `x` through a norm.
    pub(crate) fn norm_x(&mut self, ops: &Ops<'_, B>, norm: &Norm<B>, rows: usize) {
        ops.norm(norm, &self.x, rows, &mut self.spare);
        swap(&mut self.x, &mut self.spare);
    }

    /// Adds rows `ids` of a table to `x`.
    pub(crate) fn add_rows(
        &mut self,
        ops: &Ops<'_, B>,
        table: &B::Matrix,
        ids: &[u32],
        cols: usize,
    ) {
        ops.add_rows(table, ids, cols, &mut self.x, &mut self.spare);
    }

    /// Computes the angles of a step's rows: runs of `(start, rows, planned)`.
    pub(crate) fn set_angles(
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
            let (cos, sin) = (&angles.table.cos, &angles.table.sin);
            backend.set_angles(cos, sin, angles.pairs, &mut angles.values);
        }
    }
}

impl<B: Backend> ExpertWork<B> {
    /// None for a model without expert layers.
    fn new(backend: &B, spec: &ModelSpec, rows: usize) -> Option<Self> {
        let moe = spec.moe.filter(|_| spec.layers.iter().any(|l| l.moe))?;
        let rule = RouteRule { experts: moe.experts, top_k: moe.top_k, normalise: moe.normalise };
        Some(Self {
            rule,
            scores: backend.buffer(rows * moe.experts),
            routing: Routing::new(&rule, rows),
            gathered: backend.buffer(rows * spec.hidden),
            made: backend.buffer(rows * spec.hidden),
            all_rows: (0..rows as u32).collect(),
            gates: Vec::with_capacity(rows),
        })
    }
}

/// The most outputs that the first matrix of a feed-forward part has.
fn widest_up(spec: &ModelSpec) -> usize {
    let moe = spec.moe.filter(|_| spec.layers.iter().any(|l| l.moe));
    let dense = spec.layers.iter().any(|l| !l.moe).then_some(spec.mlp.inner);
    let widths = [dense, moe.map(|m| m.inner), moe.and_then(|m| m.shared_inner)];
    let inner = widths.into_iter().flatten().max().unwrap_or(0);
    if spec.mlp.gated || moe.is_some() { 2 * inner } else { inner }
}
