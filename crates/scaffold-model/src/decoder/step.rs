//! A decoder on one backend, and the one page that computes a step.

use scaffold_formats::TensorSource;
use scaffold_kernels::{AttendSpan, KvShape, SpanMemory};

use super::{LoadOptions, Output, Span, wrong_kind};
use crate::backend::{Backend, Linear, Norm, Scores};
use crate::layer::{Heads, Layer, Mixer, Run, Work, check_rows};
use crate::load::{Loader, complete};
use crate::names::Slot;
use crate::profile::{Effort, Profile, Stage};
use crate::spec::{HeadSpec, Kind};
use crate::{ModelError, ModelSpec};

/// Weights and specification.
pub(super) struct DecoderOn<B: Backend> {
    pub(super) backend: B,
    pub(super) weight_bytes: usize,
    head: HeadSpec,
    /// `[vocab, hidden]`; also the output matrix where `output` is none.
    embed: Linear<B>,
    positions: Option<B::Matrix>,
    layers: Vec<Layer<B>>,
    final_norm: Norm<B>,
    output: Option<Linear<B>>,
    pub(super) spec: ModelSpec,
}

/// What a step needs beside the layers' buffers.
pub(super) struct StepWork<B: Backend> {
    pub(super) work: Work<B>,
    tokens: Vec<u32>,
    positions: Vec<u32>,
    /// The rows that get logits.
    wanted: Vec<u32>,
    spans: SpanMemory,
    /// `[wanted, vocab]`, and as much room again for [`Backend::linear_fine`]; grows with the most
    /// rows that were ever wanted.
    logits: B::Buffer,
    logit_rows: usize,
    /// The model that it was made for.
    made_for: (usize, usize, usize),
}

impl<B: Backend> StepWork<B> {
    pub(super) fn new(decoder: &DecoderOn<B>, max_rows: usize) -> Self {
        let (backend, spec) = (&decoder.backend, &decoder.spec);
        Self {
            work: Work::new(backend, spec, max_rows),
            tokens: Vec::with_capacity(max_rows),
            positions: Vec::with_capacity(max_rows),
            wanted: Vec::with_capacity(max_rows),
            spans: SpanMemory::with_capacity(max_rows),
            logits: backend.buffer(2 * spec.vocab),
            logit_rows: 1,
            made_for: decoder.shape(),
        }
    }

    pub(super) fn fits(&self, decoder: &DecoderOn<B>) -> bool {
        self.made_for == decoder.shape()
    }
}

/// Attention over the cache.
struct Cached<'a, B: Backend> {
    kv: &'a mut B::Kv,
    spans: &'a [AttendSpan<'a>],
    /// What a token takes in a layer of the cache.
    token_bytes: usize,
    /// The first layer with a key or value that the cache could not hold.
    overflow: Option<usize>,
}

impl<B: Backend> Mixer<B> for Cached<'_, B> {
    fn mix(
        &mut self,
        backend: &B,
        layer: usize,
        scores: &Scores,
        heads: &mut Heads<B>,
        profile: &mut Profile,
    ) {
        if !backend.write_kv(self.kv, layer, &heads.k, &heads.v, self.spans) {
            self.overflow.get_or_insert(layer);
        }
        profile.mark(Stage::Cache);
        backend.attend(self.kv, layer, &heads.q, self.spans, scores, &mut heads.mixed);
        profile.mark_effort(Stage::Attention, || self.effort(scores));
    }
}

impl<B: Backend> Cached<'_, B> {
    /// What attention takes: two products for every pair of a row and a token that it sees, in
    /// every head. Rows of one span read a token's key and value together.
    fn effort(&self, scores: &Scores) -> Effort {
        let (mut pairs, mut tokens) = (0, 0);
        for span in self.spans {
            let window = scores.window.unwrap_or(usize::MAX);
            let seen = |row: usize| (span.start + row + 1).min(window);
            pairs += (0..span.rows).map(seen).sum::<usize>();
            tokens += (span.start + span.rows).min(window.saturating_add(span.rows));
        }
        Effort {
            int8: 0,
            fma: (pairs * scores.heads * 2 * scores.head_dim) as u64,
            bytes: (tokens * self.token_bytes) as u64,
        }
    }
}

impl<B: Backend> DecoderOn<B> {
    pub(super) fn load(
        backend: B,
        source: &dyn TensorSource,
        mut spec: ModelSpec,
        options: &LoadOptions<'_>,
    ) -> Result<Self, ModelError> {
        let Kind::Decoder(mut head) = spec.kind.clone() else {
            return Err(wrong_kind(&spec));
        };
        let factors = complete(source, &mut spec)?;
        let loader = Loader::new(source, &spec, &backend, options);
        loader.mark(factors);
        let (vocab, hidden) = (spec.vocab, spec.hidden);
        let (weight, tied) = loader.embedding(vocab, head.tied)?;
        let embed = Linear { weight, bias: None, rows: vocab, cols: hidden };
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
        Ok(Self { backend, weight_bytes, head, embed, positions, layers, final_norm, output, spec })
    }

    /// What one row takes in all layers, but for the attention itself.
    pub(super) fn layers_effort(&self) -> Effort {
        let layers = self.layers.iter();
        layers.map(|l| l.effort(&self.backend, &self.spec)).sum()
    }

    /// What the logits of one row take.
    pub(super) fn head_effort(&self) -> Effort {
        self.head_matrix().effort(&self.backend, 1)
    }

    fn head_matrix(&self) -> &Linear<B> {
        self.output.as_ref().unwrap_or(&self.embed)
    }

    fn shape(&self) -> (usize, usize, usize) {
        (self.spec.vocab, self.spec.hidden, self.layers.len())
    }

    /// Checks everything that a caller can get wrong, before anything is written.
    pub(super) fn check(
        &self,
        spans: &[Span<'_>],
        kv: &KvShape,
        max_rows: usize,
    ) -> Result<(), ModelError> {
        check_rows(spans.iter().map(|s| s.tokens.len()).sum(), max_rows)?;
        for span in spans {
            if let Some(&id) = span.tokens.iter().find(|id| **id as usize >= self.spec.vocab) {
                return Err(ModelError::TokenOutOfRange { id, vocab: self.spec.vocab });
            }
            let end = span.start.saturating_add(span.tokens.len());
            let learned = self.spec.embedding.positions.map_or(usize::MAX, |p| p.rows - p.offset);
            for (limit, what) in [
                (span.blocks.len().saturating_mul(kv.block_tokens), "the sequence's blocks"),
                (learned, "the model's learned positions"),
                // Positions are computed in f32, which counts exactly this far.
                (1 << 24, "the positions that can be told apart"),
            ] {
                if end > limit {
                    return Err(ModelError::PositionOutOfRange { position: end - 1, what, limit });
                }
            }
            let used = end.div_ceil(kv.block_tokens);
            if let Some(&block) = span.blocks[..used].iter().find(|b| **b as usize >= kv.blocks) {
                return Err(ModelError::BlockOutOfRange { block, blocks: kv.blocks });
            }
        }
        Ok(())
    }

    /// Embed, layers, norm, head: for the rows of all spans.
    ///
    /// # Errors
    /// A key or a value does not fit the cache's numbers.
    pub(super) fn step(
        &self,
        spans: &[Span<'_>],
        kv: &mut B::Kv,
        token_bytes: usize,
        s: &mut StepWork<B>,
        output: Output,
    ) -> Result<(), ModelError> {
        let b = &self.backend;
        let rows = self.lay_out(spans, s);
        s.work.profile.mark(Stage::Rest);
        self.embed(rows, s);
        s.work.profile.mark(Stage::Embed);
        let runs = spans.iter().map(|span| (span.start, span.tokens.len(), span.planned));
        s.work.turn(b, &self.spec, &runs);
        let mut attend = s.spans.lend();
        attend.extend(attend_spans(spans));
        let run = Run { backend: b, spec: &self.spec, rows };
        let mut mixer = Cached::<B> { kv, spans: &attend, token_bytes, overflow: None };
        s.work.profile.mark(Stage::Rest);
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len() && s.wanted.len() < rows;
            run.layer(index, layer, &mut s.work, &mut mixer, last.then_some(&s.wanted));
        }
        let overflow = mixer.overflow;
        s.spans.give_back(attend);
        if let Some(layer) = overflow {
            return Err(ModelError::CacheOverflow { layer });
        }
        b.norm(&self.final_norm, &s.work.x, s.wanted.len(), &mut s.work.normed);
        s.work.profile.mark(Stage::Norm);
        if output == Output::Logits {
            self.logits(s);
        }
        Ok(())
    }

    /// What [`DecoderOn::step`] has left.
    pub(super) fn output<'s>(&self, s: &'s mut StepWork<B>, output: Output) -> &'s [f32] {
        let rows = s.wanted.len();
        match output {
            Output::Logits => self.backend.read(&mut s.logits, rows * self.spec.vocab),
            Output::HiddenStates => {
                let len = rows * self.spec.hidden;
                self.backend.read(&mut s.work.normed, len)
            }
        }
    }

    /// Lists the step's tokens, positions and wanted rows.
    fn lay_out(&self, spans: &[Span<'_>], s: &mut StepWork<B>) -> usize {
        let offset = self.spec.embedding.positions.map_or(0, |p| p.offset);
        s.tokens.clear();
        s.positions.clear();
        s.wanted.clear();
        for span in spans {
            s.tokens.extend_from_slice(span.tokens);
            s.positions.extend((0..span.tokens.len()).map(|i| (span.start + i + offset) as u32));
            let rows = s.tokens.len() as u32;
            s.wanted.extend(rows - span.want.rows(span.tokens.len()) as u32..rows);
        }
        s.tokens.len()
    }

    fn embed(&self, rows: usize, s: &mut StepWork<B>) {
        let (b, spec) = (&self.backend, &self.spec);
        b.embed(&self.embed.weight, &s.tokens, &mut s.work.x);
        if let Some(scale) = spec.embedding.scale {
            b.scale(&mut s.work.x, scale, rows * spec.hidden);
        }
        if let Some(positions) = &self.positions {
            s.work.add_embedding(b, positions, &s.positions, spec.hidden);
        }
    }

    /// The logits of the wanted rows, which are all that the last layer has left.
    fn logits(&self, s: &mut StepWork<B>) {
        let (b, rows) = (&self.backend, s.wanted.len());
        let len = rows * self.spec.vocab;
        if rows == 0 {
            return;
        }
        if rows > s.logit_rows {
            s.logits = b.buffer(2 * len);
            s.logit_rows = rows;
        }
        let head = self.head_matrix();
        b.linear_fine(head, &s.work.normed, rows, &mut s.work.input, &mut s.logits);
        if self.head.scale != 1.0 {
            b.scale(&mut s.logits, self.head.scale, len);
        }
        if let Some(cap) = self.head.softcap {
            b.softcap(&mut s.logits, cap, len);
        }
        let effort = || head.effort(b, rows);
        s.work.profile.mark_effort(Stage::Head, effort);
    }
}

/// The spans as attention takes them.
fn attend_spans<'a>(spans: &[Span<'a>]) -> impl Iterator<Item = AttendSpan<'a>> {
    let computed = spans.iter().filter(|span| !span.tokens.is_empty());
    computed.map(|span| AttendSpan {
        blocks: span.blocks,
        start: span.start,
        rows: span.tokens.len(),
    })
}
