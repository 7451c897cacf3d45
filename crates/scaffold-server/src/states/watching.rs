//! What changes of models, told to one client for as long as it listens.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use scaffold::registry::{ModelKind, ModelState};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::{llama, told};
use crate::body::Source;
use crate::call::Shared;
use crate::openai::sse::{HEARTBEAT, event};

/// So often is looked at most: what changes faster is passed over.
const OFTEN: Duration = Duration::from_millis(100);
/// After so long without a word a comment says that there is still somebody.
const QUIET: Duration = Duration::from_secs(10);
/// Pieces that wait for a slow reader, at most. Nothing is looked at meanwhile.
const AHEAD: usize = 4;

/// In whose words a state is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Words {
    Own,
    Llama,
}

/// Which models are told of.
type Which = Box<dyn Fn(&ModelState) -> bool + Send + Sync>;

/// One client's view.
pub(super) struct Watching {
    shared: Arc<Shared>,
    words: Words,
    which: Which,
    /// What was told of each, and how it was then.
    told: HashMap<(String, ModelKind), (Value, ModelState)>,
    changes: watch::Receiver<u64>,
    pub(super) sender: mpsc::Sender<Bytes>,
}

impl Watching {
    /// With what it says as a body.
    pub(super) fn new(shared: &Arc<Shared>, words: Words, which: Which) -> (Self, Telling) {
        let (sender, pieces) = mpsc::channel(AHEAD);
        let changes = shared.models.changes();
        let shared = Arc::clone(shared);
        (Self { shared, words, which, told: HashMap::new(), changes, sender }, Telling(pieces))
    }

    /// Tells what is as it was not when it was told last; whether somebody listens.
    pub(super) async fn tell(&mut self) -> bool {
        let mut out = Vec::new();
        // Before the look, so that what changes after it is seen the next time.
        self.changes.borrow_and_update();
        let mut gone = std::mem::take(&mut self.told);
        for model in self.shared.models.states() {
            if !(self.which)(&model) {
                continue;
            }
            let key = (model.name.clone(), model.kind);
            let now = told::steady(&model);
            if gone.remove(&key).is_none_or(|(before, _)| before != now) {
                let value = match self.words {
                    Words::Own => now.clone(),
                    Words::Llama => llama::event(&model),
                };
                event(&value, &mut out);
            }
            self.told.insert(key, (now, model));
        }
        for (_, model) in gone.into_values() {
            let value = match self.words {
                Words::Own => told::unloaded(&model),
                Words::Llama => llama::unloaded(&model),
            };
            event(&value, &mut out);
        }
        self.send(out).await
    }

    /// Waits until something has changed, and says now and then that it does; whether somebody
    /// listens.
    pub(super) async fn wait(&mut self) -> bool {
        tokio::time::sleep(OFTEN).await;
        loop {
            match tokio::time::timeout(QUIET, self.changes.changed()).await {
                Ok(changed) => return changed.is_ok(),
                Err(_) if self.send(HEARTBEAT.to_vec()).await => {}
                Err(_) => return false,
            }
        }
    }

    pub(super) async fn send(&self, bytes: Vec<u8>) -> bool {
        if bytes.is_empty() {
            return !self.sender.is_closed();
        }
        self.sender.send(bytes.into()).await.is_ok()
    }
}

/// The pieces on their way.
pub(super) struct Telling(mpsc::Receiver<Bytes>);

impl Source for Telling {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.poll_recv(context)
    }
}
