//! What a caller hears while a model is fetched.

use std::path::PathBuf;
use std::time::Duration;

use scaffold_error::{Error, Notice, Topic, err};

/// Hears what happens during [`resolve`](crate::Hub::resolve) and [`pull`](crate::Hub::pull), and
/// while what they brought is loaded.
///
/// Events of one call arrive on the calling thread, in this order (`[]` may be missing, `*`
/// repeats):
///
/// ```text
/// [Notice*] [Resolving [Waiting|Notice]*] [Source] [Planned]
///     then, interleaved between files:  Started (Bytes | Waiting | Restarted)* Verifying Finished
/// ```
///
/// A file that is already there has no events of its own. `Bytes` counts what arrived since the
/// last one; what an earlier run had left is in `Started`. `Restarted` takes back everything
/// counted for that file. After an error no further event comes. An implementation must return
/// quickly: the transfer waits while it runs.
pub trait Progress {
    /// One thing that happened.
    fn event(&mut self, event: &Event);

    /// So many bytes of a model's weights, of about `of`, are in memory: said by whoever loads what
    /// was fetched.
    fn loaded(&mut self, _bytes: u64, _of: u64) {}

    /// So many bytes of a file, of `of`, are written: said by whoever makes one of what was fetched.
    fn written(&mut self, _bytes: u64, _of: u64) {}

    /// Asked between events and at least every half second during transfers; `true` stops the call
    /// with [`Kind::Cancelled`](scaffold_error::Kind::Cancelled). What has arrived is kept for the
    /// next run.
    fn cancelled(&self) -> bool {
        false
    }
}

/// [`Progress::cancelled`] said so.
pub(crate) fn stopped() -> Error {
    err!(
        Cancelled,
        "stopped on request; what had arrived is kept and the next run goes on from there"
    )
}

/// Hears nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn event(&mut self, _event: &Event) {}
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something that the user should know: renamed repository, fallback taken, choice made.
    Notice(Notice),
    /// The server is being asked about a model.
    Resolving {
        /// The model as named.
        model: String,
        /// The host that is asked.
        host: String,
    },
    /// Which source serves the files, in words.
    Source(String),
    /// What is about to be transferred.
    Planned {
        /// Files to fetch.
        files: usize,
        /// Their sizes together, where the server said them.
        bytes: u64,
        /// Bytes of the model that are here already.
        present: u64,
    },
    /// A file's transfer begins or goes on.
    Started {
        /// The file's name in the repository.
        file: String,
        /// Its size, where known.
        size: Option<u64>,
        /// Bytes kept from an earlier run.
        resumed: u64,
    },
    /// Bytes arrived and are on disk.
    Bytes {
        /// The file's name.
        file: String,
        /// How many since the last event.
        count: u64,
    },
    /// Nothing is transferred for a while.
    Waiting {
        /// The file (or model) that waits.
        file: String,
        /// For what.
        reason: WaitReason,
        /// For how long at most, where known.
        delay: Option<Duration>,
    },
    /// What had arrived of a file turned out to be useless; it begins again.
    Restarted {
        /// The file's name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A file is complete and being hashed.
    Verifying {
        /// The file's name.
        file: String,
    },
    /// A file is verified and has its name.
    Finished {
        /// The file's name.
        file: String,
        /// Where it is.
        path: PathBuf,
    },
}

impl Event {
    /// What the user should know about where a model comes from.
    pub(crate) fn notice(text: impl Into<String>) -> Event {
        Event::Notice(Notice::new(Topic::Source, text))
    }
}

/// Why a transfer waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason {
    /// The server asked for it (429, 503).
    ServerBusy,
    /// The connection broke or stalled; it is tried again. The fault, in words.
    Retry(String),
    /// Another process is downloading the same file.
    OtherProcess,
}
