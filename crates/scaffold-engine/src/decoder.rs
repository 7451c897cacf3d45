//! The decoder of `scaffold-model` and the tokenizer of `scaffold-text`, as the engine sees them.

use std::sync::Arc;
use std::time::Duration;

use scaffold_error::Error;
use scaffold_model::backend::Backend;
use scaffold_model::{Decoder, KvType, ModelSpec, Session, SessionSize, Span, Turn};
use scaffold_text::{StreamDecoder, Tokenizer};

use crate::blocks::BlockId;
use crate::forward::{Forward, LanguageModel, TextDecoder, Vocabulary};
use crate::request::ControlText;

impl<B: Backend> LanguageModel for Decoder<B> {
    fn vocab(&self) -> usize {
        self.spec().vocab
    }

    fn context(&self) -> usize {
        self.spec().context
    }

    fn positions(&self) -> usize {
        let learned = self.spec().embedding.positions;
        learned.map_or(usize::MAX, |table| table.rows - table.offset)
    }

    fn length_regime(&self, prompt_tokens: usize) -> usize {
        self.spec().length_regime(prompt_tokens)
    }

    fn outgrows(&self, planned: usize, length: usize) -> bool {
        self.spec().outgrows(planned, length)
    }

    fn weight_bytes(&self) -> usize {
        Decoder::weight_bytes(self)
    }

    fn scratch_bytes(&self, rows: usize, logits: usize) -> usize {
        scratch_bytes(self.spec(), rows, logits)
    }

    fn block_bytes(&self, block_tokens: usize, kv: KvType) -> Option<usize> {
        self.spec().kv_shape(1, block_tokens).bytes(kv)
    }

    fn check(&self) -> Result<(), Error> {
        self.check_weights()
    }

    fn session(self: Arc<Self>, size: SessionSize) -> Result<Box<dyn Forward>, Error> {
        Ok(Box::new(Session::new(self, size)?))
    }
}

impl<B: Backend> Forward for Session<B> {
    fn set_awaited(&mut self, awaited: bool) {
        self.set_weight(if awaited { Turn::AWAITED } else { 1 });
    }

    fn waited(&self) -> Duration {
        Session::waited(self)
    }

    fn forward(&mut self, spans: &[Span<'_>]) -> Result<&[f32], Error> {
        Session::forward(self, spans)
    }

    fn copy_out(&self, block: BlockId) -> Result<Vec<u8>, Error> {
        Session::copy_out(self, block)
    }

    fn copy_in(&mut self, block: BlockId, bytes: &[u8]) -> Result<(), Error> {
        Session::copy_in(self, block, bytes)
    }
}

/// About what the buffers of a step of `rows` rows take, in bytes: the widths that a layer holds at
/// once, in `f32`, with the input of a matrix once more in 8 bits, and `logits` rows of logits with
/// as much room again for their product.
pub fn scratch_bytes(spec: &ModelSpec, rows: usize, logits: usize) -> usize {
    let times = |n: usize, width: usize| width.saturating_mul(n);
    let attention = &spec.attention;
    let heads = attention.heads.saturating_add(attention.kv_heads);
    let inner = spec.moe.map_or(spec.mlp.inner, |moe| moe.inner.max(spec.mlp.inner));
    let row = times(4, spec.hidden)
        .saturating_add(times(4, times(heads, attention.head_dim)))
        .saturating_add(times(4, inner));
    // Nothing here has been compared with a file yet, so any size may be claimed.
    let values = times(rows, row).saturating_add(times(logits, times(2, spec.vocab)));
    values.saturating_mul(size_of::<f32>())
}

impl Vocabulary for Arc<Tokenizer> {
    fn size(&self) -> usize {
        self.vocab_size()
    }

    fn decoder(&self, controls: &ControlText) -> Box<dyn TextDecoder> {
        let tokenizer = Arc::clone(self);
        Box::new(match controls {
            ControlText::None => StreamDecoder::new(tokenizer),
            ControlText::All => StreamDecoder::with_special(tokenizer),
            ControlText::These(ids) => StreamDecoder::with_controls(tokenizer, Arc::clone(ids)),
        })
    }
}

impl TextDecoder for StreamDecoder {
    fn push(&mut self, id: u32) -> Result<Option<String>, Error> {
        StreamDecoder::push(self, id)
    }

    fn finish(&mut self) -> Result<Option<String>, Error> {
        StreamDecoder::finish(self)
    }
}
