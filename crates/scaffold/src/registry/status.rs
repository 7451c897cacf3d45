//! What a registry tells of its models, as plain values.

use std::fmt;
use std::time::{Duration, SystemTime};

use scaffold_engine::{Histogram, Metrics};
use scaffold_error::Error;
use serde::Serialize;

use super::options::KeepAlive;

/// What a model is asked for as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelKind {
    /// An [`LlmManager`](crate::LlmManager).
    Language,
    /// An [`Embedder`](crate::Embedder).
    Embedder,
    /// A [`CrossEncoder`](crate::CrossEncoder).
    CrossEncoder,
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelKind::Language => "language model",
            ModelKind::Embedder => "embedder",
            ModelKind::CrossEncoder => "cross-encoder",
        })
    }
}

/// A model of a registry: one that is loaded, comes, goes, or could not be loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModelState {
    /// Its name, in its full form.
    pub name: String,
    /// All names that it was asked for by, in their full form.
    pub names: Vec<String>,
    /// [Models of one's own](crate::made) that are made from it, share its memory and were asked for.
    pub made: Vec<String>,
    /// What it was asked for as.
    pub kind: ModelKind,
    /// How far it is.
    pub stage: Stage,
    /// Whether it stays until somebody unloads it.
    pub pinned: bool,
    /// How long it stays when nobody uses it.
    pub keep_alive: KeepAlive,
    /// How many use it now.
    pub leases: usize,
    /// Bytes that are counted for it: its plan.
    pub memory: usize,
    /// What it is, as soon as its files are here.
    pub facts: Option<Facts>,
}

/// How far a model is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// Its files are looked for, and fetched where they are not here: so many bytes of so many, as
    /// far as that is known.
    Fetching {
        /// Bytes that are here.
        bytes: u64,
        /// Bytes in all; 0 where there is nothing to fetch, or nobody has said yet.
        of: u64,
    },
    /// It waits for others: to be loaded, or to make room; why, where it is for room.
    Waiting(Option<Error>),
    /// Its weights come into memory.
    Loading {
        /// Bytes that are there.
        bytes: u64,
        /// Bytes in all, about.
        of: u64,
    },
    /// It takes requests.
    Ready {
        /// Since when.
        since: SystemTime,
        /// When it was last used.
        last_used: SystemTime,
        /// When it goes if nobody uses it; `None` while somebody does, or where it stays.
        expires: Option<SystemTime>,
    },
    /// It takes no more requests and goes.
    Draining,
    /// It could not be loaded. The next request tries again.
    Failed {
        /// Why.
        why: Error,
        /// When.
        at: SystemTime,
    },
}

impl Stage {
    /// Its name for machines: `fetching`, `waiting`, `loading`, `ready`, `draining`, `failed`.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Fetching { .. } => "fetching",
            Stage::Waiting(_) => "waiting",
            Stage::Loading { .. } => "loading",
            Stage::Ready { .. } => "ready",
            Stage::Draining => "draining",
            Stage::Failed { .. } => "failed",
        }
    }
}

/// What a model is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Facts {
    /// The family, such as `llama`.
    pub family: String,
    /// Weights in all.
    pub parameters: u64,
    /// Bytes of the weights in memory.
    pub weight_bytes: usize,
    /// What most of the weights are computed from, such as `Q4_K`.
    pub quantization: String,
    /// Tokens that the model was made for.
    pub model_context: usize,
    /// Tokens that prompt and answer may have together; 0 until that is planned.
    pub context: usize,
}

/// What a registry has done since it was made, and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RegistryMetrics {
    /// Requests for a model that was there.
    pub hits: u64,
    /// Models that were loaded.
    pub loads: u64,
    /// Loads that failed.
    pub failed: u64,
    /// Loads that were stopped because nobody wanted them any more.
    pub cancelled: u64,
    /// Models that went to make room.
    pub evictions: u64,
    /// Models that went because nobody had used them for long enough.
    pub expiries: u64,
    /// Models that were unloaded by somebody.
    pub unloads: u64,
    /// Seconds that loads took which did not fail, without what was downloaded and waited for.
    pub load: Histogram,
    /// Bytes that are counted for the models, those that are being loaded included.
    pub memory: usize,
    /// The most that there were at once.
    pub memory_peak: usize,
    /// Bytes that they may take in all; `None` where the system says.
    pub memory_limit: Option<usize>,
    /// The models in memory.
    pub models: Vec<ModelMetrics>,
}

/// What one model of a registry has done and holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelMetrics {
    /// Its name, in its full form.
    pub name: String,
    /// What it was asked for as.
    pub kind: ModelKind,
    /// Bytes that are counted for it.
    pub memory: usize,
    /// How many use it now.
    pub leases: usize,
    /// Requests that it was leased for.
    pub requests: u64,
    /// For how long it has been loaded, in seconds.
    #[serde(serialize_with = "seconds")]
    pub age: Duration,
    /// What its engine has done, where it is a language model.
    pub engine: Option<Metrics>,
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
