//! [`LlmManager`]: a model that answers.

use std::sync::Arc;

use scaffold_engine::{Engine, Health, MemoryPlan, Request, Sampling, Stop};
use scaffold_error::Notice;
use scaffold_hub::LocalModel;

use super::defaults::Defaults;
use super::loaded::{Loaded, ModelInfo};
use super::stream::AnswerStream;
use crate::builder::{Builder, FromModel};
use crate::config::Config;
use crate::error::Error;
use crate::model::Model;
use crate::options::LoadOptions;
use crate::packed::Keeping;
use crate::slot::{Absent, Slot};
use crate::{Message, RenderOptions};

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
    local: LocalModel,
    options: LoadOptions,
    defaults: Defaults,
    notices: Vec<Notice>,
    info: ModelInfo,
    slot: Slot<Loaded>,
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
        self.submit_request(self.request(prompt))
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

    /// Submits token ids with everything spelled out.
    ///
    /// # Errors
    /// As [`generate_response`](Self::generate_response), and parameters out of range.
    pub fn submit(
        &self,
        prompt: Vec<u32>,
        sampling: Sampling,
        stop: Stop,
    ) -> Result<AnswerStream, Error> {
        self.submit_request(Request { sampling, stop, ..Request::new(prompt) })
    }

    /// Submits a whole request.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_request(&self, request: Request) -> Result<AnswerStream, Error> {
        Ok(AnswerStream::new(self.loaded()?.engine.submit(request)?))
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

    /// The model's files, and where they came from.
    pub fn local(&self) -> &LocalModel {
        &self.local
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
        self.info.describe(&self.local.name)
    }

    /// Frees the model's memory. Answers that are being computed end with an error, later calls
    /// with [`Error::Unloaded`], until [`load`](Self::load). While another thread loads the model,
    /// this waits for it.
    pub fn unload(&self) {
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
    /// [`Error::Unloaded`], [`Error::Loading`].
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
            Ok(Loaded::of(&model)?.0)
        })
    }

    fn loaded(&self) -> Result<Arc<Loaded>, Error> {
        let model = || self.local.name.clone();
        self.slot.get().map_err(|absent| match absent {
            Absent::Loading => Error::Loading { model: model() },
            Absent::Unloaded => Error::Unloaded { model: model() },
        })
    }
}

impl FromModel for LlmManager {
    fn from_model(model: &Model, config: &Config, mut notices: Vec<Notice>) -> Result<Self, Error> {
        let (loaded, mut told) = Loaded::of(model)?;
        let recommended = &loaded.text.recommended;
        let mut defaults = Defaults::new(config, recommended, model.spec().vocab)?;
        notices.append(&mut told);
        notices.append(&mut defaults.notices);
        Ok(Self {
            local: model.local().clone(),
            options: model.options().clone(),
            defaults,
            notices,
            info: loaded.info.clone(),
            slot: Slot::of(loaded),
        })
    }
}

#[cfg(test)]
mod tests;
