//! What the library tells `tracing`, for Python's `logging`.
//!
//! The thread that tells something, mostly one that computes, puts it into a queue and goes on; a thread
//! of this module's takes Python's lock and hands it to the logger `scaffold_llm`. Where Python is so
//! slow that the queue is full, what does not fit is counted and the count is told.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Told things that wait for Python at most.
const ROOM: usize = 1024;

/// Has everything from now on told to Python; once, when the first model is loaded. A program that has
/// a subscriber of its own keeps it.
pub(crate) fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let (sender, told) = sync_channel(ROOM);
        let lost = Arc::new(AtomicU64::new(0));
        let teller = Teller { sender, lost: Arc::clone(&lost) };
        let thread = std::thread::Builder::new().name("scaffold-logs".to_owned());
        // Without a thread nothing is told, which is no reason to load no model.
        if thread.spawn(move || tell_all(&told, &lost)).is_ok() {
            let _ = tracing::subscriber::set_global_default(teller);
        }
    });
}

/// A line of a log.
struct Line {
    /// As `logging` numbers them.
    level: u8,
    text: String,
}

fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

fn tell_all(told: &Receiver<Line>, lost: &AtomicU64) {
    while let Ok(first) = told.recv() {
        let lines: Vec<Line> = std::iter::once(first).chain(told.try_iter()).collect();
        let lost = lost.swap(0, Ordering::Relaxed);
        let attached = Python::try_attach(|py| {
            // A handler that fails is the program's own.
            let _ = tell(py, lines, lost);
        });
        if attached.is_none() {
            return;
        }
    }
}

fn tell(py: Python<'_>, lines: Vec<Line>, lost: u64) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", ("scaffold_llm",))?;
    let say = |level: u8, text: &str| logger.call_method1("log", (level, "%s", text));
    for line in lines {
        say(line.level, &line.text)?;
    }
    if lost > 0 {
        say(30, &format!("{lost} lines came faster than logging took them, and are left out"))?;
    }
    Ok(())
}

/// Hears what the library tells.
struct Teller {
    sender: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

impl Subscriber for Teller {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("scaffold")
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        let line = Line { level: number(*event.metadata().level()), text: words.text() };
        if let Err(TrySendError::Full(_)) = self.sender.try_send(line) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    // The library has no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event in words: its message, then its fields.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Words {
    fn text(self) -> String {
        [self.message, self.fields].concat()
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            // Writing to a text cannot fail.
            let _ = write!(self.fields, " {}={value:?}", field.name());
        }
    }
}
