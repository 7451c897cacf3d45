//! Several models under one limit of memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use scaffold::registry::{Ask, How, KeepAlive, ModelState, RegistryOptions, Stage};
use scaffold::{Error, Kind, LoadOptions, MemoryLimit};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::encoder;
use crate::errors::{OrRaise, read};
use crate::handle::Handle;
use crate::llm::{self, Model};
use crate::metrics::written;
use crate::settings::{Said, effective};
use crate::waiting::interruptible;
use crate::{logs, process, ranker, remedy};

/// Several models, loaded as they are asked for.
#[pyclass(frozen, module = "scaffold_llm._native")]
pub(crate) struct Registry {
    held: Handle<Arc<scaffold::Registry>>,
}

/// How a registry keeps its models.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keeping {
    /// Bytes for all models together; none: what is available.
    memory: Option<usize>,
    /// Seconds; below 0 for ever.
    keep_alive: Option<f64>,
    max_loaded: Option<usize>,
    max_sequences: Option<usize>,
}

/// How a model is asked for: seconds.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asking {
    keep_alive: Option<f64>,
    wait: Option<f64>,
}

fn keep_alive(seconds: f64) -> Result<KeepAlive, Error> {
    if seconds < 0.0 {
        Ok(KeepAlive::Forever)
    } else {
        time("keep_alive", seconds).map(KeepAlive::For)
    }
}

fn time(key: &'static str, seconds: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        let text = format!("{key} is {seconds}\n  accepted: seconds, 0 or more");
        Error::new(Kind::Usage, text).of_key(key)
    })
}

/// An empty registry.
#[pyfunction]
pub(crate) fn open_registry(py: Python<'_>, said: Said, keeping: &str) -> PyResult<Registry> {
    logs::listen();
    let registry = py.detach(|| {
        process::enter()?;
        let keeping: Keeping = read("options", keeping)?;
        let config = effective(said)?;
        let mut options = RegistryOptions::new();
        options.memory = keeping.memory.map_or(options.memory, MemoryLimit::Bytes);
        options.keep_alive = keeping.keep_alive.map_or(Ok(options.keep_alive), keep_alive)?;
        options.max_loaded = keeping.max_loaded;
        if let Some(most) = keeping.max_sequences {
            options.load = Some(LoadOptions::from(&config).max_sequences(most));
        }
        Ok(scaffold::Registry::new(config, options))
    });
    let registry = Arc::new(registry.or_raise(py)?);
    Ok(Registry { held: Handle::new("registry", registry) })
}

impl Registry {
    fn registry(&self, py: Python<'_>) -> PyResult<Arc<scaffold::Registry>> {
        self.held.get().or_raise(py)
    }

    /// A lease that `lease` asks for, while this thread waits for signals.
    fn lease<T: Send + 'static>(
        &self,
        py: Python<'_>,
        asking: &str,
        lease: impl FnOnce(&scaffold::Registry, Ask<'_>) -> Result<T, Error> + Send + 'static,
    ) -> PyResult<T> {
        let registry = self.registry(py)?;
        let asking: Asking = read("options", asking).or_raise(py)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let mut ask = Ask::new().cancel(Arc::clone(&stopped));
        if let Some(seconds) = asking.keep_alive {
            ask = ask.keep_alive(keep_alive(seconds).or_raise(py)?);
        }
        if let Some(seconds) = asking.wait {
            ask = ask.wait(time("wait", seconds).or_raise(py)?);
        }
        let stop = move || stopped.store(true, Ordering::Relaxed);
        interruptible(py, stop, move || lease(&registry, ask))
    }
}

#[pymethods]
impl Registry {
    /// A model that answers.
    fn model(&self, py: Python<'_>, name: String, asking: &str) -> PyResult<Model> {
        let lease =
            self.lease(py, asking, move |registry, ask| registry.language_model_with(&name, ask))?;
        Ok(Model::new(llm::Held::Leased(lease), Vec::new()))
    }

    /// A model that embeds.
    fn embedder(&self, py: Python<'_>, name: String, asking: &str) -> PyResult<encoder::Embedder> {
        let lease =
            self.lease(py, asking, move |registry, ask| registry.embedder_with(&name, ask))?;
        Ok(encoder::Embedder::new(encoder::Held::Leased(lease), Vec::new()))
    }

    /// A model that ranks.
    fn cross_encoder(
        &self,
        py: Python<'_>,
        name: String,
        asking: &str,
    ) -> PyResult<ranker::CrossEncoder> {
        let lease =
            self.lease(py, asking, move |registry, ask| registry.cross_encoder_with(&name, ask))?;
        Ok(ranker::CrossEncoder::new(ranker::Held::Leased(lease), Vec::new()))
    }

    /// The model of this name stays, or may go again.
    fn pin(&self, py: Python<'_>, name: &str, pinned: bool) -> PyResult<()> {
        let registry = self.registry(py)?;
        py.detach(|| if pinned { registry.pin(name) } else { registry.unpin(name) }).or_raise(py)
    }

    /// Unloads a model, waiting so many seconds for those who use it; whether they were done.
    fn unload(&self, py: Python<'_>, name: String, seconds: f64) -> PyResult<bool> {
        let registry = self.registry(py)?;
        let drain = time("timeout", seconds).or_raise(py)?;
        interruptible(py, || {}, move || registry.unload(&name, How::Drain(drain)))
    }

    /// Takes no more requests and unloads all, waiting so many seconds; whether everybody was done.
    fn shutdown(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let registry = self.registry(py)?;
        let drain = time("timeout", seconds).or_raise(py)?;
        interruptible(py, || {}, move || Ok(registry.shutdown(drain)))
    }

    /// The models that are loaded, come, go, or could not be loaded lately, as JSON.
    fn models(&self, py: Python<'_>) -> PyResult<String> {
        let registry = self.registry(py)?;
        Ok(py.detach(|| registry.models().iter().map(state).collect::<Value>().to_string()))
    }

    /// What was done until now, as JSON.
    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        let registry = self.registry(py)?;
        py.detach(|| written(&registry.metrics())).or_raise(py)
    }

    /// Lets go of it.
    fn close(&self) {
        self.held.close();
    }
}

fn state(of: &ModelState) -> Value {
    let (bytes, all, why) = match &of.stage {
        Stage::Fetching { bytes, of } | Stage::Loading { bytes, of } => {
            (Some(*bytes), Some(*of), None)
        }
        Stage::Waiting(why) => (None, None, why.as_ref()),
        Stage::Failed { why, .. } => (None, None, Some(why)),
        _ => (None, None, None),
    };
    json!({
        "name": of.name,
        "names": of.names,
        "made": of.made,
        "kind": of.kind,
        "stage": of.stage.name(),
        "bytes": bytes,
        "of": all,
        "why": why.map(|error| error.worded(remedy::words)),
        "pinned": of.pinned,
        "leases": of.leases,
        "memory": of.memory,
        "facts": of.facts,
    })
}
