//! Models of one's own: making and copying them.

use std::sync::Arc;

use scaffold::Error;
use scaffold::hub::{LocalModel, ModelName, Progress};
use scaffold::made::{Created, MadeStore, Recipe, copy_with, create_with};

use super::holder::Models;
use super::work::blocking;
use crate::fault::Fault;

impl Models {
    /// Refuses clients that may not make models.
    pub(crate) fn check_may_make(&self) -> Result<(), Fault> {
        if self.is_local || self.create {
            return Ok(());
        }
        Err(Fault::new(
            403,
            "models are made on the machine of the server alone (`scaffold create NAME -f Modelfile`), unless it was started with --create",
        ))
    }

    /// Whether a name is that of a model of one's own.
    pub(crate) fn is_made(&self, written: &str) -> bool {
        matches!(self.name(written), Ok((_, ModelName::Made(_))))
    }

    /// Where models of one's own lie.
    pub(crate) fn made(&self) -> Result<MadeStore, Fault> {
        Ok(self.hub.made()?)
    }

    /// Makes a model of one's own, in the thread that calls.
    pub(crate) fn create(
        &self,
        name: &str,
        mut recipe: Recipe,
        progress: &mut dyn Progress,
    ) -> Result<Created, Fault> {
        let base = match &recipe.from {
            Some(from) => Some(self.base(from, progress)?),
            None => None,
        };
        let found = base.map(|(text, local)| {
            recipe.from = Some(text);
            local
        });
        let find = |from: &str, _: &mut dyn Progress| found.ok_or_else(|| lost(from));
        Ok(create_with(&self.config, name, &recipe, progress, find)?)
    }

    /// The model that one of one's own is to be made from: files that nobody has offered are for
    /// programs on this machine, and what is not here is fetched where clients may do that.
    fn base(
        &self,
        written: &str,
        progress: &mut dyn Progress,
    ) -> Result<(String, LocalModel), Fault> {
        let (text, name) = self.name(written)?;
        let found = self.here(&name)?;
        let local = match found {
            Some(local) => local,
            None if self.may_fetch() => self.hub.resolve(&name, progress)?,
            None => return Err(Fault::no_model(written)),
        };
        Ok((text, local))
    }

    /// Gives a model a further name.
    pub(crate) async fn copy(self: &Arc<Self>, from: &str, to: &str) -> Result<Created, Fault> {
        let (models, from, to) = (Arc::clone(self), from.to_owned(), to.to_owned());
        blocking(move || {
            let (text, name) = models.name(&from)?;
            let local = models.here(&name)?.ok_or_else(|| Fault::no_model(&from))?;
            Ok(copy_with(&models.config, &text, &to, |_| Ok(local))?)
        })
        .await
    }

    /// Removes what was brought for models that were never made.
    pub(crate) fn clean(&self) {
        // What is in the way is told when somebody makes a model.
        let _ = self.hub.made().and_then(|store| store.clean());
    }
}

/// It is looked for once, before.
fn lost(from: &str) -> Error {
    scaffold_error::err!(Internal, "{from} was found, and is not there any more: report this")
}
