//! Several models at once, under one authority for memory: loaded when they are asked for, let go
//! when nobody uses them.
//!
//! A [`Registry`] is asked for a model by name, as any door takes it, and by what it is to be. It
//! gives a [`Lease`]: the model, which stays in memory as long as the lease is there. What does not
//! fit beside the others makes those go that nobody uses, the one first that was used least lately;
//! models in use are never taken from anybody.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use scaffold::config::Config;
//! use scaffold::registry::{Ask, How, RegistryOptions};
//! use scaffold::{MemoryLimit, Registry};
//!
//! let options = RegistryOptions::new().memory(MemoryLimit::Bytes(8 << 30));
//! let registry = Registry::new(Config::of_process()?, options);
//!
//! let chat = registry.language_model("starter")?;
//! println!("{}", chat.generate("What is sustainability?")?);
//! drop(chat);
//!
//! // Waits for models that are in use, too, and keeps this one for an hour.
//! let ask = Ask::new().wait(Duration::from_secs(30)).keep_alive(Duration::from_secs(3600));
//! let embedder = registry.embedder_with("sentence-transformers/all-MiniLM-L6-v2", ask)?;
//! println!("{:?}", embedder.embed("A sentence.")?);
//! drop(embedder);
//!
//! for model in registry.models() {
//!     println!("{} {} {} bytes", model.name, model.stage.name(), model.memory);
//! }
//! registry.unload("starter", How::Drain(Duration::from_secs(10)));
//! # Ok::<(), scaffold::Error>(())
//! ```
//!
//! # What is promised
//! - One model has one copy, by whatever names it is called; asked for as two kinds it is two. Models
//!   of one's own that are made from one model share its copy with it.
//! - Of several requests for a model that is not there one load comes, and all wait for it. If it
//!   fails, all hear why, and the next request tries again. A panic is a failure like any other.
//! - The plans of all models together, of those that are being loaded as well, never exceed
//!   [`RegistryOptions::memory`] where that is a number. Where it is what is available, the system
//!   is asked before each load.
//! - A request never waits for models in use unless it says so ([`Ask::wait`]); it is refused
//!   (`Kind::Unavailable`) with what is in the way. While one waits, a model that it waits for is
//!   leased eight times more; then others wait, too. So nobody starves. Whoever asks for a model
//!   while holding another should let go of that first: what it holds, nobody can let go for it.

mod asking;
mod keeper;
mod lease;
mod listing;
mod loading;
mod models;
mod options;
mod policy;
mod shared;
mod source;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod unloading;
mod views;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use scaffold_error::{Error, err};

pub use lease::Lease;
pub use options::{Ask, KeepAlive, RegistryOptions};
pub use status::{Facts, ModelKind, ModelMetrics, ModelState, RegistryMetrics, Stage};
pub use unloading::How;

use crate::config::Config;
use crate::embed::Embedder;
use crate::llm::LlmManager;
use crate::rerank::CrossEncoder;
use models::{AnyModel, Models};
use shared::Shared;
use source::{Resident as _, Source as _};

/// Several models, loaded as they are asked for. See [the module](self).
///
/// All methods take `&self`. When it is dropped, what nobody uses is freed, and the rest with its
/// last lease.
pub struct Registry {
    shared: Arc<Shared<Models>>,
}

impl Registry {
    /// An empty one.
    pub fn new(config: impl Into<Arc<Config>>, options: RegistryOptions) -> Self {
        let models = Models::new(config.into(), &options);
        Self { shared: Arc::new(Shared::new(models, options)) }
    }

    /// A model that answers: a repository (`org/name`, `org/name@revision`), a directory, a GGUF
    /// file or an alias. Loads it if it is not there, and waits for that.
    ///
    /// # Errors
    /// It cannot be found, fetched, read, computed or held in memory, or not beside those that are
    /// in use.
    pub fn language_model(&self, name: &str) -> Result<Lease<LlmManager>, Error> {
        self.language_model_with(name, Ask::new())
    }

    /// A model that answers, with more to be said of the request.
    ///
    /// # Errors
    /// As [`language_model`](Self::language_model), and the time is over or it was stopped.
    pub fn language_model_with(
        &self,
        name: &str,
        ask: Ask<'_>,
    ) -> Result<Lease<LlmManager>, Error> {
        let source = &self.shared.source;
        let (base, made) = source.meant(name)?;
        match self.shared.ask(&base, ModelKind::Language, ask)? {
            (AnyModel::Language(model), in_use) => {
                let model = match &made {
                    Some(made) => source.as_made(&model, made)?,
                    None => model,
                };
                Ok(Lease::new(model, in_use))
            }
            _ => Err(other_kind(name)),
        }
    }

    /// A model that embeds, otherwise as [`language_model`](Self::language_model).
    ///
    /// # Errors
    /// As [`language_model`](Self::language_model).
    pub fn embedder(&self, name: &str) -> Result<Lease<Embedder>, Error> {
        self.embedder_with(name, Ask::new())
    }

    /// A model that embeds, with more to be said of the request.
    ///
    /// # Errors
    /// As [`language_model_with`](Self::language_model_with).
    pub fn embedder_with(&self, name: &str, ask: Ask<'_>) -> Result<Lease<Embedder>, Error> {
        let (base, _) = self.shared.source.meant(name)?;
        match self.shared.ask(&base, ModelKind::Embedder, ask)? {
            (AnyModel::Embedder(model), in_use) => Ok(Lease::new(model, in_use)),
            _ => Err(other_kind(name)),
        }
    }

    /// A model that ranks, otherwise as [`language_model`](Self::language_model).
    ///
    /// # Errors
    /// As [`language_model`](Self::language_model).
    pub fn cross_encoder(&self, name: &str) -> Result<Lease<CrossEncoder>, Error> {
        self.cross_encoder_with(name, Ask::new())
    }

    /// A model that ranks, with more to be said of the request.
    ///
    /// # Errors
    /// As [`language_model_with`](Self::language_model_with).
    pub fn cross_encoder_with(
        &self,
        name: &str,
        ask: Ask<'_>,
    ) -> Result<Lease<CrossEncoder>, Error> {
        let (base, _) = self.shared.source.meant(name)?;
        match self.shared.ask(&base, ModelKind::CrossEncoder, ask)? {
            (AnyModel::CrossEncoder(model), in_use) => Ok(Lease::new(model, in_use)),
            _ => Err(other_kind(name)),
        }
    }

    /// The name that a model is counted under, by whatever name it is called: of a [model of one's
    /// own](crate::made) it is that of what it is made from, whose weights it shares.
    ///
    /// # Errors
    /// The text cannot be the name of a model.
    pub fn identity(&self, name: &str) -> Result<String, Error> {
        self.shared.source.identity(name)
    }

    /// From now on the model of this name stays in memory once it is there: it makes no room for
    /// others, and its time is never over. It is not loaded for that.
    ///
    /// # Errors
    /// The text cannot be the name of a model.
    pub fn pin(&self, name: &str) -> Result<(), Error> {
        self.set_pin(name, true)
    }

    /// The model of this name may go again.
    ///
    /// # Errors
    /// As [`pin`](Self::pin).
    pub fn unpin(&self, name: &str) -> Result<(), Error> {
        self.set_pin(name, false)
    }

    fn set_pin(&self, name: &str, pinned: bool) -> Result<(), Error> {
        let identity = self.shared.source.identity(name)?;
        self.shared.pin(identity, pinned);
        Ok(())
    }

    /// Unloads a model, whatever it was asked for as; whether everybody was done with it. One that
    /// is being loaded comes to nothing. Returns when its memory is free, but for an embedder or a
    /// cross-encoder that somebody still holds: nobody can end its calls, and its memory counts
    /// until they have.
    ///
    /// # Errors
    /// The text cannot be the name of a model, or it is none of those here.
    pub fn unload(&self, name: &str, how: How) -> Result<bool, Error> {
        let identity = self.shared.source.identity(name)?;
        let ids = self.shared.lock().named(&identity);
        if ids.is_empty() {
            return Err(
                err!(NotFound, "{name} is not loaded: there is nothing to unload").of_model(name)
            );
        }
        Ok(self.shared.unload(&ids, how))
    }

    /// Unloads all models, also those that are pinned; whether everybody was done with them.
    pub fn unload_all(&self, how: How) -> bool {
        let ids: Vec<u64> = self.shared.lock().entries.keys().copied().collect();
        self.shared.unload(&ids, how)
    }

    /// Takes no more requests for models and unloads all, waiting so long for those that are in
    /// use; whether everybody was done with them.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.shared.close();
        self.unload_all(How::Drain(timeout))
    }

    /// Has models write their long prompts to disk that nobody has used for so long, where they are to
    /// ([`LoadOptions::prompts`](crate::LoadOptions::prompts)). Models that go do so anyway.
    pub fn keep_prompts(&self, idle: Duration) {
        for model in self.shared.idle(idle) {
            model.keep_prompts();
        }
    }

    /// The models that are loaded, come, go, or could not be loaded lately.
    pub fn models(&self) -> Vec<ModelState> {
        let mut states = self.shared.models();
        for state in states.iter_mut().filter(|state| state.kind == ModelKind::Language) {
            state.made = self.shared.source.made_from(&state.name);
        }
        states
    }

    /// Waits until something is not as it was at this version, but no longer than `timeout`; the
    /// version then. Begin with 0.
    pub fn watch(&self, version: u64, timeout: Duration) -> u64 {
        self.shared.watch(version, timeout)
    }

    /// Calls this whenever something is not as it was, for as long as the registry is there: in
    /// the thread that changed it, so that it should only wake somebody. No thread waits meanwhile.
    pub fn on_change(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.shared.listen(Arc::new(listener));
    }

    /// What was done until now, and what is held.
    pub fn metrics(&self) -> RegistryMetrics {
        self.shared.metrics()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("models", &self.models()).finish_non_exhaustive()
    }
}

/// An entry's kind is part of what it is found by.
fn other_kind(name: &str) -> Error {
    err!(Internal, "another kind of model was loaded for {name} than was asked for: report this")
        .of_model(name)
}
