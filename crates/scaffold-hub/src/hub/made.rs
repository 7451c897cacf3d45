//! Models of one's own, and what they are made from.

use std::sync::Arc;

use scaffold_error::Error;

use super::{Hub, local_files};
use crate::local::{LocalModel, ModelFiles, Source};
use crate::made::{Base, MadeModel, MadeStore, unknown};
use crate::manage::{Format, Place, StoredModel};
use crate::name::{MadeName, ModelName, RepoName};
use crate::quantization;

impl Hub {
    /// The models of one's own.
    ///
    /// # Errors
    /// There is no place for them.
    pub fn made(&self) -> Result<MadeStore, Error> {
        self.config.made_models()
    }

    /// The model of one's own that is called so, if there is one.
    pub(super) fn made_name(&self, text: &str) -> Option<MadeName> {
        let name = MadeName::parse(text).ok()?;
        self.made().is_ok_and(|store| store.has(&name)).then_some(name)
    }

    /// Whether something of a repository is in the cache.
    pub fn has_repo(&self, name: &RepoName) -> bool {
        self.repo(&name.id).is_ok_and(|repo| repo.dir().is_dir())
    }

    /// The name of what a model of one's own is made from. Neither aliases nor directories here say
    /// what it means: it is written in full. `None` where it is made of files.
    ///
    /// # Errors
    /// The text is no model's name.
    pub fn base(model: &MadeModel) -> Result<Option<ModelName>, Error> {
        match &model.base {
            Base::From(text) => ModelName::parse(text).map(Some),
            Base::Files(_) => Ok(None),
        }
    }

    pub(super) fn cached_made(&self, name: &MadeName) -> Result<Option<LocalModel>, Error> {
        let model = self.made()?.get(name)?.ok_or_else(|| unknown(name))?;
        self.cached_as(model)
    }

    /// The files of a model of one's own that may not be written down yet, if all of them are here.
    ///
    /// # Errors
    /// As [`Hub::cached`].
    pub fn cached_as(&self, model: MadeModel) -> Result<Option<LocalModel>, Error> {
        let found = match Self::base(&model)? {
            Some(base) => self.cached(&base)?,
            None => Some(self.own_files(&model)?),
        };
        Ok(found.map(|found| LocalModel { made: Some(Arc::new(model)), ..found }))
    }

    fn own_files(&self, model: &MadeModel) -> Result<LocalModel, Error> {
        let name = model.name.to_string();
        let files = self.made()?.files(model, local_files)?;
        let files = files.unwrap_or_else(|| ModelFiles::Directory(self.config.made_dir.clone()));
        let (source, revision) = (Source::Made, None);
        Ok(LocalModel { name, files, source, revision, ollama: None, made: None })
    }

    /// The files of what a model is made from, found in a way of the caller's.
    pub(super) fn dressed(
        &self,
        name: &MadeName,
        find: impl FnOnce(&ModelName) -> Result<LocalModel, Error>,
    ) -> Result<LocalModel, Error> {
        let model = self.made()?.get(name)?.ok_or_else(|| unknown(name))?;
        let found = match Self::base(&model)? {
            Some(base) => find(&base)?,
            None => self.own_files(&model)?,
        };
        Ok(LocalModel { made: Some(Arc::new(model)), ..found })
    }

    pub(crate) fn list_made(&self) -> Vec<StoredModel> {
        let Ok(store) = self.made() else {
            return Vec::new();
        };
        let entry = |model: MadeModel| {
            let found = self.cached_as(model.clone()).ok().flatten();
            let format = found.as_ref().map_or(Format::Other, |found| match &found.files {
                ModelFiles::Gguf(_) => Format::Gguf,
                ModelFiles::Directory(_) => Format::Safetensors,
            });
            let file = found.as_ref().and_then(|found| found.files.path().to_str());
            let label = file.filter(|_| format == Format::Gguf).and_then(quantization::label_of);
            StoredModel {
                name: model.name.to_string(),
                place: Place::Made,
                revision: None,
                refs: Vec::new(),
                format,
                quantizations: label.into_iter().collect(),
                bytes: store.bytes(&model),
                complete: found.is_some(),
                path: store.path(&model.name),
                from: match model.base {
                    Base::From(name) => Some(name),
                    Base::Files(_) => None,
                },
            }
        };
        store.list().0.into_iter().map(entry).collect()
    }
}
