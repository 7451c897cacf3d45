//! Embedders.

use std::ops::Deref;
use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArrayMethods as _};
use pyo3::prelude::*;
use scaffold::embed::{EmbedOptions, Prompt};
use scaffold::registry::Lease;
use scaffold::{Cancel, Notice};
use serde::Deserialize;
use serde_json::json;

use crate::errors::{OrRaise, read};
use crate::handle::Handle;
use crate::loading::{Loaded, load, told};
use crate::metrics::written;
use crate::settings::Said;
use crate::waiting::interruptible;

/// A model that turns texts into vectors.
#[pyclass(frozen, module = "scaffold_llm._native")]
pub(crate) struct Embedder {
    held: Handle<Held>,
    notices: Vec<Notice>,
}

/// A model, shared or leased.
#[derive(Clone)]
pub(crate) enum Held {
    Own(Arc<scaffold::Embedder>),
    Leased(Lease<scaffold::Embedder>),
}

impl Deref for Held {
    type Target = scaffold::Embedder;

    fn deref(&self) -> &scaffold::Embedder {
        match self {
            Held::Own(model) => model,
            Held::Leased(model) => model,
        }
    }
}

/// Which text is put before each text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Prompted {
    /// As the repository says.
    #[default]
    Default,
    /// That for what is looked for.
    Query,
    /// That for what is found.
    Document,
    /// The repository's of this name.
    Named(String),
    /// This one.
    Text(String),
    /// None.
    None,
}

impl Prompted {
    /// As the library takes it.
    pub(crate) fn prompt(&self) -> Prompt<'_> {
        match self {
            Prompted::Default => Prompt::Default,
            Prompted::Query => Prompt::Query,
            Prompted::Document => Prompt::Document,
            Prompted::Named(name) => Prompt::Named(name),
            Prompted::Text(text) => Prompt::Text(text),
            Prompted::None => Prompt::None,
        }
    }
}

/// How texts are embedded.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct How {
    prompt: Prompted,
    truncate: bool,
    normalize: bool,
    dimensions: Option<usize>,
    special_as_text: bool,
}

/// Embeddings `[texts, dimensions]`, their tokens, and for each text that was cut its place, its tokens
/// and those that were kept.
type Embedded<'py> = (Bound<'py, PyArray2<f32>>, usize, Vec<(usize, usize, usize)>);

impl Embedder {
    pub(crate) fn new(held: Held, notices: Vec<Notice>) -> Self {
        Self { held: Handle::new("embedder", held), notices }
    }

    fn model(&self, py: Python<'_>) -> PyResult<Held> {
        self.held.get().or_raise(py)
    }
}

/// Finds an embedder, fetches it if it is not here, and loads it.
#[pyfunction]
pub(crate) fn load_embedder(
    py: Python<'_>,
    name: Option<String>,
    said: Said,
    loading: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Embedder> {
    let Loaded { model, notices } = load::<scaffold::Embedder>(py, name, said, loading, progress)?;
    Ok(Embedder::new(Held::Own(Arc::new(model)), notices))
}

#[pymethods]
impl Embedder {
    /// Embeds texts.
    fn embed<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<String>,
        how: &str,
    ) -> PyResult<Embedded<'py>> {
        let model = self.model(py)?;
        let how: How = read("options", how).or_raise(py)?;
        let cancel = Cancel::new();
        let stop = cancel.clone();
        let work = move || {
            let options = EmbedOptions::new()
                .prompt(how.prompt.prompt())
                .truncate(how.truncate)
                .normalize(how.normalize)
                .dimensions(how.dimensions)
                .special_as_text(how.special_as_text)
                .cancel(&cancel);
            model.embed_batch(&texts, &options)
        };
        let found = interruptible(py, move || stop.cancel(), work)?;
        let cut = found.cut.iter().map(|cut| (cut.index, cut.tokens, cut.kept)).collect();
        let (tokens, shape) = (found.tokens, [found.len(), found.dimensions()]);
        let values = PyArray1::from_vec(py, found.into_values());
        Ok((values.reshape(shape)?, tokens, cut))
    }

    /// Token ids of a text as it is computed, with the special ones.
    fn token_ids(&self, py: Python<'_>, text: &str, truncate: bool) -> PyResult<Vec<u32>> {
        let model = self.model(py)?;
        py.detach(|| model.token_ids(text, truncate)).or_raise(py)
    }

    /// What the model is and what it takes, as JSON.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        let model = self.model(py)?;
        let (local, repository) = (model.model(), model.repository());
        let info = json!({
            "name": local.name,
            "revision": local.revision.as_ref().map(ToString::to_string),
            "path": local.files.path().display().to_string(),
            "dimensions": model.dimensions(),
            "max_tokens": model.max_tokens(),
            "weight_bytes": model.weight_bytes(),
            "similarity": repository.similarity.name(),
            "prompts": repository.prompts.texts.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "default_prompt": repository.prompts.default,
            "tokenizer": model.tokenizer().source(),
        });
        Ok(info.to_string())
    }

    /// What was done in another way than might be expected: topics and texts.
    fn notices(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        Ok(told(&[&*self.notices, self.model(py)?.notices()].concat()))
    }

    /// What was done until now, as JSON.
    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        written(&self.model(py)?.metrics()).or_raise(py)
    }

    /// Lets go of it.
    fn close(&self) {
        self.held.close();
    }
}
