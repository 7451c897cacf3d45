//! Prefixes of prompts, out of the cache and into it.

use std::sync::mpsc::sync_channel;

use scaffold_error::{Error, err};

use super::Engine;
use crate::prefix::{Ask, Cached, Place, PromptPrefix};
use crate::sample::check::known;
use crate::thread::Command;

impl Engine {
    /// Whole blocks of a prefix of so many tokens that a prompt can begin with: what can be kept of it.
    pub fn prefix_blocks(&self, tokens: usize) -> usize {
        tokens.min(self.memory().context - 1) / self.memory().block_tokens
    }

    /// What the cache holds of a prefix that was computed before: one of its
    /// [blocks](Self::prefix_blocks), from 0.
    ///
    /// # Errors
    /// The block is not in the cache (any more), the model's cache cannot be copied, or the engine
    /// has ended.
    pub fn copy_prefix_out(&self, prefix: &PromptPrefix, index: usize) -> Result<Vec<u8>, Error> {
        let (reply, answer) = sync_channel(1);
        self.ask(Ask::Out(self.place(prefix, index)?, reply))?;
        answer.recv().unwrap_or_else(|_| Err(self.reason()))
    }

    /// Puts a block of a prefix into the cache, which has to have those before it. What it held before is taken on trust: the block has to be one that the same
    /// model computed for these very tokens. It gives way as any other that nobody has used for
    /// long.
    ///
    /// # Errors
    /// A block before it is not in the cache (any more), no block is free, the bytes are not those
    /// of a block, tokens that the model does not have, or the engine has ended.
    pub fn copy_prefix_in(
        &self,
        prefix: &PromptPrefix,
        index: usize,
        bytes: Vec<u8>,
    ) -> Result<(), Error> {
        let (reply, answer) = sync_channel(1);
        self.ask(Ask::In(self.place(prefix, index)?, bytes, reply))?;
        answer.recv().unwrap_or_else(|_| Err(self.reason()))
    }

    /// What the cache holds of a prefix now.
    ///
    /// # Errors
    /// The engine has ended.
    pub fn cached_prefix(&self, prefix: &PromptPrefix) -> Result<Cached, Error> {
        let (reply, answer) = sync_channel(1);
        self.ask(Ask::Find(prefix.clone(), reply))?;
        answer.recv().map_err(|_| self.reason())
    }

    fn place(&self, prefix: &PromptPrefix, index: usize) -> Result<Place, Error> {
        let tokens = &prefix.tokens;
        let blocks = self.prefix_blocks(tokens.len());
        if index >= blocks {
            let count = tokens.len();
            return Err(err!(
                Usage,
                "a prefix of {count} tokens has {blocks} whole blocks here, and block {index} is none of them"
            ));
        }
        tokens.iter().try_for_each(|&id| known("prefix", id, self.shared.model_vocab))?;
        Ok(Place { prefix: prefix.clone(), index })
    }

    fn ask(&self, ask: Ask) -> Result<(), Error> {
        self.shared.commands.send(Command::Prefix(ask)).map_err(|_| self.reason())
    }

    /// Why the engine has ended.
    fn reason(&self) -> Error {
        self.shared.record.reason()
    }
}
