//! The models of a server: names, what is loaded, and what may be done with it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use scaffold::config::{Config, Source};
use scaffold::hub::{Hub, LocalModel, ModelName};
use scaffold::registry::{Ask, How, ModelState, RegistryMetrics, Stage};
use scaffold::{Error, GenerateOptions, Kind, LlmManager, LoadOptions, Registry};

use super::facts::{Facts, kind};
use super::uploads::Uploads;
use crate::fault::Fault;
use crate::options::ServerOptions;

/// A place, and the template that a model of one's own has in place of the one that is there.
pub(super) type Seen = (PathBuf, Option<String>);

/// A model that nobody has used for so long has time to write.
const IDLE: Duration = Duration::from_secs(20);

/// The models of a server.
pub(crate) struct Models {
    pub(super) registry: Registry,
    pub(super) config: Arc<Config>,
    pub(super) hub: Hub,
    pub(super) preload: Vec<String>,
    download: bool,
    pub(super) create: bool,
    pub(super) is_local: bool,
    pub(super) load_time: Duration,
    /// What files were found to be, by place and time.
    pub(super) seen: Mutex<HashMap<Seen, (SystemTime, Facts)>>,
    /// Files that are brought for models.
    pub(crate) uploads: Uploads,
    /// Counts what changes of the models in memory.
    changes: tokio::sync::watch::Sender<u64>,
    /// Calls that take all of the machine's threads, so many at once.
    pub(super) computing: Arc<tokio::sync::Semaphore>,
}

impl Models {
    pub(crate) fn new(config: Config, options: &ServerOptions) -> Self {
        let config = Arc::new(config);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut kept = options.registry.clone();
        if let Some(prompts) = &options.kept_prompts {
            let load = kept.load.take().unwrap_or_else(|| LoadOptions::from(&*config));
            kept.load = Some(load.prompts(prompts.clone()));
        }
        let registry = Registry::new(Arc::clone(&config), kept);
        let changes = tokio::sync::watch::Sender::new(0);
        let changed = changes.clone();
        registry.on_change(move || changed.send_modify(|count| *count += 1));
        Self {
            registry,
            changes,
            hub: scaffold::locate::hub_client(&config),
            config,
            preload: options.preload.clone(),
            download: options.download,
            create: options.create,
            uploads: Uploads::new(options),
            is_local: options.is_local(),
            load_time: options.load_time,
            seen: Mutex::default(),
            computing: Arc::new(tokio::sync::Semaphore::new(threads)),
        }
    }

    /// What a client means by a model's name. Files that nobody has offered are for programs on
    /// this machine alone.
    pub(super) fn name(&self, written: &str) -> Result<(String, ModelName), Fault> {
        // Clients of Ollama put this behind every name without a tag.
        let bare = written.strip_suffix(":latest").filter(|bare| ModelName::is_path(bare));
        let text = bare.unwrap_or(written);
        if text.trim().is_empty() {
            return Err(Fault::field("model", "model is required"));
        }
        let name = self.hub.name(text)?;
        let is_offered = self.is_local || self.preload.iter().any(|offered| offered == text);
        if matches!(name, ModelName::Local(_)) && !is_offered {
            return Err(Fault::no_model(written));
        }
        Ok((text.to_owned(), name))
    }

    /// The name of a model that can be had; it is on this disk, or may be fetched.
    pub(super) fn known(&self, written: &str) -> Result<String, Fault> {
        let (text, name) = self.name(written)?;
        // Of a model of one's own it is what it is made from that is in memory.
        let full = match &name {
            ModelName::Made(_) => self.registry.identity(&text)?,
            name => name.to_string(),
        };
        if self.is_ready(&full, &text) || self.here(&name)?.is_some() {
            return Ok(text);
        }
        if self.download { Ok(text) } else { Err(Fault::no_model(written)) }
    }

    /// The files of a model, if they are on this disk.
    pub(super) fn here(&self, name: &ModelName) -> Result<Option<LocalModel>, Fault> {
        match self.hub.cached(name) {
            Ok(found) => Ok(found),
            // Where nothing is kept there is nothing.
            Err(_) if matches!(name, ModelName::Repo(_)) => Ok(None),
            Err(error) if matches!(name, ModelName::Made(_)) && error.kind() == Kind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether clients may fetch and remove models.
    pub(crate) fn may_fetch(&self) -> bool {
        self.is_local || self.download
    }

    /// Whether clients may remove models.
    pub(crate) fn may_remove(&self) -> bool {
        self.is_local
    }

    /// The model of the start, where it is one.
    pub(crate) fn only(&self) -> Option<String> {
        match self.preload.as_slice() {
            [model] => Some(model.clone()),
            _ => None,
        }
    }

    /// The models that are loaded, come or go.
    pub(crate) fn states(&self) -> Vec<ModelState> {
        self.registry.models()
    }

    /// Hears of each change of what [`states`](Self::states) tells.
    pub(crate) fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn metrics(&self) -> RegistryMetrics {
        self.registry.metrics()
    }

    /// Whether all models that were to be loaded at the start are.
    pub(crate) fn are_preloaded(&self) -> bool {
        self.preload.iter().all(|name| {
            let full = self.registry.identity(name).unwrap_or_default();
            self.is_ready(&full, name)
        })
    }

    /// Whether a model takes requests that is called by one of these names.
    fn is_ready(&self, full: &str, written: &str) -> bool {
        self.registry.models().iter().any(|model| is_ready(model, full, written))
    }

    /// Loads the models of the start, one after the other, each as what it is.
    pub(crate) fn preload(&self) -> Result<(), Error> {
        for name in &self.preload {
            self.registry.pin(name)?;
            let local = scaffold::locate::locate(&self.config, name, &mut scaffold::hub::Silent)?;
            self.lease_as(kind(&local)?, name, Ask::new())?;
        }
        Ok(())
    }

    /// Lets a model go: at once, or as soon as nobody uses it.
    pub(crate) fn let_go(&self, written: &str) -> Result<(), Fault> {
        let (text, name) = self.name(written)?;
        // Of a model of one's own it is what it is made from that is in memory.
        let full = self.registry.identity(&text)?;
        let states = self.registry.models();
        let mut ready = states.iter().filter(|model| is_ready(model, &full, &text)).peekable();
        if ready.peek().is_none() && self.here(&name)?.is_none() {
            return Err(Fault::no_model(written));
        }
        for model in ready {
            if model.leases == 0 {
                self.registry.unload(&text, How::Drain(Duration::from_secs(5)))?;
                break;
            }
            // When the last of those who use it has gone, it goes.
            let ask = Ask::new().keep_alive(Duration::ZERO);
            self.lease_as(model.kind, &text, ask)?;
        }
        Ok(())
    }

    /// Writes long prompts of models to disk that nobody uses just now.
    pub(crate) fn keep_prompts(&self) {
        self.registry.keep_prompts(IDLE);
    }

    /// Takes no more requests for models, and frees them when they are answered.
    pub(crate) fn shutdown(&self, timeout: Duration) -> bool {
        self.registry.shutdown(timeout)
    }

    /// An answer has as many tokens as the context holds, unless a setting of the user's says
    /// otherwise, or the request.
    pub(crate) fn limit(&self, options: &mut GenerateOptions, model: &LlmManager) {
        let set = self.config.max_length.source != Source::Default || model.limits_itself();
        if options.max_new_tokens.is_none() && !set {
            options.max_new_tokens = Some(model.info().context.max(1));
        }
    }
}

/// Whether this one takes requests and is called by one of these names.
fn is_ready(model: &ModelState, full: &str, written: &str) -> bool {
    let mut names = model.names.iter().chain([&model.name]);
    matches!(model.stage, Stage::Ready { .. }) && names.any(|name| name == full || name == written)
}
