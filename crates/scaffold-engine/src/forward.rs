//! What the engine needs of a model and of a vocabulary: small traits, so that scheduling and
//! sampling are tested without weights.

use std::sync::Arc;
use std::time::Duration;

use scaffold_error::{Error, err};
use scaffold_model::{KvType, SessionSize, Span};

use crate::blocks::BlockId;
use crate::request::ControlText;

/// A model's weights: what they are, and the sessions that compute with them.
pub trait LanguageModel: Send + Sync {
    /// Values in one row of logits. May be more than the tokenizer knows; the rest is never chosen.
    fn vocab(&self) -> usize;

    /// Positions that the model was made for.
    fn context(&self) -> usize;

    /// Positions that can be computed at all: where each has a learned embedding, there are no
    /// more.
    fn positions(&self) -> usize {
        usize::MAX
    }

    /// Which prompts' keys and values can be shared: prompts of lengths with equal regimes.
    /// Constant for all models but those whose position encoding depends on the length of the whole
    /// prompt.
    fn length_regime(&self, _prompt_tokens: usize) -> usize {
        0
    }

    /// Whether a sequence that was planned for `planned` tokens and has come to `length` must be
    /// computed anew, all its positions being encoded in another way from here on.
    fn outgrows(&self, _planned: usize, _length: usize) -> bool {
        false
    }

    /// Bytes of the packed weights.
    fn weight_bytes(&self) -> usize;

    /// Bytes of the buffers for steps of `rows` rows, of which `logits` get logits.
    fn scratch_bytes(&self, rows: usize, logits: usize) -> usize;

    /// Bytes of one KV block of `block_tokens` positions; `None` where the model cannot store its
    /// cache so.
    fn block_bytes(&self, block_tokens: usize, kv: KvType) -> Option<usize>;

    /// Whether the weights are still all there: asked after each step.
    ///
    /// # Errors
    /// They are not; the requests of the step, and all later ones, fail with it.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// A KV cache and buffers of this size: before the first step, if the cache has to hold larger
    /// numbers, and when a step broke off.
    ///
    /// # Errors
    /// When the memory cannot be had.
    fn session(self: Arc<Self>, size: SessionSize) -> Result<Box<dyn Forward>, Error>;
}

/// A session of a model: token rows in, logits out.
///
/// A row's result must not depend on the other rows of the call, nor on how its sequence was cut
/// into calls: the engine relies on it when it mixes requests, puts sequences back and shares
/// blocks between them.
pub trait Forward: Send {
    /// Whether somebody waits for the results of the next step: told before it, for models that
    /// share a machine.
    fn set_awaited(&mut self, _awaited: bool) {}

    /// How long the last step waited for others that compute in this process.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    /// Computes all rows of `spans` and returns the wanted rows of logits, in order:
    /// `[wanted rows, vocab]`.
    ///
    /// # Errors
    /// Whatever the model reports; the requests of this step then fail with it. Only where the
    /// cause is a [`CacheOverflow`](scaffold_model::CacheOverflow) are they tried again, with a cache
    /// of larger numbers.
    fn forward(&mut self, spans: &[Span<'_>]) -> Result<&[f32], Error>;

    /// What a block of the cache holds, to be kept and [put back](Self::copy_in).
    ///
    /// # Errors
    /// There is no such block, or the model's cache cannot be copied.
    fn copy_out(&self, _block: BlockId) -> Result<Vec<u8>, Error> {
        Err(cannot_copy())
    }

    /// Puts into a block of the cache what was copied out of one.
    ///
    /// # Errors
    /// There is no such block, the bytes are not those of a block of this cache, or the model's
    /// cache cannot be copied.
    fn copy_in(&mut self, _block: BlockId, _bytes: &[u8]) -> Result<(), Error> {
        Err(cannot_copy())
    }
}

fn cannot_copy() -> Error {
    err!(Unsupported, "this model's cache cannot be copied, so that no prefix of it can be kept")
}

/// What the engine needs of a tokenizer.
pub trait Vocabulary: Send + Sync {
    /// Tokens that may be chosen: ids from 0 up to here.
    fn size(&self) -> usize;

    /// A decoder for one answer, with the text of these control tokens.
    fn decoder(&self, controls: &ControlText) -> Box<dyn TextDecoder>;
}

/// Turns the tokens of one answer into text as they come.
pub trait TextDecoder: Send {
    /// The text that is certain after this token. Never half a character.
    ///
    /// # Errors
    /// The tokens cannot be turned into text; the answer ends with that.
    fn push(&mut self, id: u32) -> Result<Option<String>, Error>;

    /// What is left when the answer ends.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    fn finish(&mut self) -> Result<Option<String>, Error>;
}
