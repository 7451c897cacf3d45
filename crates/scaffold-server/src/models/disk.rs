//! The models on this disk: telling them, fetching them, removing them.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use scaffold::about::About;
use scaffold::hub::{Format, LocalModel, ModelFiles, ModelName, Place, Progress, StoredModel};
use scaffold::made::MadeModel;
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
    /// What a model of one's own is made from.
    pub(crate) from: Option<String>,
}

/// A model that is looked at alone.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) about: About,
    pub(crate) format: &'static str,
    pub(crate) modified: SystemTime,
    /// What it says over what it is made from, if it is one of one's own.
    pub(crate) made: Option<Arc<MadeModel>>,
    pub(crate) files: ModelFiles,
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
        if model.place == Place::Made {
            return self.own(model).into_iter().collect();
        }
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
                from: None,
                name,
            }
        };
        names.into_iter().map(listed).collect()
    }

    /// A model of one's own, which is as large as what it is made from.
    fn own(&self, model: &StoredModel) -> Option<Listed> {
        let local = self.hub.cached(&self.hub.name(&model.name).ok()?).ok()??;
        let offered = self.offered(&model.name, &local);
        let (time, own) = (modified(&model.path), local.made.as_ref()?);
        let state = format!("{} {}", own.modified, model.path.display());
        let digest = digest(&model.name, &state, offered.bytes);
        let from = model.from.clone().or_else(|| Some(String::new()));
        Some(Listed { modified: time, digest, from, ..offered })
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
            from: None,
        }
    }

    /// What a model is; of one that cannot be read nothing is known.
    fn facts(&self, local: &LocalModel) -> Facts {
        let (path, time) = (local.files.path(), modified(local.files.path()));
        let lock = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let template = local.made.as_ref().and_then(|made| made.template.clone());
        let key = (path.to_owned(), template);
        if let Some((seen, facts)) = lock().get(&key)
            && *seen == time
        {
            return facts.clone();
        }
        let about = Model::open(local, &LoadOptions::default()).and_then(|model| About::of(&model));
        let facts = about.map_or_else(|_| Facts::default(), |about| Facts::of(&about));
        lock().insert(key, (time, facts.clone()));
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
            let model = Model::open(&local, &LoadOptions::default())?;
            let mut about = About::of(&model)?;
            if inserts(&model) {
                about.capabilities.push("insert");
            }
            let (format, time) = (format_of(&local), models.changed(&name, &local));
            let (name, made, files) = (text, local.made, local.files);
            Ok(Shown { name, about, format, modified: time, made, files })
        })
        .await
    }

    /// When a model was last changed: its file, if it is one of one's own.
    fn changed(&self, name: &ModelName, local: &LocalModel) -> SystemTime {
        match (name, self.hub.made()) {
            (ModelName::Made(own), Ok(store)) => modified(&store.path(own)),
            _ => modified(local.files.path()),
        }
    }

    /// Whether a model is on this disk.
    pub(crate) async fn find(self: &Arc<Self>, written: &str) -> Result<SystemTime, Fault> {
        let (models, written) = (Arc::clone(self), written.to_owned());
        blocking(move || {
            let (_, name) = models.name(&written)?;
            let local = models.here(&name)?.ok_or_else(|| Fault::no_model(&written))?;
            Ok(models.changed(&name, &local))
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
            let (_, name) = models.name(&written)?;
            // What one of one's own is made from stays, in memory, too.
            if !matches!(name, ModelName::Made(_)) {
                models.let_go(&written)?;
            }
            models.hub.remove(&name, false)?;
            Ok(())
        })
        .await
    }
}

/// Whether a model writes what stands between two texts. Reading a tokenizer takes its time, so it is
/// not told in lists.
fn inserts(model: &Model) -> bool {
    let text = model.text().and_then(|text| model.fill_in_middle(&text.tokenizer));
    text.is_ok_and(|middle| middle.is_some())
}
