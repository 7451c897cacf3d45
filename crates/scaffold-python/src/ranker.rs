//! Cross-encoders.

use std::ops::Deref;
use std::sync::Arc;

use numpy::PyArray1;
use pyo3::prelude::*;
use scaffold::registry::Lease;
use scaffold::rerank::{Scale, ScoreOptions, Scores};
use scaffold::{Cancel, Error, Notice};
use serde::Deserialize;
use serde_json::json;

use crate::encoder::Prompted;
use crate::errors::{OrRaise, read};
use crate::handle::Handle;
use crate::loading::{load, told};
use crate::metrics::written;
use crate::settings::Said;
use crate::waiting::interruptible;

/// A model that scores how well texts answer queries.
#[pyclass(frozen, module = "scaffold_llm._native")]
pub(crate) struct CrossEncoder {
    held: Handle<Held>,
    notices: Vec<Notice>,
}

/// A model, shared or leased.
#[derive(Clone)]
pub(crate) enum Held {
    Own(Arc<scaffold::CrossEncoder>),
    Leased(Lease<scaffold::CrossEncoder>),
}

impl Deref for Held {
    type Target = scaffold::CrossEncoder;

    fn deref(&self) -> &scaffold::CrossEncoder {
        match self {
            Held::Own(model) => model,
            Held::Leased(model) => model,
        }
    }
}

/// What scores are.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scaled {
    /// As the model's configuration says.
    #[default]
    Configured,
    /// The head's own numbers.
    Logits,
    /// Between 0 and 1.
    Sigmoid,
}

/// How pairs are scored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct How {
    prompt: Prompted,
    truncate: bool,
    scale: Scaled,
    special_as_text: bool,
}

/// Scores `[pairs]`, their tokens, and for each pair that was cut its place, its tokens and those that
/// were kept.
type Scored<'py> = (Bound<'py, PyArray1<f32>>, usize, Vec<(usize, usize, usize)>);

impl CrossEncoder {
    pub(crate) fn new(held: Held, notices: Vec<Notice>) -> Self {
        Self { held: Handle::new("cross-encoder", held), notices }
    }

    fn model(&self, py: Python<'_>) -> PyResult<Held> {
        self.held.get().or_raise(py)
    }

    fn scored<'py>(
        &self,
        py: Python<'py>,
        how: &str,
        score: impl FnOnce(&scaffold::CrossEncoder, &ScoreOptions<'_>) -> Result<Scores, Error>
        + Send
        + 'static,
    ) -> PyResult<Scored<'py>> {
        let model = self.model(py)?;
        let how: How = read("options", how).or_raise(py)?;
        let cancel = Cancel::new();
        let stop = cancel.clone();
        let work = move || {
            let scale = match how.scale {
                Scaled::Configured => Scale::Configured,
                Scaled::Logits => Scale::Logits,
                Scaled::Sigmoid => Scale::Sigmoid,
            };
            let options = ScoreOptions::new()
                .prompt(how.prompt.prompt())
                .truncate(how.truncate)
                .scale(scale)
                .special_as_text(how.special_as_text)
                .cancel(&cancel);
            score(&model, &options)
        };
        let Scores { values, tokens, cut, .. } = interruptible(py, move || stop.cancel(), work)?;
        let cut = cut.iter().map(|cut| (cut.index, cut.tokens, cut.kept)).collect();
        Ok((PyArray1::from_vec(py, values), tokens, cut))
    }
}

/// Finds a cross-encoder, fetches it if it is not here, and loads it.
#[pyfunction]
pub(crate) fn load_cross_encoder(
    py: Python<'_>,
    name: Option<String>,
    said: Said,
    loading: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<CrossEncoder> {
    let loaded = load::<scaffold::CrossEncoder>(py, name, said, loading, progress)?;
    Ok(CrossEncoder::new(Held::Own(Arc::new(loaded.model)), loaded.notices))
}

#[pymethods]
impl CrossEncoder {
    /// Scores pairs of a query and a text.
    fn score_pairs<'py>(
        &self,
        py: Python<'py>,
        pairs: Vec<(String, String)>,
        how: &str,
    ) -> PyResult<Scored<'py>> {
        self.scored(py, how, move |model, options| model.score_pairs(&pairs, options))
    }

    /// Scores texts for one query.
    fn scores<'py>(
        &self,
        py: Python<'py>,
        query: String,
        texts: Vec<String>,
        how: &str,
    ) -> PyResult<Scored<'py>> {
        self.scored(py, how, move |model, options| model.scores(&query, &texts, options))
    }

    /// What the model is, as JSON.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        let model = self.model(py)?;
        let local = model.model();
        let info = json!({
            "name": local.name,
            "revision": local.revision.as_ref().map(ToString::to_string),
            "path": local.files.path().display().to_string(),
            "max_tokens": model.max_tokens(),
            "weight_bytes": model.weight_bytes(),
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
