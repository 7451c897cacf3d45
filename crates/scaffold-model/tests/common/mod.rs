//! Small steps around a decoder that several tests share.
// Each test binary uses some of it.
#![allow(dead_code, unreachable_pub)]

use std::sync::Arc;

use scaffold_formats::TensorSource;
use scaffold_model::{
    Decoder, Error, Exec, KvType, LoadOptions, ModelSpec, Precision, Session, SessionSize, Span,
    Want,
};
use scaffold_testing::golden::TinyGolden;

/// Tokens in a block: the fewest that a cache takes.
pub const BLOCK_TOKENS: usize = 16;
/// Blocks of a cache.
pub const BLOCKS: usize = 40;

pub fn exec() -> Arc<Exec> {
    Arc::new(Exec::new(2))
}

/// A decoder from a golden's directory, in f32.
pub fn decoder(golden: &TinyGolden) -> Arc<Decoder> {
    let spec =
        ModelSpec::from_config(&golden.config()).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
    load(&golden.weights(), spec, Precision::F32).unwrap_or_else(|e| panic!("{}: {e}", golden.name))
}

pub fn load(
    source: &dyn TensorSource,
    spec: ModelSpec,
    precision: Precision,
) -> Result<Arc<Decoder>, Error> {
    let options = LoadOptions { precision, ..LoadOptions::default() };
    Decoder::load(source, spec, exec(), &options).map(Arc::new)
}

/// A session with [`BLOCKS`] blocks.
pub fn session(decoder: &Arc<Decoder>, kv_type: KvType, rows: usize) -> Session {
    sized(decoder, SessionSize { blocks: BLOCKS, block_tokens: BLOCK_TOKENS, kv_type, rows })
}

pub fn sized(decoder: &Arc<Decoder>, size: SessionSize) -> Session {
    Session::new(Arc::clone(decoder), size).expect("a session")
}

/// One sequence over a cache of its own.
pub struct Lone {
    pub session: Session,
    pub blocks: Vec<u32>,
    pub length: usize,
    pub planned: usize,
}

impl Lone {
    pub fn new(decoder: &Arc<Decoder>, ty: KvType) -> Self {
        let session = session(decoder, ty, 256);
        Self { session, blocks: scattered(BLOCKS), length: 0, planned: 0 }
    }

    /// The next tokens' logits, all rows.
    pub fn feed(&mut self, tokens: &[u32]) -> Vec<f32> {
        self.try_feed(tokens).unwrap_or_else(|e| panic!("{e}"))
    }

    /// [`Lone::feed`], with its refusals.
    pub fn try_feed(&mut self, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let span = Span {
            tokens,
            start: self.length,
            blocks: &self.blocks,
            want: Want::All,
            planned: self.planned,
        };
        let rows = self.session.forward(&[span])?.to_vec();
        self.length += tokens.len();
        Ok(rows)
    }

    /// The same in pieces.
    pub fn feed_in(&mut self, tokens: &[u32], piece: usize) -> Vec<f32> {
        self.planned = tokens.len();
        tokens.chunks(piece).flat_map(|piece| self.feed(piece)).collect()
    }
}

/// All block ids, in an order that no code could mistake for the positions'.
pub fn scattered(blocks: usize) -> Vec<u32> {
    let step = 7;
    (0..blocks).map(|i| ((i * step + 3) % blocks) as u32).collect()
}

/// The index of the largest value.
pub fn argmax(row: &[f32]) -> u32 {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = i;
        }
    }
    best as u32
}
