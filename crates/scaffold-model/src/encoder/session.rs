//! A session of an encoder, and how it takes a batch through the layers.

use std::sync::Arc;

use scaffold_error::{Error, err};
use scaffold_kernels::Turn;

use super::{Encoder, Text};
use crate::backend::{Backend, CpuBackend, Ops, Scores};
use crate::layer::{Heads, Mixer, Run, Work};

/// The buffers that an encoder computes batches with, made once and used again.
pub struct EncoderSession<B: Backend = CpuBackend> {
    encoder: Arc<Encoder<B>>,
    max_rows: usize,
    pub(super) work: Work<B>,
    pub(super) layout: Layout,
    /// Layers that the batch has behind it.
    layer: usize,
}

/// The rows of a batch.
#[derive(Default)]
pub(super) struct Layout {
    tokens: Vec<u32>,
    positions: Vec<u32>,
    types: Vec<u32>,
    /// Tokens of each text.
    pub(super) lengths: Vec<usize>,
}

/// Attention inside each text.
struct Both<'a, B: Backend> {
    lengths: &'a [usize],
    distance_bias: Option<&'a B::Vector>,
}

impl<B: Backend> Mixer<B> for Both<'_, B> {
    fn mix(&mut self, ops: &Ops<'_, B>, _layer: usize, scores: &Scores, heads: &mut Heads<B>) {
        let qkv = [&heads.q, &heads.k, &heads.v];
        ops.attend_both(qkv, self.lengths, scores, self.distance_bias, &mut heads.mixed);
    }
}

impl<B: Backend> EncoderSession<B> {
    /// A session of this encoder for batches of at most `max_rows` tokens, all texts together.
    pub fn new(encoder: Arc<Encoder<B>>, max_rows: usize) -> Self {
        let work = Work::new(&encoder.backend, &encoder.spec, max_rows);
        Self { encoder, max_rows, work, layout: Layout::default(), layer: 0 }
    }

    /// The most tokens that a batch may have, all texts together.
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }

    /// The last hidden states, `[tokens of all texts, hidden]`, text after text. A text's states do
    /// not depend on the other texts of the batch, bit for bit.
    ///
    /// # Errors
    /// A token, a token type or a position is out of range, a text is empty, or the batch has more
    /// tokens than the session.
    pub fn hidden_states(&mut self, texts: &[Text<'_>]) -> Result<&[f32], Error> {
        self.run(texts)?;
        Ok(self.states())
    }

    /// The classification head's logits, `[texts, labels]`: no softmax or sigmoid is applied.
    ///
    /// # Errors
    /// The model has no such head, or as [`EncoderSession::hidden_states`].
    pub fn classify(&mut self, texts: &[Text<'_>]) -> Result<Vec<f32>, Error> {
        self.run(texts)?;
        self.scores()
    }

    /// Takes a batch through all layers, in turns that are passed between them.
    fn run(&mut self, texts: &[Text<'_>]) -> Result<(), Error> {
        let encoder = Arc::clone(&self.encoder);
        let mut turn = encoder.backend.turn(Turn::AWAITED);
        self.begin(texts)?;
        while self.advance() {
            if let Some(turn) = &mut turn {
                turn.pass();
            }
        }
        Ok(())
    }

    /// Begins a batch, which [`advance`](Self::advance) then takes through the layers: for callers
    /// that have something to do between them. What was begun before is given up. No turn is taken:
    /// that is the caller's.
    ///
    /// # Errors
    /// As [`EncoderSession::hidden_states`].
    pub fn begin(&mut self, texts: &[Text<'_>]) -> Result<(), Error> {
        let encoder = Arc::clone(&self.encoder);
        encoder.check(texts, self.max_rows)?;
        let ops = Ops::new(&encoder.backend, None);
        self.layout.set(&encoder, texts);
        self.layer = 0;
        self.embed(&encoder, &ops);
        let runs = self.layout.lengths.iter().map(|&length| (0, length, length));
        self.work.set_angles(&encoder.backend, &encoder.spec, &runs);
        Ok(())
    }

    /// Computes the next layer of the batch, and the last norm after the last one; whether more are
    /// left.
    pub fn advance(&mut self) -> bool {
        let encoder = Arc::clone(&self.encoder);
        let ops = Ops::new(&encoder.backend, None);
        let (work, lengths) = (&mut self.work, &self.layout.lengths);
        let rows = self.layout.tokens.len();
        if let Some(layer) = encoder.layers.get(self.layer) {
            let run = Run { ops: &ops, spec: &encoder.spec, rows };
            let mut mixer = Both::<B> { lengths, distance_bias: encoder.distance_bias.as_ref() };
            run.layer(self.layer, layer, work, &mut mixer, None);
            self.layer += 1;
            if self.layer < encoder.layers.len() {
                return true;
            }
            if let Some(norm) = &encoder.final_norm {
                work.norm_x(&ops, norm, rows);
            }
        }
        false
    }

    /// The hidden states of the batch that was [begun](Self::begin) and has come to its end,
    /// `[tokens of all texts, hidden]`.
    pub fn states(&mut self) -> &[f32] {
        let len = self.layout.tokens.len() * self.encoder.spec.hidden;
        self.encoder.backend.read(&mut self.work.x, len)
    }

    /// The classification head's logits of the batch that has come to its end, `[texts, labels]`.
    ///
    /// # Errors
    /// The model has no such head.
    pub fn scores(&mut self) -> Result<Vec<f32>, Error> {
        let encoder = Arc::clone(&self.encoder);
        let Some(classifier) = &encoder.classifier else {
            return Err(err!(
                Unsupported,
                "this {} model has no classification head; a cross-encoder's architecture ends in \
                 ForSequenceClassification",
                encoder.spec.family
            ));
        };
        Ok(classifier.scores(&encoder.backend, &mut self.work, &self.layout.lengths))
    }

    fn embed(&mut self, encoder: &Encoder<B>, ops: &Ops<'_, B>) {
        let (work, layout, hidden) = (&mut self.work, &self.layout, encoder.spec.hidden);
        ops.embed(&encoder.embed, &layout.tokens, &mut work.x);
        if let Some(table) = &encoder.token_types {
            work.add_rows(ops, table, &layout.types, hidden);
        }
        if let Some(table) = &encoder.positions {
            work.add_rows(ops, table, &layout.positions, hidden);
        }
        if let Some(norm) = &encoder.embed_norm {
            work.norm_x(ops, norm, layout.tokens.len());
        }
    }
}

impl Layout {
    fn set<B: Backend>(&mut self, encoder: &Encoder<B>, texts: &[Text<'_>]) {
        self.tokens.clear();
        self.positions.clear();
        self.types.clear();
        self.lengths.clear();
        for text in texts {
            self.tokens.extend_from_slice(text.tokens);
            if let Some(learned) = encoder.spec.embedding.positions {
                self.positions.extend(learned.rows_of(text.tokens));
            }
            self.types.extend_from_slice(text.types);
            self.types.resize(self.tokens.len(), 0);
            self.lengths.push(text.tokens.len());
        }
    }
}

impl<B: Backend> std::fmt::Debug for EncoderSession<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncoderSession")
            .field("family", &self.encoder.spec.family)
            .field("max_rows", &self.max_rows)
            .finish_non_exhaustive()
    }
}
