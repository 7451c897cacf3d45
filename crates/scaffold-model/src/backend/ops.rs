//! A backend's operations as the layers call them: each one's time belongs to a stage.

use std::cell::RefCell;

use scaffold_kernels::Activation;

use super::{Backend, KvLayer, Linear, Norm, RouteRule, Routing, Scores};
use crate::profile::{Effort, Profile, Stage};
use crate::rope::RopeStyle;

/// A backend, and the profile of the step that is computed, if one is kept.
pub(crate) struct Ops<'a, B: Backend> {
    pub(crate) backend: &'a B,
    profile: RefCell<Option<&'a mut Profile>>,
}

impl<'a, B: Backend> Ops<'a, B> {
    pub(crate) fn new(backend: &'a B, profile: Option<&'a mut Profile>) -> Self {
        Self { backend, profile: RefCell::new(profile) }
    }

    /// The time since the last operation was nobody's.
    pub(crate) fn rest(&self) {
        self.mark(Stage::Rest);
    }

    fn mark(&self, stage: Stage) {
        self.mark_effort(stage, Effort::default);
    }

    fn mark_effort(&self, stage: Stage, effort: impl FnOnce() -> Effort) {
        if let Some(profile) = self.profile.borrow_mut().as_deref_mut() {
            profile.mark_effort(stage, effort);
        }
    }

    /// An operation that belongs to the one before.
    fn more(&self) {
        if let Some(profile) = self.profile.borrow_mut().as_deref_mut() {
            profile.mark_again();
        }
    }

    pub(crate) fn embed(&self, table: &B::Matrix, ids: &[u32], out: &mut B::Buffer) {
        self.backend.embed(table, ids, out);
        self.mark(Stage::Embed);
    }

    /// Adds rows `ids` of a table to `x`, by way of `spare`.
    pub(crate) fn add_rows(
        &self,
        table: &B::Matrix,
        ids: &[u32],
        cols: usize,
        x: &mut B::Buffer,
        spare: &mut B::Buffer,
    ) {
        self.backend.embed(table, ids, spare);
        self.backend.add(x, spare, 1.0, ids.len() * cols);
        self.mark(Stage::Embed);
    }

    pub(crate) fn norm(&self, norm: &Norm<B>, x: &B::Buffer, rows: usize, out: &mut B::Buffer) {
        self.backend.norm(norm, x, rows, out);
        self.mark(Stage::Norm);
    }

    /// `out = x · wᵀ + bias`, with `input` to prepare the rows in.
    pub(crate) fn linear(
        &self,
        w: &Linear<B>,
        x: &B::Buffer,
        rows: usize,
        input: &mut B::Input,
        out: &mut B::Buffer,
    ) {
        self.backend.prepare(&w.weight, x, rows, input);
        self.mark(Stage::Quantize);
        self.prepared(w, rows, input, out);
    }

    /// The same of `act(gate) * up`, for rows `[gate; up]`.
    pub(crate) fn gated_linear(
        &self,
        w: &Linear<B>,
        act: Activation,
        x: &B::Buffer,
        rows: usize,
        input: &mut B::Input,
        out: &mut B::Buffer,
    ) {
        self.backend.prepare_gated(&w.weight, act, x, rows, input);
        self.mark(Stage::Activation);
        self.prepared(w, rows, input, out);
    }

    fn prepared(&self, w: &Linear<B>, rows: usize, input: &B::Input, out: &mut B::Buffer) {
        self.backend.linear(w, input, rows, out);
        self.mark_effort(w.stage, || w.effort(self.backend, rows));
    }

    pub(crate) fn linear_fine(
        &self,
        w: &Linear<B>,
        x: &B::Buffer,
        rows: usize,
        input: &mut B::Input,
        out: &mut B::Buffer,
    ) {
        self.backend.linear_fine(w, x, rows, input, out);
        self.mark_effort(w.stage, || w.effort(self.backend, rows));
    }

    pub(crate) fn split(
        &self,
        x: &B::Buffer,
        rows: usize,
        widths: [usize; 3],
        out: [&mut B::Buffer; 3],
    ) {
        self.backend.split(x, rows, widths, out);
        self.mark(Stage::Rope);
    }

    /// A norm of each head (`norm.cols` values) in rows of `width` values, in place, by way of
    /// `spare`.
    pub(crate) fn head_norm(
        &self,
        norm: &Norm<B>,
        factors: Option<&B::Vector>,
        [rows, width]: [usize; 2],
        x: &mut B::Buffer,
        spare: &mut B::Buffer,
    ) {
        self.backend.norm(norm, x, rows * width / norm.cols, spare);
        self.backend.copy(spare, rows * width, x);
        if let Some(factors) = factors {
            self.backend.multiply_rows(factors, x, rows);
        }
        self.mark(Stage::Rope);
    }

    pub(crate) fn clamp(&self, x: &mut B::Buffer, limit: f32, len: usize) {
        self.backend.clamp(x, limit, len);
        self.mark(Stage::Rope);
    }

    pub(crate) fn rope(
        &self,
        angles: &B::Angles,
        style: RopeStyle,
        x: &mut B::Buffer,
        heads: usize,
        head_dim: usize,
    ) {
        self.backend.rope(angles, style, x, heads, head_dim);
        self.mark(Stage::Rope);
    }

    pub(crate) fn write_kv(&self, at: &mut KvLayer<'_, B>, k: &B::Buffer, v: &B::Buffer) -> bool {
        let fits = self.backend.write_kv(at, k, v);
        self.mark(Stage::Cache);
        fits
    }

    pub(crate) fn attend(
        &self,
        at: &KvLayer<'_, B>,
        q: &B::Buffer,
        scores: &Scores,
        out: &mut B::Buffer,
    ) {
        self.backend.attend(at, q, scores, out);
        self.mark_effort(Stage::Attention, || at.effort(scores));
    }

    pub(crate) fn attend_both(
        &self,
        qkv: [&B::Buffer; 3],
        lengths: &[usize],
        scores: &Scores,
        bias: Option<&B::Vector>,
        out: &mut B::Buffer,
    ) {
        self.backend.attend_both(qkv, lengths, scores, bias, out);
        self.mark(Stage::Attention);
    }

    pub(crate) fn activate(&self, act: Activation, x: &mut B::Buffer, len: usize) {
        self.backend.activate(act, x, len);
        self.mark(Stage::Activation);
    }

    pub(crate) fn add(&self, x: &mut B::Buffer, y: &B::Buffer, scale: f32, len: usize) {
        self.backend.add(x, y, scale, len);
        self.mark(Stage::Residual);
    }

    /// `x *= scale`, of what the operation before has made.
    pub(crate) fn scale(&self, x: &mut B::Buffer, scale: f32, len: usize) {
        self.backend.scale(x, scale, len);
        self.more();
    }

    /// `x = cap * tanh(x / cap)`, of what the operation before has made.
    pub(crate) fn softcap(&self, x: &mut B::Buffer, cap: f32, len: usize) {
        self.backend.softcap(x, cap, len);
        self.more();
    }

    pub(crate) fn zero(&self, x: &mut B::Buffer, len: usize) {
        self.backend.zero(x, len);
        self.mark(Stage::Route);
    }

    pub(crate) fn route(
        &self,
        scores: &B::Buffer,
        rows: usize,
        rule: &RouteRule,
        routing: &mut Routing,
    ) {
        self.backend.route(scores, rows, rule, routing);
        self.mark(Stage::Route);
    }

    pub(crate) fn gates(&self, scores: &mut B::Buffer, rows: usize, out: &mut Vec<f32>) {
        self.backend.gates(scores, rows, out);
        self.mark(Stage::Route);
    }

    pub(crate) fn gather(&self, x: &B::Buffer, ids: &[u32], cols: usize, out: &mut B::Buffer) {
        self.backend.gather(x, ids, cols, out);
        self.mark(Stage::Route);
    }

    pub(crate) fn scatter_add(
        &self,
        y: &B::Buffer,
        ids: &[u32],
        weights: &[f32],
        cols: usize,
        x: &mut B::Buffer,
    ) {
        self.backend.scatter_add(y, ids, weights, cols, x);
        self.mark(Stage::Route);
    }

    /// Keeps rows `ids` of `x` and drops the others, by way of `spare`.
    pub(crate) fn keep(&self, ids: &[u32], cols: usize, x: &mut B::Buffer, spare: &mut B::Buffer) {
        self.backend.gather(x, ids, cols, spare);
        std::mem::swap(x, spare);
        self.rest();
    }
}
