//! [`LlmManager`]: a model that answers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scaffold_engine::{Engine, EventStream, Health, MemoryPlan, Request, Sampling, Stop};
use scaffold_hub::{self as hub, ModelFiles, Progress};

use super::defaults::Defaults;
use super::loaded::{Loaded, ModelInfo};
use super::stream::AnswerStream;
use crate::config::{Config, Setting, Source};
use crate::error::Error;
use crate::notice::Notice;
use crate::options::LoadOptions;
use crate::packed::Keeping;
use crate::{Message, RenderOptions, locate};

/// A language model, loaded in this process.
///
/// All methods take `&self` and may be called from several threads at once: requests are computed
/// together.
///
/// ```no_run
/// use scaffold::LlmManager;
///
/// let model = LlmManager::from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")?;
/// println!("{}", model.generate_response("What is sustainability?")?);
/// for piece in model.generate_stream("Write a haiku about rivers.")? {
///     print!("{}", piece?);
/// }
/// # Ok::<(), scaffold::Error>(())
/// ```
///
/// # Prompts that are written in the model's chat format already
/// [`generate_response`](Self::generate_response), [`generate_stream`](Self::generate_stream) and
/// [`batch_generate`](Self::batch_generate) put the prompt into the model's chat format as the
/// words of a user. A prompt that is written in that format already is taken as it is. It is
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
    name: String,
    path: PathBuf,
    options: LoadOptions,
    defaults: Defaults,
    notices: Vec<Notice>,
    info: ModelInfo,
    slot: Mutex<Slot>,
    /// Held by whoever loads or unloads, so that it happens once; the slot is free meanwhile.
    changing: Mutex<()>,
}

/// Where the model is.
#[derive(Debug)]
enum Slot {
    Unloaded,
    Loading,
    Loaded(Arc<Loaded>),
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
        Self::with_notices(&Config::of_process()?)
    }

    /// A given model: a repository (`org/name`, `org/name@revision`), a directory, a GGUF file or
    /// an alias; otherwise as [`new`](Self::new).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_pretrained(model: &str) -> Result<Self, Error> {
        let mut config = Config::of_process()?;
        config.model =
            Setting { value: model.to_owned(), source: Source::Flag("from_pretrained".to_owned()) };
        Self::with_notices(&config)
    }

    /// As [`from_config`](Self::from_config), with everything that a caller would hear kept as a
    /// notice.
    fn with_notices(config: &Config) -> Result<Self, Error> {
        let mut heard = Heard::default();
        let mut manager = Self::from_config(config, &mut heard)?;
        let told = config.notices.iter().cloned().map(Notice::Config);
        manager.notices.splice(0..0, told.chain(heard.notices));
        Ok(manager)
    }

    /// The model of a configuration; `progress` hears how it is fetched.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_config(config: &Config, progress: &mut dyn Progress) -> Result<Self, Error> {
        let device = config.chosen_device()?;
        let local = locate(config, &config.model.value, progress)?;
        let path = match &local.files {
            ModelFiles::Directory(path) | ModelFiles::Gguf(path) => path,
        };
        let mut manager = Self::open(&local.name, path, LoadOptions::from(config), config)?;
        manager.notices.insert(
            0,
            Notice::Device { text: format!("computing on {} ({})", device.device, device.why) },
        );
        Ok(manager)
    }

    /// A model on this disk, with its own options; `config` says how answers are made.
    ///
    /// # Errors
    /// A model that cannot be read, computed or held in memory.
    pub fn open(
        name: &str,
        path: &Path,
        options: LoadOptions,
        config: &Config,
    ) -> Result<Self, Error> {
        let (loaded, mut notices) = Loaded::open(name, path, &options)?;
        let mut defaults = Defaults::new(config, &loaded.text.recommended, loaded.vocab)?;
        notices.append(&mut defaults.notices);
        Ok(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            options,
            defaults,
            notices,
            info: loaded.info.clone(),
            slot: Mutex::new(Slot::Loaded(Arc::new(loaded))),
            changing: Mutex::new(()),
        })
    }

    /// The answer to a prompt.
    ///
    /// # Errors
    /// A prompt that does not fit the context, or a failure while computing. Never an error text as
    /// an answer.
    pub fn generate_response(&self, prompt: &str) -> Result<String, Error> {
        Ok(self.generate_stream(prompt)?.collect_answer()?.text)
    }

    /// The answer to a prompt, piece by piece as it is computed. Dropping the stream cancels the
    /// rest.
    ///
    /// # Errors
    /// As [`generate_response`](Self::generate_response); what goes wrong later is an item of the
    /// stream.
    pub fn generate_stream(&self, prompt: &str) -> Result<AnswerStream, Error> {
        self.answer(self.prompt(prompt)?)
    }

    /// The answers to several prompts, any number of them, computed together. Each is the answer
    /// that its prompt gets alone, except that without a seed all are drawn anew.
    pub fn batch_generate(&self, prompts: &[&str]) -> Vec<Result<String, Error>> {
        // All are submitted before the first is waited for, as the engine's queue has places for
        // them: it never waits for a reader.
        let streams: Vec<_> = prompts.iter().map(|prompt| self.queued(prompt)).collect();
        streams.into_iter().map(|stream| Ok(stream?.collect_answer()?.text)).collect()
    }

    /// The assistant's next message in a chat.
    ///
    /// # Errors
    /// As [`generate_response`](Self::generate_response), and where the model has no chat format or
    /// its template refuses the chat.
    pub fn chat(&self, messages: &[Message]) -> Result<String, Error> {
        Ok(self.chat_stream(messages)?.collect_answer()?.text)
    }

    /// The assistant's next message, piece by piece.
    ///
    /// # Errors
    /// As [`chat`](Self::chat).
    pub fn chat_stream(&self, messages: &[Message]) -> Result<AnswerStream, Error> {
        self.answer(self.chat_prompt(messages)?)
    }

    fn answer(&self, prompt: Vec<u32>) -> Result<AnswerStream, Error> {
        Ok(AnswerStream::new(self.submit_request(self.request(prompt))?))
    }

    /// As [`generate_stream`](Self::generate_stream), but a full queue is waited for.
    fn queued(&self, prompt: &str) -> Result<AnswerStream, Error> {
        let loaded = self.loaded()?;
        let prompt = loaded.text.prompt(prompt, self.options.special_as_text)?;
        let request = self.request(prompt);
        Ok(AnswerStream::new(loaded.engine.submit_when_free(request)?))
    }

    fn request(&self, prompt: Vec<u32>) -> Request {
        Request { sampling: self.sampling(), stop: self.stop(), ..Request::new(prompt) }
    }

    /// Submits token ids with everything spelled out, and returns the engine's own events.
    ///
    /// # Errors
    /// As [`generate_response`](Self::generate_response), and parameters out of range.
    pub fn submit(
        &self,
        prompt: Vec<u32>,
        sampling: Sampling,
        stop: Stop,
    ) -> Result<EventStream, Error> {
        self.submit_request(Request { sampling, stop, ..Request::new(prompt) })
    }

    /// Submits a whole request.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_request(&self, request: Request) -> Result<EventStream, Error> {
        Ok(self.loaded()?.engine.submit(request)?)
    }

    /// The ids of a prompt as [`generate_response`](Self::generate_response) reads it: in the
    /// model's chat format, unless it is written in it already
    /// ([`LoadOptions::special_as_text`] decides whether that can be).
    ///
    /// # Errors
    /// Text that the template or the tokenizer refuses.
    pub fn prompt(&self, text: &str) -> Result<Vec<u32>, Error> {
        self.loaded()?.text.prompt(text, self.options.special_as_text)
    }

    /// The ids of a chat that ends where the assistant's answer begins.
    ///
    /// # Errors
    /// A model without a chat format, or a chat that its template refuses.
    pub fn chat_prompt(&self, messages: &[Message]) -> Result<Vec<u32>, Error> {
        self.loaded()?.text.chat(messages, &RenderOptions::default())
    }

    /// The text of a chat as the model reads it, with every option of its template.
    ///
    /// # Errors
    /// As [`chat_prompt`](Self::chat_prompt).
    pub fn render_chat(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, Error> {
        self.loaded()?.text.render(messages, options)
    }

    /// The ids of a text that the model continues as it is, without a chat format.
    ///
    /// # Errors
    /// Text that the tokenizer refuses.
    pub fn raw_prompt(&self, text: &str) -> Result<Vec<u32>, Error> {
        self.loaded()?.text.plain(text, self.options.special_as_text)
    }

    /// How tokens are chosen where a call does not say: the user's settings, then what the model's
    /// `generation_config.json` recommends, then the defaults of the configuration.
    pub fn sampling(&self) -> Sampling {
        self.defaults.sampling.clone()
    }

    /// When answers end where a call does not say.
    pub fn stop(&self) -> Stop {
        self.defaults.stop.clone()
    }

    /// What was done in another way than might be expected.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
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

    /// The plan of the memory that the model takes while it is loaded.
    ///
    /// # Errors
    /// [`Error::Unloaded`].
    pub fn memory(&self) -> Result<MemoryPlan, Error> {
        Ok(self.loaded()?.engine.memory().clone())
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// [`Error::Unloaded`].
    pub fn tokenizer(&self) -> Result<Arc<scaffold_text::Tokenizer>, Error> {
        Ok(Arc::clone(&self.loaded()?.text.tokenizer))
    }

    /// The engine below, for doors that need more of it.
    ///
    /// # Errors
    /// [`Error::Unloaded`].
    pub fn engine(&self) -> Result<Engine, Error> {
        Ok(self.loaded()?.engine.clone())
    }

    /// A few lines for people: the model, its format, its context and its memory.
    pub fn describe(&self) -> String {
        self.info.describe(&self.name)
    }

    /// Frees the model's memory. Answers that are being computed end with an error, later calls
    /// with [`Error::Unloaded`], until [`load`](Self::load). While another thread loads the model,
    /// this waits for it.
    pub fn unload(&self) {
        let _changing = self.change();
        self.take_out(Slot::Unloaded);
    }

    /// Whether the model is in memory and takes requests: not while it is being loaded, and not
    /// when its engine has ended ([`health`](Self::health) says why).
    pub fn is_loaded(&self) -> bool {
        self.health().is_ok_and(|health| health.is_running())
    }

    /// How the engine is: whether it takes requests, and what faults of its own it has met.
    ///
    /// # Errors
    /// [`Error::Unloaded`], [`Error::Loading`].
    pub fn health(&self) -> Result<Health, Error> {
        Ok(self.loaded()?.engine.health())
    }

    /// Loads the model again after [`unload`](Self::unload), or when its engine has ended. Does
    /// nothing while it is loaded; of several threads one loads, and the others wait for it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn load(&self) -> Result<(), Error> {
        self.load_by(|| Ok(Loaded::open(&self.name, &self.path, &self.options)?.0))
    }

    fn load_by(&self, open: impl FnOnce() -> Result<Loaded, Error>) -> Result<(), Error> {
        let _changing = self.change();
        if self.is_loaded() {
            return Ok(());
        }
        // The memory of an engine that has ended is needed for the new one.
        self.take_out(Slot::Loading);
        let unloaded = Coming(self);
        let loaded = open()?;
        *unloaded.0.lock() = Slot::Loaded(Arc::new(loaded));
        Ok(())
    }

    /// Puts something else in the model's place, and ends its engine.
    fn take_out(&self, next: Slot) {
        let slot = std::mem::replace(&mut *self.lock(), next);
        if let Slot::Loaded(loaded) = slot {
            loaded.engine.shutdown();
        }
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never held for longer than a look takes.
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loaded(&self) -> Result<Arc<Loaded>, Error> {
        let model = || self.name.clone();
        match &*self.lock() {
            Slot::Loaded(loaded) => Ok(Arc::clone(loaded)),
            Slot::Loading => Err(Error::Loading { model: model() }),
            Slot::Unloaded => Err(Error::Unloaded { model: model() }),
        }
    }
}

/// Ends the loading, however it ends: a model that has not come is not there.
struct Coming<'a>(&'a LlmManager);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut slot = self.0.lock();
        if matches!(*slot, Slot::Loading) {
            *slot = Slot::Unloaded;
        }
    }
}

/// Keeps what the Hub's client has to say.
#[derive(Default)]
struct Heard {
    notices: Vec<Notice>,
}

impl Progress for Heard {
    fn event(&mut self, event: &hub::Event) {
        if let hub::Event::Notice(notice) = event {
            self.notices.push(Notice::Hub(notice.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
