//! Prefixes of prompts that are kept on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use scaffold_engine::{Engine, PromptPrefix, Request, Scores, Stop};
use scaffold_error::{Kind, Notice, Topic, err};
use scaffold_formats::kept::{KeptAbout, KeptFile, KeptWriter};
use scaffold_text::{Message, RenderOptions};
use serde::Serialize;

use super::loaded::Loaded;
use super::manager::LlmManager;
use crate::error::Error;
use crate::packed::use_now;
use crate::prefixes::Shelf;

/// A prefix that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeptPrefix {
    /// The name that it is kept under.
    pub name: String,
    /// Tokens of it that need not be computed: whole blocks of the cache.
    pub tokens: usize,
    /// Whether it was there already: nothing was computed.
    pub from_disk: bool,
    /// Its file.
    pub path: PathBuf,
}

/// Prompts that begin alike: what was computed of their beginning is kept on disk.
impl LlmManager {
    /// Has the beginning of chats ready that begin with these messages, such as a long system
    /// message: reads it from disk, where it was kept under this name by an earlier start, and
    /// otherwise computes and keeps it. Answers are the same, bit for bit, as without; the prompt's
    /// first tokens only need not be computed.
    ///
    /// It lies in the model's cache like what was left by a chat, and gives way like that where
    /// others need the room. Requests with a salt do not share it.
    ///
    /// ```no_run
    /// use scaffold::{LlmManager, Message, RenderOptions};
    ///
    /// let model = LlmManager::from_pretrained("starter")?;
    /// let rules = Message::system(std::fs::read_to_string("rules.txt").unwrap_or_default());
    /// let kept = model.keep_prefix("rules", &[rules], &RenderOptions::default())?;
    /// println!("{} tokens are ready", kept.tokens);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// Messages that the model's chat format refuses, a beginning that is shorter than a block of
    /// the cache, no place to keep it, or a failure while computing or writing. A kept file that is
    /// of no use is not an error: it is written anew, with a notice if it was damaged.
    pub fn keep_prefix(
        &self,
        name: &str,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<KeptPrefix, Error> {
        // What two chats have in common that go on with different words.
        let render = |words: &str| {
            let chat = [messages, &[Message::user(words)]].concat();
            self.chat_ids(&chat, options)
        };
        let (mut one, other) = (render("A")?, render("? 1")?);
        let common = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        one.truncate(common);
        self.keep_prefix_ids(name, one)
    }

    /// As [`keep_prefix`](Self::keep_prefix), for prompts that begin with these tokens.
    ///
    /// # Errors
    /// As [`keep_prefix`](Self::keep_prefix), and tokens that the model does not have.
    pub fn keep_prefix_ids(&self, name: &str, ids: Vec<u32>) -> Result<KeptPrefix, Error> {
        let loaded = self.loaded()?;
        let kept = self.keep_in(&loaded, name, ids);
        self.named(kept)
    }

    fn keep_in(&self, loaded: &Loaded, name: &str, mut ids: Vec<u32>) -> Result<KeptPrefix, Error> {
        let Some(shelf) = &loaded.shelf else {
            return Err(err!(
                Unavailable,
                "there is no place where prefixes could be kept: this user has no home directory (HOME) and SCAFFOLD_CACHE is \
                 not set, or the options of loading name none"
            ));
        };
        let (engine, block) = (&loaded.engine, loaded.engine.memory().block_tokens);
        let (path, blocks) = (shelf.path(name)?, engine.prefix_blocks(ids.len()));
        if blocks == 0 {
            let tokens = ids.len();
            return Err(err!(
                Usage,
                "the beginning has {tokens} tokens, and what is kept are whole blocks of {block}: it is too short to be worth it"
            ));
        }
        ids.truncate(blocks * block);
        let tokens: Arc<[u32]> = ids.into();
        let prefix = |from_disk| KeptPrefix {
            name: name.to_owned(),
            tokens: tokens.len(),
            from_disk,
            path: path.clone(),
        };
        match read(&path, shelf, engine, &tokens) {
            Ok(true) => {
                use_now(&path);
                return Ok(prefix(true));
            }
            Ok(false) => {}
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => {
                let text = format!("{error}; the prefix `{name}` was computed again");
                self.tell(Notice::new(Topic::Files, text));
            }
        }
        let about = KeptAbout {
            key: shelf.key.clone(),
            name: name.to_owned(),
            model: self.name().to_string(),
            tokens: tokens.to_vec(),
            block_tokens: block,
            block_bytes: 0,
        };
        // Others may need a block before it is written: once more, then.
        let compute = || {
            compute(engine, &tokens)?;
            let prefix = PromptPrefix::new(Arc::clone(&tokens));
            write(&path, shelf, engine, &prefix, about.clone(), || Ok(()))
        };
        compute()
            .or_else(|error| if error.kind() == Kind::Busy { compute() } else { Err(error) })?;
        Ok(prefix(false))
    }
}

/// Puts a kept prefix into the cache; `false` where the file is of another model, or holds other
/// tokens.
fn read(path: &Path, shelf: &Shelf, engine: &Engine, tokens: &Arc<[u32]>) -> Result<bool, Error> {
    let mut file = KeptFile::open(path)?;
    let about = file.about();
    if about.key != shelf.key || about.tokens[..] != tokens[..] {
        return Ok(false);
    }
    let prefix = PromptPrefix::new(Arc::clone(tokens));
    let mut index = 0;
    while let Some(bytes) = file.block()? {
        engine.copy_prefix_in(&prefix, index, bytes)?;
        index += 1;
    }
    Ok(true)
}

/// Computes a prefix, and nothing after it.
fn compute(engine: &Engine, tokens: &Arc<[u32]>) -> Result<(), Error> {
    // A token is in the cache once the one after it is asked for: any will do.
    let after = [&tokens[..], &tokens[..1]].concat();
    let request = Request {
        stop: Stop { max_new_tokens: Some(0), ..Stop::default() },
        scores: Some(Scores { from: tokens.len(), top: 0 }),
        ..Request::new(after)
    };
    for event in engine.submit_when_free(request)? {
        if let scaffold_engine::Event::Failed(error) = event {
            return Err(error);
        }
    }
    Ok(())
}

/// Writes a prefix that is in the cache, for as long as it may go on.
pub(super) fn write(
    path: &Path,
    shelf: &Shelf,
    engine: &Engine,
    prefix: &PromptPrefix,
    about: KeptAbout,
    go_on: impl Fn() -> Result<(), Error>,
) -> Result<(), Error> {
    let first = engine.copy_prefix_out(prefix, 0)?;
    let about = KeptAbout { block_bytes: first.len(), ..about };
    let blocks = about.blocks();
    let bytes = (first.len() as u64 + 8) * blocks as u64 + 16 * prefix.tokens.len() as u64;
    shelf.make_room(path, bytes)?;
    let mut file = KeptWriter::create(path, about)?;
    file.block(&first)?;
    for index in 1..blocks {
        go_on()?;
        file.block(&engine.copy_prefix_out(prefix, index)?)?;
    }
    file.finish()
}
