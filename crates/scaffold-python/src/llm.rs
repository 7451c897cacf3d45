//! Language models.

use std::ops::Deref;
use std::sync::Arc;

use pyo3::prelude::*;
use scaffold::registry::Lease;
use scaffold::text::EncodeOptions;
use scaffold::{Error, Kind, LlmManager, Notice, PartStream};
use serde_json::json;

use crate::asked::{Asked, messages};
use crate::errors::OrRaise;
use crate::handle::Handle;
use crate::loading::{Loaded, load, told};
use crate::metrics::written;
use crate::settings::Said;
use crate::stream::Stream;
use crate::waiting::interruptible;

/// A language model: one of its own, or one of a registry that is in use for as long as this is.
#[pyclass(frozen, module = "scaffold_llm._native")]
pub(crate) struct Model {
    held: Handle<Held>,
    /// What was to be said besides, when it was loaded.
    notices: Vec<Notice>,
}

/// A model, shared or leased.
#[derive(Clone)]
pub(crate) enum Held {
    Own(Arc<LlmManager>),
    Leased(Lease<LlmManager>),
}

impl Deref for Held {
    type Target = LlmManager;

    fn deref(&self) -> &LlmManager {
        match self {
            Held::Own(model) => model,
            Held::Leased(model) => model,
        }
    }
}

impl Model {
    pub(crate) fn new(held: Held, notices: Vec<Notice>) -> Self {
        Self { held: Handle::new("language model", held), notices }
    }

    fn model(&self, py: Python<'_>) -> PyResult<Held> {
        self.held.get().or_raise(py)
    }

    /// What a look at the model says, without Python's lock.
    fn look<T: Send>(
        &self,
        py: Python<'_>,
        look: impl FnOnce(&LlmManager) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let model = self.model(py)?;
        py.detach(|| look(&model)).or_raise(py)
    }
}

/// Finds a model, fetches it if it is not here, and loads it.
#[pyfunction]
pub(crate) fn load_model(
    py: Python<'_>,
    name: Option<String>,
    said: Said,
    loading: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Model> {
    let Loaded { model, notices } = load::<LlmManager>(py, name, said, loading, progress)?;
    Ok(Model::new(Held::Own(Arc::new(model)), notices))
}

/// Answers to a prompt in which nothing is told apart.
fn plain(model: &LlmManager, ids: Vec<u32>, asked: &Asked) -> Result<Vec<Stream>, Error> {
    let streams = model.streams_ids(ids, asked.count, asked.options())?;
    Ok(streams.into_iter().map(|stream| Stream::new(PartStream::from(stream))).collect())
}

#[pymethods]
impl Model {
    /// Begins answers to a prompt, which is put into the model's chat format, or, where it is `raw`,
    /// continued as it is.
    fn begin_prompt(
        &self,
        py: Python<'_>,
        prompt: &str,
        raw: bool,
        asked: &str,
    ) -> PyResult<Vec<Stream>> {
        self.look(py, |model| {
            let asked = Asked::read(asked)?;
            let ids = if raw { model.plain_ids(prompt)? } else { model.prompt_ids(prompt)? };
            plain(model, ids, &asked)
        })
    }

    /// Begins answers to the prompt of these tokens.
    fn begin_ids(&self, py: Python<'_>, ids: Vec<u32>, asked: &str) -> PyResult<Vec<Stream>> {
        self.look(py, |model| plain(model, ids, &Asked::read(asked)?))
    }

    /// Begins answers to a chat, whose thoughts, texts and calls are told apart.
    fn begin_chat(&self, py: Python<'_>, chat: &str, asked: &str) -> PyResult<Vec<Stream>> {
        self.look(py, |model| {
            let (messages, asked) = (messages(chat)?, Asked::read(asked)?);
            let ids = model.chat_ids(&messages, &asked.options().render)?;
            let streams = model.parts_ids(ids, asked.count, asked.options())?;
            Ok(streams.into_iter().map(Stream::new).collect())
        })
    }

    /// The text of a chat as the model reads it.
    fn render(&self, py: Python<'_>, chat: &str, asked: &str) -> PyResult<String> {
        self.look(py, |model| {
            model.render_chat(&messages(chat)?, &Asked::read(asked)?.options().render)
        })
    }

    /// The token ids of a chat as the model reads it.
    fn chat_ids(&self, py: Python<'_>, chat: &str, asked: &str) -> PyResult<Vec<u32>> {
        self.look(py, |model| {
            model.chat_ids(&messages(chat)?, &Asked::read(asked)?.options().render)
        })
    }

    /// How likely each text is after a context: the sum of its log-probabilities, whether it is what
    /// greedy decoding writes, and for each token its id, text and log-probability.
    #[expect(clippy::type_complexity, reason = "a tuple of Python's")]
    fn score(
        &self,
        py: Python<'_>,
        context: String,
        texts: Vec<String>,
    ) -> PyResult<Vec<(f64, bool, Vec<(u32, String, f32)>)>> {
        let model = self.model(py)?;
        let scores = interruptible(py, || {}, move || model.score(&context, &texts))?;
        let tokens = |tokens: Vec<scaffold::Logprob>| {
            let token =
                |one: scaffold::Logprob| (one.chosen.id, one.chosen.token, one.chosen.logprob);
            tokens.into_iter().map(token).collect()
        };
        Ok(scores.into_iter().map(|one| (one.logprob, one.is_greedy, tokens(one.tokens))).collect())
    }

    /// The token ids of a text.
    fn tokenize(
        &self,
        py: Python<'_>,
        text: &str,
        add_special: bool,
        parse_special: bool,
    ) -> PyResult<Vec<u32>> {
        self.look(py, |model| {
            let options = EncodeOptions { add_special, parse_special };
            Ok(model.tokenizer()?.encode(text, &options)?.ids)
        })
    }

    /// The text of token ids.
    #[expect(clippy::needless_pass_by_value, reason = "a list of Python's becomes one of its own")]
    fn detokenize(&self, py: Python<'_>, ids: Vec<u32>, skip_special: bool) -> PyResult<String> {
        self.look(py, |model| model.tokenizer()?.decode(&ids, skip_special))
    }

    /// What the model is and what it takes, as JSON.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        self.look(py, |model| {
            let (info, local) = (model.info(), model.local());
            let info = json!({
                "name": &*model.name(),
                "revision": local.revision.as_ref().map(ToString::to_string),
                "path": local.files.path().display().to_string(),
                "family": info.family,
                "parameters": info.parameters,
                "quantization": info.converted.unwrap_or(info.stored).name(),
                "weight_bytes": info.weight_bytes,
                "cache_bytes": info.kv_bytes,
                "kv_type": info.kv_type.to_string(),
                "memory_bytes": info.memory.total(),
                "context": info.context,
                "model_context": info.model_context,
                "threads": info.threads,
                "cpu": info.cpu.to_string(),
                "tokenizer": info.tokenizer,
                "load_seconds": info.load.as_secs_f64(),
            });
            Ok(info.to_string())
        })
    }

    /// A few lines for people.
    fn describe(&self, py: Python<'_>) -> PyResult<String> {
        self.look(py, |model| Ok(model.describe()))
    }

    /// What was done in another way than might be expected: topics and texts.
    fn notices(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let now = self.look(py, |model| Ok(model.notices()))?;
        Ok(told(&[&*self.notices, &*now].concat()))
    }

    /// What was done until now, as JSON.
    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        self.look(py, |model| written(&model.engine()?.metrics()))
    }

    /// Whether it is in memory and takes requests.
    #[getter]
    fn is_loaded(&self, py: Python<'_>) -> PyResult<bool> {
        self.look(py, |model| Ok(model.is_loaded()))
    }

    /// Frees its memory, until `load`.
    fn unload(&self, py: Python<'_>) -> PyResult<()> {
        match self.model(py)? {
            Held::Own(model) => {
                py.detach(|| model.unload());
                Ok(())
            }
            Held::Leased(_) => {
                let text = "this model is a registry's: let go of it with close(), or have the registry unload it";
                Err(Error::new(Kind::Usage, text)).or_raise(py)
            }
        }
    }

    /// Loads it again.
    fn load(&self, py: Python<'_>) -> PyResult<()> {
        self.look(py, LlmManager::load)
    }

    /// Waits until the packed weights of a first start are on disk; a text if they could not be.
    fn finish_keeping(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let model = self.model(py)?;
        let waited = interruptible(py, || {}, move || Ok(model.finish_keeping()))?;
        Ok(waited.map(|notice| notice.to_string()))
    }

    /// Lets go of it.
    fn close(&self) {
        self.held.close();
    }
}
