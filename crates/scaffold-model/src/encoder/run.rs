//! An encoder on one backend, and how it takes a batch through its layers.

use scaffold_formats::TensorSource;

use super::Text;
use super::classifier::Classifier;
use crate::backend::{Backend, Norm, Scores};
use crate::decoder::wrong_kind;
use crate::layer::{Heads, Layer, Mixer, Run, Work, check_rows};
use crate::load::{Loader, complete};
use crate::names::Slot;
use crate::profile::{Profile, Stage};
use crate::spec::{Kind, RelativeBias};
use crate::{LoadOptions, ModelError, ModelSpec};

/// Weights and specification.
pub(super) struct EncoderOn<B: Backend> {
    pub(super) backend: B,
    pub(super) weight_bytes: usize,
    /// `[vocab, hidden]`.
    embed: B::Matrix,
    positions: Option<B::Matrix>,
    token_types: Option<B::Matrix>,
    embed_norm: Option<Norm<B>>,
    layers: Vec<Layer<B>>,
    final_norm: Option<Norm<B>>,
    /// `[heads, 2 * reach + 1]`: one score a head and distance.
    distance_bias: Option<B::Vector>,
    pub(super) classifier: Option<Classifier<B>>,
    pub(super) spec: ModelSpec,
}

/// What a batch needs beside the layers' buffers.
pub(super) struct EncoderWork<B: Backend> {
    pub(super) work: Work<B>,
    tokens: Vec<u32>,
    positions: Vec<u32>,
    types: Vec<u32>,
    /// Tokens of each text.
    pub(super) lengths: Vec<usize>,
    made_for: (usize, usize, usize),
}

impl<B: Backend> EncoderWork<B> {
    pub(super) fn new(encoder: &EncoderOn<B>, max_rows: usize) -> Self {
        Self {
            work: Work::new(&encoder.backend, &encoder.spec, max_rows),
            tokens: Vec::with_capacity(max_rows),
            positions: Vec::with_capacity(max_rows),
            types: Vec::with_capacity(max_rows),
            lengths: Vec::with_capacity(max_rows),
            made_for: encoder.shape(),
        }
    }

    pub(super) fn fits(&self, encoder: &EncoderOn<B>) -> bool {
        self.made_for == encoder.shape()
    }
}

/// Attention inside each text.
struct Both<'a, B: Backend> {
    lengths: &'a [usize],
    distance_bias: Option<&'a B::Vector>,
}

impl<B: Backend> Mixer<B> for Both<'_, B> {
    fn mix(
        &mut self,
        backend: &B,
        _layer: usize,
        scores: &Scores,
        heads: &mut Heads<B>,
        profile: &mut Profile,
    ) {
        let qkv = [&heads.q, &heads.k, &heads.v];
        backend.attend_both(qkv, self.lengths, scores, self.distance_bias, &mut heads.mixed);
        profile.mark(Stage::Attention);
    }
}

impl<B: Backend> EncoderOn<B> {
    pub(super) fn load(
        backend: B,
        source: &dyn TensorSource,
        mut spec: ModelSpec,
        options: &LoadOptions<'_>,
    ) -> Result<Self, ModelError> {
        complete(source, &mut spec)?;
        let Kind::Encoder(encoder) = &spec.kind else {
            return Err(wrong_kind(&spec));
        };
        let loader = Loader::new(source, &spec, &backend, options);
        let table = |slot, rows: usize| (rows > 0).then(|| loader.table(slot, rows)).transpose();
        let embed = loader.table(Slot::Embed, spec.vocab)?;
        let positions = table(Slot::Positions, spec.embedding.positions.map_or(0, |p| p.rows))?;
        let token_types = table(Slot::TokenTypes, spec.embedding.token_types)?;
        let embed_norm =
            spec.embedding.norm.then(|| loader.norm(Slot::EmbedNorm, 0)).transpose()?;
        let layers = (0..spec.layers.len()).map(|l| loader.layer(l)).collect::<Result<_, _>>()?;
        let final_norm = encoder.final_norm.then(|| loader.norm(Slot::FinalNorm, 0)).transpose()?;
        let distance_bias = match encoder.relative_bias {
            Some(bias) => {
                let heads = spec.attention.heads;
                let table = loader.values(Slot::RelativeBias, bias.buckets * heads)?;
                Some(backend.vector(&by_distance(bias, &table, heads, spec.context)))
            }
            None => None,
        };
        let classifier = encoder
            .classifier
            .as_ref()
            .map(|c| Classifier::load(&loader, c, spec.hidden))
            .transpose()?;
        loader.finish()?;
        let weight_bytes = loader.weight_bytes();
        Ok(Self {
            backend,
            weight_bytes,
            embed,
            positions,
            token_types,
            embed_norm,
            layers,
            final_norm,
            distance_bias,
            classifier,
            spec,
        })
    }

    fn shape(&self) -> (usize, usize, usize) {
        (self.spec.vocab, self.spec.hidden, self.layers.len())
    }

    /// Checks everything that a caller can get wrong.
    pub(super) fn check(&self, texts: &[Text<'_>], max_rows: usize) -> Result<(), ModelError> {
        check_rows(texts.iter().map(|t| t.tokens.len()).sum(), max_rows)?;
        for (index, text) in texts.iter().enumerate() {
            if text.tokens.is_empty() {
                return Err(ModelError::EmptyText { index });
            }
            if let Some(&id) = text.tokens.iter().find(|id| **id as usize >= self.spec.vocab) {
                return Err(ModelError::TokenOutOfRange { id, vocab: self.spec.vocab });
            }
            if !text.types.is_empty() && text.types.len() != text.tokens.len() {
                return Err(ModelError::TokenTypeCount {
                    tokens: text.tokens.len(),
                    types: text.types.len(),
                });
            }
            let types = self.spec.embedding.token_types.max(1);
            if let Some(&id) = text.types.iter().find(|id| **id as usize >= types) {
                return Err(ModelError::TokenTypeOutOfRange { id, types });
            }
            let limit = self.spec.embedding.positions.map_or(1 << 24, |p| p.rows - p.offset);
            if text.tokens.len() > limit {
                let what = "the model's positions";
                return Err(ModelError::PositionOutOfRange {
                    position: text.tokens.len() - 1,
                    what,
                    limit,
                });
            }
        }
        Ok(())
    }

    /// Embed, layers, norm: for the tokens of all texts.
    pub(super) fn run<'s>(&self, texts: &[Text<'_>], s: &'s mut EncoderWork<B>) -> &'s [f32] {
        let b = &self.backend;
        self.lay_out(texts, s);
        let rows = s.tokens.len();
        self.embed(rows, s);
        let runs = s.lengths.iter().map(|&length| (0, length, length));
        s.work.turn(b, &self.spec, &runs);
        let run = Run { backend: b, spec: &self.spec, rows };
        let mut mixer =
            Both::<B> { lengths: &s.lengths, distance_bias: self.distance_bias.as_ref() };
        for (index, layer) in self.layers.iter().enumerate() {
            run.layer(index, layer, &mut s.work, &mut mixer, None);
        }
        if let Some(norm) = &self.final_norm {
            s.work.norm_x(b, norm, rows);
        }
        b.read(&mut s.work.x, rows * self.spec.hidden)
    }

    fn lay_out(&self, texts: &[Text<'_>], s: &mut EncoderWork<B>) {
        s.tokens.clear();
        s.positions.clear();
        s.types.clear();
        s.lengths.clear();
        for text in texts {
            s.tokens.extend_from_slice(text.tokens);
            if let Some(learned) = self.spec.embedding.positions {
                s.positions.extend(learned.rows_of(text.tokens));
            }
            s.types.extend_from_slice(text.types);
            s.types.resize(s.tokens.len(), 0);
            s.lengths.push(text.tokens.len());
        }
    }

    fn embed(&self, rows: usize, s: &mut EncoderWork<B>) {
        let (b, hidden) = (&self.backend, self.spec.hidden);
        b.embed(&self.embed, &s.tokens, &mut s.work.x);
        if let Some(table) = &self.token_types {
            s.work.add_embedding(b, table, &s.types, hidden);
        }
        if let Some(table) = &self.positions {
            s.work.add_embedding(b, table, &s.positions, hidden);
        }
        if let Some(norm) = &self.embed_norm {
            s.work.norm_x(b, norm, rows);
        }
    }
}

/// The bias table `[buckets, heads]` spread over the distances of a text of `longest` tokens:
/// `[heads, 2 * longest - 1]`, from the key being the first token and the query the last.
fn by_distance(bias: RelativeBias, table: &[f32], heads: usize, longest: usize) -> Vec<f32> {
    let reach = longest as isize - 1;
    let mut out = Vec::with_capacity(heads * (2 * longest - 1));
    for head in 0..heads {
        out.extend((-reach..=reach).map(|distance| table[bucket(bias, distance) * heads + head]));
    }
    out
}

/// The bucket of a distance (key minus query): exact for near ones, then ever wider, half of them
/// for each direction.
fn bucket(bias: RelativeBias, distance: isize) -> usize {
    let half = bias.buckets / 2;
    let side = if distance > 0 { half } else { 0 };
    let far = distance.unsigned_abs();
    let exact = half / 2;
    if far < exact {
        return side + far;
    }
    // In f32, as the reference computes it, so that the same distances fall on the borders.
    let steps = (far as f32 / exact as f32).ln() / (bias.max_distance as f32 / exact as f32).ln();
    let wide = exact + (steps * (half - exact) as f32) as usize;
    side + wide.min(half - 1)
}

#[cfg(test)]
mod tests;
