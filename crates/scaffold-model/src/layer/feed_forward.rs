//! The feed-forward part of a layer: one block, or experts that each row chooses from.

use super::work::{ExpertWork, Work};
use super::{Layer, Run};
use crate::backend::{Backend, Linear};
use crate::profile::Effort;
use crate::spec::ModelSpec;

/// The part of a layer after the attention.
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

/// The buffers of a feed-forward block.
struct Inner<'a, B: Backend> {
    up: &'a mut B::Buffer,
    input: &'a mut B::Input,
}

impl<B: Backend> FeedForward<B> {
    /// What one row takes: of the experts, those that it goes to.
    pub(super) fn effort(&self, backend: &B, spec: &ModelSpec) -> Effort {
        let mlp = |mlp: &Mlp<B>| mlp.up.effort(backend, 1) + mlp.down.effort(backend, 1);
        match self {
            Self::Dense(dense) => mlp(dense),
            Self::Experts { router, experts, shared } => {
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

impl<B: Backend> Run<'_, '_, B> {
    /// From `normed` (or `x`, where no norm stands before) to `y`.
    pub(super) fn feed_forward(&self, layer: &Layer<B>, normed: bool, work: &mut Work<B>) {
        let Work { x, normed: after, y, up, input, experts, .. } = work;
        let source = if normed { &*after } else { &*x };
        let mut inner = Inner { up, input };
        match (&layer.mlp, experts) {
            (FeedForward::Dense(dense), _) => self.mlp(dense, source, self.rows, &mut inner, y),
            (FeedForward::Experts { router, experts, shared }, Some(work)) => {
                self.choose(router, source, &mut inner, work);
                self.experts(experts, source, &mut inner, work, y);
                if let Some(shared) = shared {
                    self.shared(shared, source, &mut inner, work, y);
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
        Inner { up, input }: &mut Inner<'_, B>,
        out: &mut B::Buffer,
    ) {
        let (ops, act) = (self.ops, self.spec.mlp.activation);
        ops.linear(&mlp.up, source, rows, input, up);
        if mlp.up.rows == 2 * mlp.inner {
            ops.gated_linear(&mlp.down, act, up, rows, input, out);
        } else {
            ops.activate(act, up, rows * mlp.inner);
            ops.linear(&mlp.down, up, rows, input, out);
        }
    }

    /// Which experts each row goes to.
    fn choose(
        &self,
        router: &Linear<B>,
        source: &B::Buffer,
        inner: &mut Inner<'_, B>,
        e: &mut ExpertWork<B>,
    ) {
        self.ops.linear(router, source, self.rows, inner.input, &mut e.scores);
        self.ops.route(&e.scores, self.rows, &e.rule, &mut e.routing);
    }

    /// Each expert computes the rows that chose it; a row adds up its experts in ascending order,
    /// whatever its neighbours chose.
    fn experts(
        &self,
        experts: &[Mlp<B>],
        source: &B::Buffer,
        inner: &mut Inner<'_, B>,
        e: &mut ExpertWork<B>,
        out: &mut B::Buffer,
    ) {
        let (ops, hidden) = (self.ops, self.spec.hidden);
        ops.zero(out, self.rows * hidden);
        for (index, expert) in experts.iter().enumerate() {
            let (ids, weights) = e.routing.of(index);
            if ids.is_empty() {
                continue;
            }
            ops.gather(source, ids, hidden, &mut e.gathered);
            self.mlp(expert, &e.gathered, ids.len(), inner, &mut e.made);
            ops.scatter_add(&e.made, ids, weights, hidden, out);
        }
    }

    fn shared(
        &self,
        shared: &Shared<B>,
        source: &B::Buffer,
        inner: &mut Inner<'_, B>,
        e: &mut ExpertWork<B>,
        out: &mut B::Buffer,
    ) {
        let (ops, rows) = (self.ops, self.rows);
        ops.linear(&shared.gate, source, rows, inner.input, &mut e.scores);
        ops.gates(&mut e.scores, rows, &mut e.gates);
        self.mlp(&shared.mlp, source, rows, inner, &mut e.made);
        ops.scatter_add(&e.made, &e.all_rows[..rows], &e.gates, self.spec.hidden, out);
    }
}
