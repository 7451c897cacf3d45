//! The decoder of `scaffold-model` and the tokenizer of `scaffold-text`, as the engine sees them.

use std::sync::Arc;

use scaffold_model::{Decoder, KvCache, KvType, ModelError, ModelSpec, Scratch, Span};
use scaffold_text::{StreamDecoder, Tokenizer};

use crate::forward::{Forward, TextDecoder, Vocabulary};

/// A decoder with the KV cache and the buffers that the engine planned for it.
#[derive(Debug)]
pub struct DecoderModel {
    decoder: Decoder,
    prepared: Option<Prepared>,
}

struct Prepared {
    kv: KvCache,
    scratch: Scratch,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("kv_bytes", &self.kv.bytes())
            .finish_non_exhaustive()
    }
}

impl DecoderModel {
    /// A decoder that has no cache yet.
    pub fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            prepared: None,
        }
    }

    /// The decoder.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

impl Forward for DecoderModel {
    type Error = ModelError;

    fn vocab(&self) -> usize {
        self.decoder.spec().vocab
    }

    fn context(&self) -> usize {
        self.decoder.spec().context
    }

    fn positions(&self) -> usize {
        let learned = self.decoder.spec().embedding.positions;
        learned.map_or(usize::MAX, |table| table.rows - table.offset)
    }

    fn length_regime(&self, prompt_tokens: usize) -> usize {
        self.decoder.spec().length_regime(prompt_tokens)
    }

    fn outgrows(&self, planned: usize, length: usize) -> bool {
        self.decoder.spec().outgrows(planned, length)
    }

    fn weight_bytes(&self) -> usize {
        self.decoder.weight_bytes()
    }

    fn scratch_bytes(&self, rows: usize) -> usize {
        scratch_bytes(self.decoder.spec(), rows)
    }

    fn block_bytes(&self, block_tokens: usize, kv: KvType) -> Option<usize> {
        self.decoder.spec().kv_shape(1, block_tokens).bytes(kv)
    }

    fn prepare(
        &mut self,
        blocks: usize,
        block_tokens: usize,
        kv: KvType,
        rows: usize,
    ) -> Result<(), ModelError> {
        let kv = self.decoder.new_kv(blocks, block_tokens, kv)?;
        self.prepared = Some(Prepared {
            kv,
            scratch: self.decoder.new_scratch(rows),
        });
        Ok(())
    }

    fn overflowed(error: &ModelError) -> bool {
        matches!(error, ModelError::CacheOverflow { .. })
    }

    fn forward(&mut self, spans: &[Span<'_>]) -> Result<&[f32], ModelError> {
        match &mut self.prepared {
            Some(Prepared { kv, scratch }) => self.decoder.forward(spans, kv, scratch),
            // Only a caller that skips `prepare` comes here; there is nothing that could be computed for it.
            None => Ok(&[]),
        }
    }
}

/// About what the buffers of a step of `rows` rows take, in bytes: the widths that a layer holds at once, in `f32`, with
/// the input of a matrix once more in 8 bits, and a row of logits.
pub fn scratch_bytes(spec: &ModelSpec, rows: usize) -> usize {
    let heads = (2 * spec.attention.heads + 2 * spec.attention.kv_heads) * spec.attention.head_dim;
    let inner = spec
        .moe
        .map_or(spec.mlp.inner, |moe| moe.inner.max(spec.mlp.inner));
    let row = 4 * spec.hidden + 2 * heads + 4 * inner;
    rows.saturating_mul(row)
        .saturating_add(spec.vocab)
        .saturating_mul(size_of::<f32>())
}

impl Vocabulary for Arc<Tokenizer> {
    fn size(&self) -> usize {
        self.vocab_size()
    }

    fn decoder(&self, special: bool) -> Box<dyn TextDecoder> {
        let tokenizer = Arc::clone(self);
        Box::new(if special {
            StreamDecoder::with_special(tokenizer)
        } else {
            StreamDecoder::new(tokenizer)
        })
    }
}

impl TextDecoder for StreamDecoder {
    fn push(&mut self, id: u32) -> Option<String> {
        StreamDecoder::push(self, id)
    }

    fn finish(&mut self) -> Option<String> {
        StreamDecoder::finish(self)
    }
}
