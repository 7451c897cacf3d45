//! The models themselves: where a registry has them from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use scaffold_engine::Metrics;
use scaffold_error::{Error, Notice, err};
use scaffold_hub::{self as hub, Hub, LocalModel, MadeModel, MadeName, ModelName, Progress};

use super::options::{Change, RegistryOptions};
use super::source::{Resident, Source};
use super::status::{Facts, ModelKind};
use super::views::Views;
use crate::builder::{found, raised};
use crate::config::Config;
use crate::embed::Embedder;
use crate::llm::LlmManager;
use crate::locate::hub_client;
use crate::memory::{self, Available, Size, Work, plan};
use crate::model::{Model, check_decoder, check_encoder};
use crate::options::{LoadOptions, MemoryLimit};
use crate::rerank::CrossEncoder;

/// Models by the configuration.
pub(super) struct Models {
    config: Arc<Config>,
    /// For names alone: every request has one.
    hub: Hub,
    load: LoadOptions,
    /// Models of one's own that were asked for.
    own: Views,
}

impl Models {
    pub(super) fn new(config: Arc<Config>, options: &RegistryOptions) -> Self {
        let load = options.load.clone().unwrap_or_else(|| LoadOptions::from(&*config));
        Self { hub: hub_client(&config), config, load, own: Views::default() }
    }

    /// What a name means: of a model of one's own the name of what it is made from, which means the
    /// same whatever becomes of it meanwhile, and what it says over that.
    pub(super) fn meant(&self, name: &str) -> Result<(String, Option<Arc<MadeModel>>), Error> {
        let ModelName::Made(own) = self.hub.name(name)? else {
            return Ok((name.to_owned(), None));
        };
        let (base, made) = self.base(&own)?;
        Ok((base.in_full(), Some(Arc::new(made))))
    }

    /// What a model of one's own is made from.
    fn base(&self, own: &MadeName) -> Result<(ModelName, MadeModel), Error> {
        let gone = || err!(NotFound, "there is no model of your own called {own} any more");
        let store = self.hub.made()?;
        let made = store.get(own)?.ok_or_else(gone)?;
        let base = if let Some(base) = Hub::base(&made)? {
            base
        } else {
            let files = self.hub.cached_as(made.clone())?.ok_or_else(gone)?;
            ModelName::Local(files.files.path().to_owned())
        };
        Ok((base, made))
    }

    /// A model of one's own, out of what it is made from.
    pub(super) fn as_made(
        &self,
        base: &Arc<LlmManager>,
        made: &Arc<MadeModel>,
    ) -> Result<Arc<LlmManager>, Error> {
        self.own.get(base, made, || base.as_made(made, &self.config))
    }

    /// The models of one's own that are made from this one and were asked for.
    pub(super) fn made_from(&self, name: &str) -> Vec<String> {
        self.own.made_from(name)
    }

    fn identity_of(&self, name: ModelName) -> Result<String, Error> {
        Ok(match name {
            ModelName::Local(path) => real(&path).display().to_string(),
            ModelName::Repo(mut repo) => {
                // What is taken without a revision.
                repo.revision = repo.revision.filter(|revision| revision != "main");
                repo.to_string()
            }
            name @ ModelName::Ollama(_) => name.to_string(),
            ModelName::Made(own) => self.identity_of(self.base(&own)?.0)?,
        })
    }
}

/// Any of the three.
#[derive(Clone)]
pub(super) enum AnyModel {
    Language(Arc<LlmManager>),
    Embedder(Arc<Embedder>),
    CrossEncoder(Arc<CrossEncoder>),
}

/// Files that are here, opened.
pub(super) struct Found {
    model: Model,
    size: Size,
    kind: ModelKind,
    place: PathBuf,
    notices: Vec<Notice>,
}

impl Source for Models {
    type Model = AnyModel;
    type Found = Found;

    fn identity(&self, name: &str) -> Result<String, Error> {
        self.identity_of(self.hub.name(name)?)
    }

    fn find(
        &self,
        name: &str,
        kind: ModelKind,
        change: Option<Change>,
        progress: &mut dyn Progress,
    ) -> Result<Found, Error> {
        let mut heard = Noted { other: progress, notices: Vec::new() };
        let mut notices = Vec::new();
        let local = found(&self.config, name, &mut heard, &mut notices)?;
        // What a model of one's own says is laid over this one where it is asked for.
        let local = LocalModel { made: None, ..local };
        notices.append(&mut heard.notices);
        let mut load = self.load.clone();
        if let Some(change) = change {
            change(&mut load);
        }
        let open = || {
            let model = Model::open(&local, &load)?;
            // Before others make room for it.
            match kind {
                ModelKind::Language => check_decoder(&model)?,
                ModelKind::Embedder | ModelKind::CrossEncoder => check_encoder(&model)?,
            }
            let (size, place) = (model.size()?, real(local.files.path()));
            Ok(Found { model, size, kind, place, notices })
        };
        open().map_err(|error: Error| error.of_model(&local.name))
    }

    fn about<'f>(&self, found: &'f Found) -> (&'f str, &'f Path, Facts) {
        let (spec, size) = (found.model.spec(), &found.size);
        let facts = Facts {
            family: spec.family.to_owned(),
            parameters: size.parameters,
            weight_bytes: size.bytes,
            quantization: size.converted.unwrap_or(size.stored).name().to_owned(),
            model_context: spec.context,
            context: 0,
        };
        (found.model.name(), &found.place, facts)
    }

    fn plan(&self, found: &Found, limit: Option<Available>) -> Result<(usize, usize), Error> {
        let (spec, options) = (found.model.spec(), found.model.options());
        let work = Work::of(Some(spec), options);
        let plan = plan(Some(spec), &found.size, &work, options, limit);
        let plan = plan.map_err(|refused| Error::from(refused).of_model(found.model.name()))?;
        Ok((plan.total(), plan.context))
    }

    fn load(
        &self,
        found: Found,
        bytes: Option<usize>,
        progress: &mut dyn Progress,
    ) -> Result<AnyModel, Error> {
        let Found { mut model, kind, notices, .. } = found;
        // What was kept for it, so that its plan is the one that was counted.
        model.set_memory(bytes.map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
        let (model, config) = (&model, &*self.config);
        let loaded =
            match kind {
                ModelKind::Language => raised(model, config, notices, progress)
                    .map(|m| AnyModel::Language(Arc::new(m))),
                ModelKind::Embedder => raised(model, config, notices, progress)
                    .map(|m| AnyModel::Embedder(Arc::new(m))),
                ModelKind::CrossEncoder => raised(model, config, notices, progress)
                    .map(|m| AnyModel::CrossEncoder(Arc::new(m))),
            };
        loaded.map_err(|error: Error| error.of_model(model.name()))
    }

    fn available(&self) -> Option<Available> {
        memory::available()
    }
}

impl Resident for AnyModel {
    fn is_alive(&self) -> bool {
        match self {
            AnyModel::Language(model) => model.is_loaded(),
            AnyModel::Embedder(_) | AnyModel::CrossEncoder(_) => true,
        }
    }

    fn is_answering(&self) -> bool {
        let load = match self {
            AnyModel::Language(model) => model.engine().map(|engine| engine.load()),
            AnyModel::Embedder(_) | AnyModel::CrossEncoder(_) => return false,
        };
        load.is_ok_and(|load| load.waiting + load.running > 0)
    }

    fn drain(&self, timeout: Duration) -> bool {
        match self {
            AnyModel::Language(model) => {
                model.engine().is_ok_and(|engine| engine.drain(Some(timeout)))
            }
            AnyModel::Embedder(_) | AnyModel::CrossEncoder(_) => true,
        }
    }

    fn end(&self) -> bool {
        match self {
            AnyModel::Language(model) => {
                model.unload();
                true
            }
            AnyModel::Embedder(_) | AnyModel::CrossEncoder(_) => false,
        }
    }

    fn keep_prompts(&self) {
        if let AnyModel::Language(model) = self
            && let Err(error) = model.keep_prompts()
        {
            crate::trace::not_kept(&model.name(), &error);
        }
    }

    fn metrics(&self) -> Option<Metrics> {
        match self {
            AnyModel::Language(model) => Some(model.engine().ok()?.metrics()),
            AnyModel::Embedder(_) | AnyModel::CrossEncoder(_) => None,
        }
    }
}

/// Keeps notices for the model, although somebody hears them now.
struct Noted<'a> {
    other: &'a mut dyn Progress,
    notices: Vec<Notice>,
}

impl Progress for Noted<'_> {
    fn event(&mut self, event: &hub::Event) {
        if let hub::Event::Notice(notice) = event {
            self.notices.push(notice.clone());
        }
        self.other.event(event);
    }

    fn cancelled(&self) -> bool {
        self.other.cancelled()
    }
}

/// The path without links, so that one file has one name.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
