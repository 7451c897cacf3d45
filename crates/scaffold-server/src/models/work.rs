//! Calls of the library, on threads of their own: the model is waited for there, and whoever asks
//! and goes away ends that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scaffold::embed::Embedder;
use scaffold::registry::{Ask, KeepAlive, Lease};
use scaffold::{CrossEncoder, Error, LlmManager};

use super::holder::Models;
use crate::fault::Fault;

/// Runs a call that computes, reads files or waits, without holding up others.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    // A panic was told by the hook; it is no reason to say nothing.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Fault::internal()))
}

/// Says so when it is dropped: nobody waits any more.
pub(super) struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How a model is asked for.
pub(super) struct Asking {
    keep: Option<KeepAlive>,
    wait: Duration,
    gone: Arc<AtomicBool>,
}

impl Asking {
    /// With what says, when it is dropped, that nobody waits any more.
    pub(super) fn new(keep: Option<KeepAlive>, wait: Duration) -> (Gone, Self) {
        let gone = Gone(Arc::default());
        let asking = Self { keep, wait, gone: Arc::clone(&gone.0) };
        (gone, asking)
    }

    pub(super) fn ask(&self) -> Ask<'static> {
        let ask = Ask::new().wait(self.wait).cancel(Arc::clone(&self.gone));
        match self.keep {
            Some(keep) => ask.keep_alive(keep),
            None => ask,
        }
    }
}

impl Models {
    /// Does something with a model that answers; with how long it took until the model was there.
    pub(crate) async fn language<T: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        keep: Option<KeepAlive>,
        work: impl FnOnce(&LlmManager) -> Result<T, Fault> + Send + 'static,
    ) -> Result<(Lease<LlmManager>, T, Duration), Fault> {
        self.with(
            name,
            keep,
            |models, name, ask| models.registry.language_model_with(name, ask),
            |model| work(model),
        )
        .await
    }

    /// Does something with a model that embeds; with how long it took until the model was there.
    pub(crate) async fn embedder<T: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        keep: Option<KeepAlive>,
        work: impl FnOnce(&Embedder) -> Result<T, Fault> + Send + 'static,
    ) -> Result<(T, Duration), Fault> {
        let lease = |models: &Models, name: &str, ask: Ask<'static>| {
            models.registry.embedder_with(name, ask)
        };
        let (model, (), load) = self.with(name, keep, lease, |_| Ok(())).await?;
        Ok((self.in_turn(model, |model| work(model)).await?, load))
    }

    /// Does something with a model that ranks.
    pub(crate) async fn ranker<T: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        work: impl FnOnce(&CrossEncoder) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let lease = |models: &Models, name: &str, ask: Ask<'static>| {
            models.registry.cross_encoder_with(name, ask)
        };
        let (model, (), _) = self.with(name, None, lease, |_| Ok(())).await?;
        self.in_turn(model, |model| work(model)).await
    }

    /// Computes with a model that takes all of the machine's threads: not more at once than it has.
    /// Nobody can end such a call, so that the place is free when it has ended.
    async fn in_turn<M: Send + Sync + 'static, T: Send + 'static>(
        &self,
        model: Lease<M>,
        work: impl FnOnce(&Lease<M>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = Arc::clone(&self.computing).acquire_owned().await;
        blocking(move || {
            let done = work(&model);
            drop(turn);
            done
        })
        .await
    }

    async fn with<M: Send + Sync + 'static, T: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        keep: Option<KeepAlive>,
        lease: impl FnOnce(&Models, &str, Ask<'static>) -> Result<Lease<M>, Error> + Send + 'static,
        work: impl FnOnce(&Lease<M>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<(Lease<M>, T, Duration), Fault> {
        let (_gone, asking) = Asking::new(keep, self.load_time);
        let (models, name) = (Arc::clone(self), name.to_owned());
        blocking(move || {
            let begun = Instant::now();
            let known = models.known(&name)?;
            let model = lease(&models, &known, asking.ask())?;
            let load = begun.elapsed();
            let result = work(&model)?;
            Ok((model, result, load))
        })
        .await
    }
}
