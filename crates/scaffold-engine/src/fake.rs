//! A model and a vocabulary for tests: as strict about the KV cache as a real model, and
//! deterministic.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use scaffold_error::{Error, err};
use scaffold_model::{CacheOverflow, KvType, SessionSize, Span, Want};

use crate::forward::{Forward, LanguageModel, TextDecoder, Vocabulary};
use crate::request::ControlText;
use crate::sample::rng::philox4x32;

pub(crate) mod rules;

pub(crate) const VOCAB: usize = 32;
/// Logits after the vocabulary, as padded models have them: the highest of all.
pub(crate) const PADDED: usize = 40;
pub(crate) const EOS: u32 = 0;

/// What a test sees and steers from outside while the engine's thread owns the model.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    pub(crate) steps: AtomicUsize,
    pub(crate) rows: AtomicUsize,
    pub(crate) largest_batch: AtomicUsize,
    pub(crate) fail: AtomicBool,
    /// The next step panics.
    pub(crate) panic: AtomicBool,
    /// No new cache can be had.
    pub(crate) unprepared: AtomicBool,
    /// The weights' file has lost a part.
    pub(crate) lost: AtomicBool,
    /// The step returns no logits.
    pub(crate) silent: AtomicBool,
    /// The token that a cache of `f16` cannot hold; 0 for none.
    pub(crate) too_large: AtomicUsize,
    /// Each step waits until this is false.
    pub(crate) hold: AtomicBool,
    pub(crate) dropped: AtomicBool,
    /// The first tokens of prompts, in the order in which they were begun.
    pub(crate) begun: Mutex<Vec<u32>>,
    /// Steps that nobody waits for.
    pub(crate) unawaited: AtomicUsize,
}

/// Its "keys and values" are the tokens themselves, so that a wrong block, a missing row or a block
/// that was given away too early changes the logits, which are a hash of all tokens up to the row.
pub(crate) struct FakeModel {
    pub(crate) context: usize,
    pub(crate) probe: Arc<Probe>,
}

pub(crate) struct FakeSession {
    context: usize,
    probe: Arc<Probe>,
    block_tokens: usize,
    kv_type: KvType,
    cache: Vec<Option<u32>>,
    logits: Vec<f32>,
}

impl FakeModel {
    pub(crate) fn new(context: usize) -> Self {
        Self { context, probe: Arc::default() }
    }
}

impl FakeSession {
    fn row(&mut self, span: &Span<'_>, position: usize) {
        let at = |p: usize| {
            span.blocks[p / self.block_tokens] as usize * self.block_tokens + p % self.block_tokens
        };
        let mut hash = [7u32, 0, 0, 0];
        for p in 0..=position {
            let token =
                self.cache[at(p)].expect("attention reads a position that was never written");
            hash = philox4x32(hash, [token, p as u32]);
        }
        for id in 0..PADDED as u32 {
            let word = philox4x32(hash, [id, 1])[0];
            let logit = (word % 1000) as f32 / 100.0;
            self.logits.push(if (id as usize) < VOCAB { logit } else { 100.0 });
        }
    }
}

impl LanguageModel for FakeModel {
    fn vocab(&self) -> usize {
        PADDED
    }

    fn context(&self) -> usize {
        self.context
    }

    fn weight_bytes(&self) -> usize {
        1000
    }

    fn scratch_bytes(&self, rows: usize, _: usize) -> usize {
        rows
    }

    fn block_bytes(&self, block_tokens: usize, kv: KvType) -> Option<usize> {
        (kv != KvType::Q8).then(|| block_tokens * if kv == KvType::F32 { 4 } else { 2 })
    }

    fn check(&self) -> Result<(), Error> {
        if self.probe.lost.load(Ordering::SeqCst) { Err(told_to_fail()) } else { Ok(()) }
    }

    fn session(self: Arc<Self>, size: SessionSize) -> Result<Box<dyn Forward>, Error> {
        if self.probe.unprepared.load(Ordering::SeqCst) {
            return Err(told_to_fail());
        }
        Ok(Box::new(FakeSession {
            context: self.context,
            probe: Arc::clone(&self.probe),
            block_tokens: size.block_tokens,
            kv_type: size.kv_type,
            cache: vec![None; size.blocks * size.block_tokens],
            logits: Vec::new(),
        }))
    }
}

pub(crate) fn told_to_fail() -> Error {
    err!(Internal, "the fake model was told to fail")
}

impl Forward for FakeSession {
    fn set_awaited(&mut self, awaited: bool) {
        self.probe.unawaited.fetch_add(usize::from(!awaited), Ordering::SeqCst);
    }

    fn forward(&mut self, spans: &[Span<'_>]) -> Result<&[f32], Error> {
        while self.probe.hold.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        if self.probe.fail.swap(false, Ordering::SeqCst) {
            return Err(told_to_fail());
        }
        assert!(
            !self.probe.panic.swap(false, Ordering::SeqCst),
            "the fake model was told to panic"
        );
        let too_large = self.probe.too_large.load(Ordering::SeqCst) as u32;
        let mut tokens = spans.iter().flat_map(|span| span.tokens);
        if self.kv_type == KvType::F16 && too_large > 0 && tokens.any(|&t| t == too_large) {
            return Err(CacheOverflow { layer: 0 }.into());
        }
        let rows: usize = spans.iter().map(|s| s.tokens.len()).sum();
        self.probe.steps.fetch_add(1, Ordering::SeqCst);
        self.probe.rows.fetch_add(rows, Ordering::SeqCst);
        self.probe.largest_batch.fetch_max(spans.len(), Ordering::SeqCst);
        self.logits.clear();
        for span in spans {
            if span.start == 0 {
                self.probe.begun.lock().unwrap().push(span.tokens[0]);
            }
            assert!(!span.tokens.is_empty() && span.start + span.tokens.len() <= self.context);
            for (row, &token) in span.tokens.iter().enumerate() {
                let p = span.start + row;
                let slot = span.blocks[p / self.block_tokens] as usize * self.block_tokens
                    + p % self.block_tokens;
                self.cache[slot] = Some(token);
            }
        }
        if self.probe.silent.load(Ordering::SeqCst) {
            return Ok(&[]);
        }
        for span in spans {
            let last = span.start + span.tokens.len() - 1;
            match span.want {
                Want::Nothing => {}
                Want::Last => self.row(span, last),
                Want::All => (span.start..=last).for_each(|p| self.row(span, p)),
            }
        }
        Ok(&self.logits)
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.probe.dropped.store(true, Ordering::SeqCst);
    }
}

/// Token 0 has no text, the others are letters; every eighth needs its successor to be complete.
pub(crate) struct Letters;

struct LetterDecoder {
    held: String,
}

pub(crate) fn letter(id: u32) -> char {
    char::from(b'a' + (id % 26) as u8)
}

impl Vocabulary for Letters {
    fn size(&self) -> usize {
        VOCAB
    }

    fn decoder(&self, _: &ControlText) -> Box<dyn TextDecoder> {
        Box::new(LetterDecoder { held: String::new() })
    }
}

impl TextDecoder for LetterDecoder {
    fn push(&mut self, id: u32) -> Result<Option<String>, Error> {
        self.held.push(letter(id));
        Ok((id % 8 != 7).then(|| std::mem::take(&mut self.held)))
    }

    fn finish(&mut self) -> Result<Option<String>, Error> {
        Ok((!self.held.is_empty()).then(|| std::mem::take(&mut self.held)))
    }
}
