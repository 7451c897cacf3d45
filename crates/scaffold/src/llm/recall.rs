//! Long prompts that are kept on disk by themselves, and found again.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scaffold_engine::{PromptPrefix, Request};
use scaffold_error::{Kind, err};
use scaffold_formats::kept::{KeptAbout, KeptFile};

use super::loaded::Loaded;
use super::manager::LlmManager;
use super::prefix::write;
use crate::error::Error;
use crate::packed::use_now;
use crate::prompts::{Kept, Prompts};

/// How long a model that is unloaded may take to write its prompts.
const LAST: Duration = Duration::from_secs(10);
/// How long a model that is idle may.
const IDLE: Duration = Duration::from_mins(5);

impl LlmManager {
    /// Writes the long prompts that were used last to disk, as far as they are in the cache and not
    /// there already ([`LoadOptions::prompts`](crate::LoadOptions::prompts)): for a model that nobody
    /// uses just now. One that has grown by little since it was written is left for later. Returns
    /// how many were written.
    ///
    /// # Errors
    /// The model is not loaded, or a file cannot be written.
    pub fn keep_prompts(&self) -> Result<usize, Error> {
        let loaded = self.loaded()?;
        let kept = loaded.keep_prompts(&self.name(), 4, Instant::now() + IDLE);
        self.named(kept)
    }

    /// As [`keep_prompts`](Self::keep_prompts), before the model goes.
    pub(super) fn keep_last_prompts(&self) {
        if let Ok(loaded) = self.loaded() {
            let kept = loaded.keep_prompts(&self.name(), usize::MAX, Instant::now() + LAST);
            if let Err(error) = kept {
                crate::trace::not_kept(&self.name(), &error);
            }
        }
    }
}

impl Loaded {
    /// Puts what lies on disk of a prompt into the cache, where that is worth it, and notes the
    /// prompt. What goes wrong with that costs time and nothing else.
    pub(super) fn recall(&self, request: &Request) {
        let Some(prompts) = &self.prompts else {
            return;
        };
        if request.prompt.len() < prompts.options.least {
            return;
        }
        let prompt = PromptPrefix {
            tokens: request.prompt.as_slice().into(),
            prompt_tokens: request.prompt.len(),
            salt: request.standing.salt.clone(),
        };
        if self.read_kept(prompts, &prompt).is_err() {
            prompts.look_again();
        }
        prompts.note(prompt);
    }

    fn read_kept(&self, prompts: &Prompts, prompt: &PromptPrefix) -> Result<(), Error> {
        let block = self.engine.memory().block_tokens;
        let cached = self.engine.cached_prefix(prompt)?;
        let key = prompts.key(cached.regime, prompt.salt.as_ref());
        let Some((kept, equal)) = prompts.longest(&key, &prompt.tokens) else {
            return Ok(());
        };
        let blocks = (equal / block).min(self.engine.prefix_blocks(prompt.tokens.len()));
        if blocks * block < cached.blocks * block + prompts.options.least / 2 {
            return Ok(());
        }
        let copied = self.copy_in(prompt, &kept, &key, cached.blocks..blocks);
        if copied.as_ref().is_err_and(|error| error.kind() == Kind::Damaged) {
            // It would be read in vain each time.
            let _ = std::fs::remove_file(&kept.path);
        }
        copied
    }

    /// Copies blocks of a file into the cache, which has those before them.
    fn copy_in(
        &self,
        prompt: &PromptPrefix,
        kept: &Kept,
        key: &str,
        blocks: Range<usize>,
    ) -> Result<(), Error> {
        let equal = blocks.end * self.engine.memory().block_tokens;
        let mut file = KeptFile::open(&kept.path)?;
        let about = file.about();
        if about.key != key || about.tokens.get(..equal) != prompt.tokens.get(..equal) {
            return Err(err!(NotFound, "the file is another one by now"));
        }
        for index in 0..blocks.end {
            let Some(bytes) = file.block()? else {
                break;
            };
            if index >= blocks.start {
                self.engine.copy_prefix_in(prompt, index, bytes)?;
            }
        }
        use_now(&kept.path);
        Ok(())
    }

    /// Writes prompts that have grown by a `part`th since they were written, or by what makes a
    /// prompt worth it.
    fn keep_prompts(&self, model: &str, part: usize, until: Instant) -> Result<usize, Error> {
        let Some(prompts) = &self.prompts else {
            return Ok(0);
        };
        let mut written = 0;
        for prompt in prompts.used() {
            if prompts.options.hurry.is_wanted() {
                break;
            }
            let kept = self.keep_prompt(prompts, &prompt, model, part, until);
            if kept.is_err() {
                // What failed would fail again: it is tried when the prompt is used again.
                prompts.forget(&prompt);
            }
            written += usize::from(kept?);
        }
        Ok(written)
    }

    fn keep_prompt(
        &self,
        prompts: &Prompts,
        prompt: &PromptPrefix,
        model: &str,
        part: usize,
        until: Instant,
    ) -> Result<bool, Error> {
        let (block, least) = (self.engine.memory().block_tokens, prompts.options.least);
        let cached = self.engine.cached_prefix(prompt)?;
        let blocks = cached.blocks.min(self.engine.prefix_blocks(prompt.tokens.len()));
        let tokens: Arc<[u32]> = prompt.tokens[..blocks * block].into();
        let key = prompts.key(cached.regime, prompt.salt.as_ref());
        let known = prompts.longest(&key, &tokens).map_or(0, |(_, equal)| equal);
        let gain = tokens.len() - known;
        // Blocks that are not whole are never in the cache.
        if gain + block < least.max(tokens.len() / part) {
            return Ok(false);
        }
        let name = Prompts::name(&key, &tokens);
        let path = prompts.shelf.path(&name)?;
        let about = KeptAbout {
            key: key.clone(),
            name,
            model: model.to_owned(),
            tokens: tokens.to_vec(),
            block_tokens: block,
            block_bytes: 0,
        };
        let go_on = || {
            let is_over = prompts.options.hurry.is_wanted() || Instant::now() > until;
            if is_over { Err(err!(Cancelled, "nobody waits for it")) } else { Ok(()) }
        };
        let prefix = PromptPrefix { tokens: Arc::clone(&tokens), ..prompt.clone() };
        match write(&path, &prompts.shelf, &self.engine, &prefix, about, go_on) {
            Ok(()) => {
                prompts.put(Kept { path, key, tokens });
                Ok(true)
            }
            // Others have needed its blocks, or the time is over.
            Err(error) if matches!(error.kind(), Kind::Busy | Kind::Cancelled) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
