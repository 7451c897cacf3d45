//! A session of a decoder, and the one page that computes a step.

use std::sync::Arc;
use std::time::Duration;

use scaffold_error::{Error, err};
use scaffold_kernels::{AttendSpan, KvShape, KvType, SpanMemory, Turn};

use super::{Decoder, Span};
use crate::backend::{Backend, CpuBackend, KvLayer, Ops, Scores};
use crate::kv::CacheOverflow;
use crate::layer::{Heads, Mixer, Run, Work};
use crate::profile::Profile;

/// What a session has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSize {
    /// Blocks of the KV cache.
    pub blocks: usize,
    /// Tokens in a block.
    pub block_tokens: usize,
    /// What keys and values are kept in.
    pub kv_type: KvType,
    /// The most rows of a step.
    pub rows: usize,
}

/// What a decoder computes with: keys and values of the tokens that were computed, in blocks that
/// sequences share, and the buffers of a step, made once and used again. A steady decode allocates
/// nothing.
pub struct Session<B: Backend = CpuBackend> {
    decoder: Arc<Decoder<B>>,
    size: SessionSize,
    shape: KvShape,
    kv: B::Kv,
    kv_bytes: usize,
    work: Work<B>,
    layout: Layout,
    spans: SpanMemory,
    /// `[wanted, vocab]`, and as much room again for [`Backend::linear_fine`]; grows with the most
    /// rows that were ever wanted.
    logits: B::Buffer,
    logit_rows: usize,
    /// Of its turns.
    weight: u32,
    waited: Duration,
}

/// The rows of a step.
struct Layout {
    tokens: Vec<u32>,
    positions: Vec<u32>,
    /// The rows that get logits.
    wanted: Vec<u32>,
}

/// Attention over the cache.
struct Cached<'a, B: Backend> {
    at: KvLayer<'a, B>,
    /// The first layer with a key or value that the cache could not hold.
    overflow: Option<usize>,
}

impl<B: Backend> Mixer<B> for Cached<'_, B> {
    fn mix(&mut self, ops: &Ops<'_, B>, layer: usize, scores: &Scores, heads: &mut Heads<B>) {
        self.at.layer = layer;
        if !ops.write_kv(&mut self.at, &heads.k, &heads.v) {
            self.overflow.get_or_insert(layer);
        }
        ops.attend(&self.at, &heads.q, scores, &mut heads.mixed);
    }
}

impl<B: Backend> Session<B> {
    /// A session of this decoder.
    ///
    /// # Errors
    /// A size is zero or too large.
    pub fn new(decoder: Arc<Decoder<B>>, size: SessionSize) -> Result<Self, Error> {
        let (backend, spec) = (&decoder.backend, &decoder.spec);
        let shape = spec.kv_shape(size.blocks, size.block_tokens);
        let kv = backend.kv(shape, size.kv_type)?;
        Ok(Self {
            size,
            shape,
            kv_bytes: backend.kv_bytes(&kv),
            kv,
            work: Work::new(backend, spec, size.rows),
            layout: Layout {
                tokens: Vec::with_capacity(size.rows),
                positions: Vec::with_capacity(size.rows),
                wanted: Vec::with_capacity(size.rows),
            },
            spans: SpanMemory::with_capacity(size.rows),
            logits: backend.buffer(2 * spec.vocab),
            logit_rows: 1,
            weight: Turn::AWAITED,
            waited: Duration::ZERO,
            decoder,
        })
    }

    /// What it computes with.
    pub fn decoder(&self) -> &Arc<Decoder<B>> {
        &self.decoder
    }

    /// What it has room for.
    pub fn size(&self) -> SessionSize {
        self.size
    }

    /// Memory of the keys and values in bytes.
    pub fn kv_bytes(&self) -> usize {
        self.kv_bytes
    }

    /// What a block of the cache holds, in bytes that [`Session::copy_in`] takes: also that of another
    /// process with the same model, the same length of blocks and the same kind of cache.
    ///
    /// # Errors
    /// There is no such block.
    pub fn copy_out(&self, block: u32) -> Result<Vec<u8>, Error> {
        self.check_block(block)?;
        let mut bytes = Vec::new();
        self.decoder.backend.copy_kv_out(&self.kv, block, &mut bytes);
        Ok(bytes)
    }

    /// Puts into a block of the cache what was copied out of one.
    ///
    /// # Errors
    /// There is no such block, or the bytes are not those of a block of this cache.
    pub fn copy_in(&mut self, block: u32, bytes: &[u8]) -> Result<(), Error> {
        self.check_block(block)?;
        let needed = self.decoder.backend.kv_block_bytes(&self.kv);
        if bytes.len() != needed {
            let found = bytes.len();
            return Err(err!(
                Usage,
                "{found} bytes are not a block of this cache, which has {needed}: they are of another model, or of a cache of \
                 another kind"
            ));
        }
        self.decoder.backend.copy_kv_in(&mut self.kv, block, bytes);
        Ok(())
    }

    fn check_block(&self, block: u32) -> Result<(), Error> {
        let blocks = self.size.blocks;
        if (block as usize) < blocks {
            return Ok(());
        }
        Err(err!(Usage, "block {block} is not in the cache, which has {blocks}"))
    }

    /// What the steps from now on weigh beside what other models of the process compute: see
    /// [`Team::turn`](scaffold_kernels::Team::turn). Steps are awaited unless this says otherwise.
    pub fn set_weight(&mut self, weight: u32) {
        self.weight = weight;
    }

    /// How long the last step waited for its turn.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Computes a step: every token of every span, its key and value put into the cache. Returns
    /// the logits of the wanted tokens, `[wanted rows, vocab]` in the order of the spans.
    ///
    /// A token's logits do not depend on the other spans of the step, nor on how its sequence was
    /// cut into spans, bit for bit.
    ///
    /// # Errors
    /// A token is not in the vocabulary, a position is out of range, a block does not exist, or the
    /// step has more rows than the session. Nothing is computed then. A key or a value is too large
    /// for the cache's numbers: what the step put into the cache is then worthless.
    pub fn forward(&mut self, spans: &[Span<'_>]) -> Result<&[f32], Error> {
        self.logits_of(spans, None)
    }

    /// As [`Session::forward`], and adds the time of each stage to `profile`.
    ///
    /// # Errors
    /// As [`Session::forward`].
    pub fn forward_profiled(
        &mut self,
        spans: &[Span<'_>],
        profile: &mut Profile,
    ) -> Result<&[f32], Error> {
        self.logits_of(spans, Some(profile))
    }

    /// As [`Session::forward`], but returns the wanted tokens' last hidden states, after the last
    /// norm, `[wanted rows, hidden]`: what models that embed texts with a decoder pool.
    ///
    /// # Errors
    /// As [`Session::forward`].
    pub fn hidden_states(&mut self, spans: &[Span<'_>]) -> Result<&[f32], Error> {
        let decoder = Arc::clone(&self.decoder);
        let _turn = self.turn(&decoder);
        self.step(&decoder, &Ops::new(&decoder.backend, None), spans)?;
        let len = self.layout.wanted.len() * decoder.spec.hidden;
        Ok(self.decoder.backend.read(&mut self.work.normed, len))
    }

    fn logits_of(
        &mut self,
        spans: &[Span<'_>],
        profile: Option<&mut Profile>,
    ) -> Result<&[f32], Error> {
        let decoder = Arc::clone(&self.decoder);
        let _turn = self.turn(&decoder);
        let ops = Ops::new(&decoder.backend, profile);
        self.step(&decoder, &ops, spans)?;
        self.logits(&decoder, &ops);
        ops.rest();
        let len = self.layout.wanted.len() * decoder.spec.vocab;
        Ok(self.decoder.backend.read(&mut self.logits, len))
    }

    /// A whole step is one turn.
    fn turn<'d>(&mut self, decoder: &'d Decoder<B>) -> Option<Turn<'d>> {
        let turn = decoder.backend.turn(self.weight);
        self.waited = turn.as_ref().map_or(Duration::ZERO, Turn::waited);
        turn
    }

    /// Embed, layers, norm: for the rows of all spans. Leaves the wanted rows in `work.normed`.
    fn step(
        &mut self,
        decoder: &Decoder<B>,
        ops: &Ops<'_, B>,
        spans: &[Span<'_>],
    ) -> Result<(), Error> {
        decoder.check(spans, &self.shape, self.size.rows)?;
        let (spec, work) = (&decoder.spec, &mut self.work);
        let rows = self.layout.set(spans, spec.embedding.positions.map_or(0, |p| p.offset));
        ops.rest();
        decoder.embed(ops, &self.layout.tokens, &self.layout.positions, work);
        let runs = spans.iter().map(|span| (span.start, span.tokens.len(), span.planned));
        work.set_angles(ops.backend, spec, &runs);
        let mut attend = self.spans.lend();
        attend.extend(attend_spans(spans));
        let cells = self.shape.layers * self.shape.blocks * self.shape.block_tokens;
        let token_bytes = self.kv_bytes / cells.max(1);
        let at = KvLayer { kv: &mut self.kv, layer: 0, spans: &attend, token_bytes };
        let mut mixer = Cached::<B> { at, overflow: None };
        ops.rest();
        let run = Run { ops, spec, rows };
        let wanted = &self.layout.wanted;
        for (index, layer) in decoder.layers.iter().enumerate() {
            let last = index + 1 == decoder.layers.len() && wanted.len() < rows;
            run.layer(index, layer, work, &mut mixer, last.then_some(wanted));
        }
        let overflow = mixer.overflow;
        self.spans.give_back(attend);
        if let Some(layer) = overflow {
            return Err(CacheOverflow { layer }.into());
        }
        ops.norm(&decoder.final_norm, &work.x, wanted.len(), &mut work.normed);
        Ok(())
    }

    /// The logits of the wanted rows, which are all that the last layer has left.
    fn logits(&mut self, decoder: &Decoder<B>, ops: &Ops<'_, B>) {
        let rows = self.layout.wanted.len();
        let len = rows * decoder.spec.vocab;
        if rows == 0 {
            return;
        }
        if rows > self.logit_rows {
            self.logits = ops.backend.buffer(2 * len);
            self.logit_rows = rows;
        }
        let (matrix, work) = (decoder.head_matrix(), &mut self.work);
        ops.linear_fine(matrix, &work.normed, rows, &mut work.input, &mut self.logits);
        if decoder.head.scale != 1.0 {
            ops.scale(&mut self.logits, decoder.head.scale, len);
        }
        if let Some(cap) = decoder.head.softcap {
            ops.softcap(&mut self.logits, cap, len);
        }
    }
}

impl<B: Backend> std::fmt::Debug for Session<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("family", &self.decoder.spec.family)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Layout {
    /// Lists the step's tokens, positions and wanted rows; returns how many rows there are.
    fn set(&mut self, spans: &[Span<'_>], offset: usize) -> usize {
        self.tokens.clear();
        self.positions.clear();
        self.wanted.clear();
        for span in spans {
            self.tokens.extend_from_slice(span.tokens);
            self.positions.extend((0..span.tokens.len()).map(|i| (span.start + i + offset) as u32));
            let rows = self.tokens.len() as u32;
            self.wanted.extend(rows - span.want.rows(span.tokens.len()) as u32..rows);
        }
        self.tokens.len()
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
