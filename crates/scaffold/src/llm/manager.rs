//! [`LlmManager`]: a model that answers.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scaffold_engine::{Engine, Health, MemoryPlan};
use scaffold_error::{Notice, err};
use scaffold_hub::{LocalModel, Progress, Silent};

use super::defaults::Defaults;
use super::loaded::{Loaded, ModelInfo};
use super::own::Own;
use super::text::ModelText;
use crate::Message;
use crate::builder::{Builder, FromModel};
use crate::config::Config;
use crate::error::Error;
use crate::model::Model;
use crate::options::LoadOptions;
use crate::packed::Keeping;
use crate::slot::{Absent, Slot};

/// A language model, loaded in this process.
///
/// All methods take `&self` and may be called from several threads at once: requests are computed
/// together.
///
/// ```no_run
/// use std::io::Write as _;
///
/// use scaffold::LlmManager;
///
/// let model = LlmManager::from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")?;
/// println!("{}", model.generate("What is sustainability?")?);
/// for piece in model.generate_stream("Write a haiku about rivers.")? {
///     print!("{}", piece?);
///     std::io::stdout().flush()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Prompts that are written in the model's chat format already
/// [`generate`](Self::generate), [`batch`](Self::batch) and what is built on them put the prompt
/// into the model's chat format as the words of a user. A prompt that is written in that format already is taken as it is. It is
/// recognised by what the model's own template writes: the last line before a user's words (such as
/// `<|im_start|>user` or `[INST]`) and after it the last line before the answer
/// (`<|im_start|>assistant`, `[/INST]`) must both be in the prompt, in this order. Another model's
/// format is not recognised; it is text like any other.
///
/// That is for prompts of the program's own. Where others say what the prompt is, they could write
/// a system message or an answer into it: [`LoadOptions::special_as_text`] takes all of it for
/// words of a user.
#[derive(Debug)]
pub struct LlmManager {
    pub(super) name: Arc<str>,
    pub(super) local: LocalModel,
    pub(super) options: LoadOptions,
    pub(super) defaults: Defaults,
    pub(super) notices: Mutex<Vec<Notice>>,
    pub(super) info: ModelInfo,
    /// Shared with the models of one's own that are made from this one.
    pub(super) slot: Arc<Slot<Loaded>>,
    pub(super) own: Option<Own>,
}

impl LlmManager {
    /// The configured model (`LLM_MODEL`), with the configuration of this process: its environment,
    /// and `.env` and `scaffold.toml` in the current directory. Fetches the model if it is not on
    /// this disk.
    ///
    /// # Errors
    /// A setting that cannot be used, a model that cannot be found, fetched, read, computed or held
    /// in memory.
    pub fn new() -> Result<Self, Error> {
        Builder::new(None).load()
    }

    /// A given model: a repository (`org/name`, `org/name@revision`), a directory, a GGUF file or
    /// an alias; otherwise as [`new`](Self::new).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_pretrained(model: &str) -> Result<Self, Error> {
        Self::builder(model).load()
    }

    /// A given model, with more to be said of how it is loaded.
    pub fn builder<'a>(model: impl Into<String>) -> Builder<'a, Self> {
        Builder::new(Some(model.into()))
    }

    /// What was done in another way than might be expected.
    pub fn notices(&self) -> Vec<Notice> {
        self.lock_notices().clone()
    }

    /// Adds a notice, if it is not the last one already.
    pub(super) fn tell(&self, notice: Notice) {
        let mut notices = self.lock_notices();
        if notices.last() != Some(&notice) {
            notices.push(notice);
        }
    }

    fn lock_notices(&self) -> MutexGuard<'_, Vec<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the packed weights of a first start are being written to disk.
    pub fn is_keeping(&self) -> bool {
        let loaded = self.loaded();
        loaded.is_ok_and(|loaded| loaded.keeping.as_ref().is_some_and(Keeping::is_running))
    }

    /// Waits until the packed weights of a first start are on disk, where they are being kept; a
    /// notice if they could not be. Unloading waits, too.
    pub fn finish_keeping(&self) -> Option<Notice> {
        let loaded = self.loaded().ok()?;
        loaded.keeping.as_ref()?.wait()
    }

    /// What the model is and what it takes.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The model's name, in its full form.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The model's files, and where they came from.
    pub fn local(&self) -> &LocalModel {
        &self.local
    }

    /// The plan of the memory that the model takes while it is loaded.
    ///
    /// # Errors
    /// The model was unloaded, or is being loaded.
    pub fn memory(&self) -> Result<MemoryPlan, Error> {
        Ok(self.loaded()?.engine.memory().clone())
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// The model was unloaded, or is being loaded.
    pub fn tokenizer(&self) -> Result<Arc<scaffold_text::Tokenizer>, Error> {
        Ok(Arc::clone(&self.loaded()?.text.tokenizer))
    }

    /// The engine below, for doors that need more of it.
    ///
    /// # Errors
    /// The model was unloaded, or is being loaded.
    pub fn engine(&self) -> Result<Engine, Error> {
        Ok(self.loaded()?.engine.clone())
    }

    /// A few lines for people: the model, its format, its context and its memory.
    pub fn describe(&self) -> String {
        self.info.describe(&self.name)
    }

    /// Frees the model's memory. Answers that are being computed end with an error, later calls
    /// with an error, until [`load`](Self::load). Long prompts are
    /// [kept](crate::LoadOptions::prompts) before that, where they are to be. While another thread loads the model,
    /// this waits for it.
    pub fn unload(&self) {
        self.keep_last_prompts();
        self.slot.unload();
    }

    /// Whether the model is in memory and takes requests: not while it is being loaded, and not
    /// when its engine has ended ([`health`](Self::health) says why).
    pub fn is_loaded(&self) -> bool {
        self.slot.is_alive()
    }

    /// How the engine is: whether it takes requests, and what faults of its own it has met.
    ///
    /// # Errors
    /// The model was unloaded, or is being loaded.
    pub fn health(&self) -> Result<Health, Error> {
        Ok(self.loaded()?.engine.health())
    }

    /// Loads the model again after [`unload`](Self::unload), or when its engine has ended. Does
    /// nothing while it is loaded; of several threads one loads, and the others wait for it.
    ///
    /// # Errors
    /// A model that cannot be read, computed or held in memory.
    pub fn load(&self) -> Result<(), Error> {
        self.slot.load(|| {
            let model = Model::open(&self.local, &self.options)?;
            Ok(Loaded::of(&model, &mut Silent)?.0)
        })
    }

    /// The text side: with a template of one's own, where there is one.
    pub(super) fn text<'l>(&'l self, loaded: &'l Loaded) -> &'l ModelText {
        self.own.as_ref().and_then(|own| own.text.as_ref()).unwrap_or(&loaded.text)
    }

    /// The chat with what chats with this model begin with.
    pub(super) fn begun<'m>(&self, messages: &'m [Message]) -> Cow<'m, [Message]> {
        self.own.as_ref().map_or(Cow::Borrowed(messages), |own| own.begun(messages))
    }

    pub(super) fn loaded(&self) -> Result<Arc<Loaded>, Error> {
        let name = &self.local.name;
        let error = |absent| match absent {
            Absent::Loading => err!(
                Busy,
                "{name} is being loaded by another thread and takes no requests yet: repeat this when its load() has returned, \
                 or call load(), which waits for it"
            ),
            Absent::Unloaded => {
                err!(Unavailable, "{name} was unloaded and is not in memory: call load() first")
            }
        };
        self.slot.get().map_err(|absent| error(absent).of_model(name))
    }
}

impl FromModel for LlmManager {
    fn from_model(
        model: &Model,
        config: &Config,
        mut notices: Vec<Notice>,
        progress: &mut dyn Progress,
    ) -> Result<Self, Error> {
        let (loaded, mut told) = Loaded::of(model, progress)?;
        let recommended = &loaded.text.recommended;
        let mut defaults = Defaults::new(config, recommended, model.spec().vocab)?;
        notices.append(&mut told);
        notices.append(&mut defaults.notices);
        let base = Self {
            name: model.name().into(),
            local: model.local().clone(),
            options: model.options().clone(),
            defaults,
            notices: Mutex::new(notices),
            info: loaded.info.clone(),
            slot: Arc::new(Slot::of(loaded)),
            own: None,
        };
        match &model.local().made {
            Some(made) => base.as_made(made, config),
            None => Ok(base),
        }
    }
}

#[cfg(test)]
mod tests;
