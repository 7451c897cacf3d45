//! The models on this disk: telling them, fetching them, removing them.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use scaffold::about::About;
use scaffold::hub::{Format, LocalModel, Place, Progress, StoredModel};
use scaffold::{LlmManager, LoadOptions, Model};

use super::facts::{Facts, digest, format_of, modified};
use super::holder::Models;
use super::work::blocking;
use crate::fault::Fault;

/// A model in a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) modified: SystemTime,
    /// Digits that tell one state of a model from another; they are no hash of its files.
    pub(crate) digest: String,
    pub(crate) format: &'static str,
    pub(crate) facts: Facts,
}

/// A model that is looked at alone.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) about: About,
    pub(crate) format: &'static str,
    pub(crate) modified: SystemTime,
}

impl Models {
    /// The models on this disk that can be asked for, and those that were offered at the start.
    pub(crate) async fn list(self: &Arc<Self>) -> Result<Vec<Listed>, Fault> {
        let models = Arc::clone(self);
        blocking(move || {
            let stored = models.hub.list().into_iter().filter(|model| model.complete);
            let mut listed: Vec<Listed> = stored.flat_map(|model| models.listed(&model)).collect();
            for name in &models.preload {
                let named = models.hub.name(name)?;
                if listed.iter().any(|model| model.name == *name || model.name == named.to_string())
                {
                    continue;
                }
                if let Some(local) = models.here(&named)? {
                    listed.push(models.offered(name, &local));
                }
            }
            listed.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.name.cmp(&b.name)));
            Ok(listed)
        })
        .await
    }

    /// A repository with several quantizations is a model for each.
    fn listed(&self, model: &StoredModel) -> Vec<Listed> {
        let names = match model.quantizations.as_slice() {
            [_, _, ..] if model.place == Place::Cache => {
                model.quantizations.iter().map(|label| format!("{}:{label}", model.name)).collect()
            }
            _ => vec![model.name.clone()],
        };
        let share = names.len() as u64;
        let listed = |name: String| {
            let local = self.hub.name(&name).ok().and_then(|name| self.hub.cached(&name).ok()?);
            let facts = local.map(|local| self.facts(&local)).unwrap_or_default();
            let revision = model.revision.as_deref().unwrap_or_default();
            Listed {
                digest: digest(&name, revision, model.bytes),
                bytes: model.bytes / share,
                modified: modified(&model.path),
                format: match model.format {
                    Format::Gguf => "gguf",
                    _ => "safetensors",
                },
                facts,
                name,
            }
        };
        names.into_iter().map(listed).collect()
    }

    fn offered(&self, name: &str, local: &LocalModel) -> Listed {
        let path = local.files.path();
        let files = std::fs::read_dir(path).into_iter().flatten().flatten();
        let bytes = if path.is_dir() {
            files.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
        } else {
            std::fs::metadata(path).map_or(0, |meta| meta.len())
        };
        Listed {
            name: name.to_owned(),
            bytes,
            modified: modified(path),
            digest: digest(name, "", bytes),
            format: format_of(local),
            facts: self.facts(local),
        }
    }

    /// What a model is; of one that cannot be read nothing is known.
    fn facts(&self, local: &LocalModel) -> Facts {
        let (path, time) = (local.files.path(), modified(local.files.path()));
        let lock = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, facts)) = lock().get(path)
            && *seen == time
        {
            return facts.clone();
        }
        let about = Model::open(local, &LoadOptions::default()).and_then(|model| About::of(&model));
        let facts = about.map_or_else(|_| Facts::default(), |about| Facts::of(&about));
        lock().insert(path.to_owned(), (time, facts.clone()));
        facts
    }

    /// Whether a model that is loaded thinks before it answers, if it is not told not to.
    pub(crate) fn thinks(&self, model: &LlmManager) -> bool {
        self.facts(model.local()).thinks
    }

    /// What a model on this disk is.
    pub(crate) async fn show(self: &Arc<Self>, written: &str) -> Result<Shown, Fault> {
        let (models, written) = (Arc::clone(self), written.to_owned());
        blocking(move || {
            let (text, name) = models.name(&written)?;
            let local = models.here(&name)?.ok_or_else(|| Fault::no_model(&written))?;
            let about = About::of(&Model::open(&local, &LoadOptions::default())?)?;
            let (format, modified) = (format_of(&local), modified(local.files.path()));
            Ok(Shown { name: text, about, format, modified })
        })
        .await
    }

    /// Whether a model is on this disk.
    pub(crate) async fn find(self: &Arc<Self>, written: &str) -> Result<SystemTime, Fault> {
        let (models, written) = (Arc::clone(self), written.to_owned());
        blocking(move || {
            let (_, name) = models.name(&written)?;
            let local = models.here(&name)?.ok_or_else(|| Fault::no_model(&written))?;
            Ok(modified(local.files.path()))
        })
        .await
    }

    /// Brings a model up to date with its source, in the thread that calls.
    pub(crate) fn pull(&self, written: &str, progress: &mut dyn Progress) -> Result<(), Fault> {
        let (_, name) = self.name(written)?;
        self.hub.pull(&name, progress)?;
        Ok(())
    }

    /// Removes a model from this disk, and from memory.
    pub(crate) async fn remove(self: &Arc<Self>, written: &str) -> Result<(), Fault> {
        let (models, written) = (Arc::clone(self), written.to_owned());
        blocking(move || {
            models.let_go(&written)?;
            let (_, name) = models.name(&written)?;
            models.hub.remove(&name, false)?;
            Ok(())
        })
        .await
    }
}
