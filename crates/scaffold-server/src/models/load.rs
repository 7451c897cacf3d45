//! Models that are loaded and let go because somebody says so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use scaffold::hub::ModelName;
use scaffold::registry::{Ask, How, KeepAlive, ModelKind, ModelState, Stage};
use scaffold::{Error, Kind};

use super::facts::kind;
use super::holder::Models;
use super::work::{Asking, blocking};
use crate::fault::Fault;

/// A model that is here, or may be fetched, by its name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    text: String,
    name: ModelName,
    full: String,
}

impl Named {
    /// Whether this is the state of it.
    pub(crate) fn is(&self, model: &ModelState) -> bool {
        let mut names = model.names.iter().chain([&model.name]);
        names.any(|name| *name == self.full || *name == self.text)
    }
}

/// A model that was loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loaded {
    pub(crate) time: Duration,
}

impl Models {
    /// What a client means by a name: a model that is here, or may be fetched.
    pub(crate) async fn named(self: &Arc<Self>, written: &str) -> Result<Named, Fault> {
        let (models, written) = (Arc::clone(self), written.to_owned());
        blocking(move || {
            let text = models.known(&written)?;
            let name = models.name(&text)?.1;
            Ok(Named { full: name.to_string(), text, name })
        })
        .await
    }

    /// Loads a model as what it is. If nobody waits for that any more, it ends.
    pub(crate) async fn load(
        self: &Arc<Self>,
        named: &Named,
        keep: Option<KeepAlive>,
    ) -> Result<Loaded, Fault> {
        let (gone, asking) = Asking::new(keep, self.load_time);
        let (models, named) = (Arc::clone(self), named.clone());
        let loaded = blocking(move || {
            let begun = Instant::now();
            models.load_as_it_is(&named, &asking)?;
            Ok(Loaded { time: begun.elapsed() })
        })
        .await;
        drop(gone);
        loaded
    }

    fn load_as_it_is(&self, named: &Named, asking: &Asking) -> Result<(), Fault> {
        let is_here = match self.here(&named.name)? {
            Some(local) => Some(kind(&local)?),
            None => None,
        };
        // What is not here is known when it is: most models answer.
        let guess = is_here.unwrap_or(ModelKind::Language);
        match self.lease_as(guess, &named.text, asking.ask()) {
            Err(error) if is_here.is_none() && error.kind() == Kind::Unsupported => {
                match self.here(&named.name)?.map(|local| kind(&local)).transpose()? {
                    Some(kind) if kind != guess => {
                        Ok(self.lease_as(kind, &named.text, asking.ask())?)
                    }
                    _ => Err(error.into()),
                }
            }
            leased => Ok(leased?),
        }
    }

    /// Has a model in memory for a moment.
    pub(super) fn lease_as(
        &self,
        kind: ModelKind,
        name: &str,
        ask: Ask<'static>,
    ) -> Result<(), Error> {
        match kind {
            ModelKind::Embedder => drop(self.registry.embedder_with(name, ask)?),
            ModelKind::CrossEncoder => drop(self.registry.cross_encoder_with(name, ask)?),
            _ => drop(self.registry.language_model_with(name, ask)?),
        }
        Ok(())
    }

    /// Lets a model go: one that comes does not, one that nobody uses goes at once, another when its
    /// answers are complete.
    pub(crate) async fn unload(self: &Arc<Self>, named: &Named) -> Result<(), Fault> {
        let (models, named) = (Arc::clone(self), named.clone());
        blocking(move || {
            let states = models.states();
            let is_coming = |model: &&ModelState| {
                use Stage::{Fetching, Loading, Waiting};
                matches!(model.stage, Fetching { .. } | Waiting(_) | Loading { .. })
            };
            if states.iter().filter(is_coming).any(|model| named.is(model)) {
                match models.registry.unload(&named.text, How::Drain(Duration::from_secs(5))) {
                    // It has gone already.
                    Err(error) if error.kind() == Kind::NotFound => {}
                    unloaded => drop(unloaded?),
                }
                return Ok(());
            }
            models.let_go(&named.text)
        })
        .await
    }
}
