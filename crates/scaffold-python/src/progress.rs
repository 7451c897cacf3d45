//! How a model is fetched and loaded, told to a function of Python's.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use scaffold::Notice;
use scaffold::hub::{Event, Progress, WaitReason};

use crate::remedy;

/// Bytes are told of at most this often.
const BETWEEN: Duration = Duration::from_millis(100);

/// Hears how a model comes, in the thread that loads it, which has given Python's lock away.
pub(crate) struct Told {
    /// Called with the name of an event and a dictionary of what belongs to it.
    listener: Option<Py<PyAny>>,
    /// What the listener or a handler of a signal has raised: it ends the load.
    raised: RefCell<Option<PyErr>>,
    stopped: Cell<bool>,
    /// Bytes that were not told of, of the file that they belong to.
    untold: Option<(String, u64)>,
    last: Option<Instant>,
    /// Bytes of the model in memory, about.
    size: Option<u64>,
    /// What the Hub's client had to say.
    pub(crate) notices: Vec<Notice>,
}

impl Told {
    pub(crate) fn new(listener: Option<Py<PyAny>>) -> Self {
        Self {
            listener,
            raised: RefCell::new(None),
            stopped: Cell::new(false),
            untold: None,
            last: None,
            size: None,
            notices: Vec::new(),
        }
    }

    /// The model is in memory: the last bytes are told, of which the number was an estimate.
    pub(crate) fn finish(&mut self) {
        if let Some(of) = self.size {
            self.tell_loaded(of, of);
        }
    }

    /// What was raised while it was told.
    pub(crate) fn into_raised(self) -> Option<PyErr> {
        self.raised.into_inner()
    }

    fn tell(&self, name: &str, fill: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>) {
        let Some(listener) = self.listener.as_ref().filter(|_| !self.stopped.get()) else {
            return;
        };
        let _ = Python::try_attach(|py| {
            let told = || {
                let about = PyDict::new(py);
                fill(&about)?;
                listener.call1(py, (name, about))
            };
            if let Err(raised) = told() {
                self.stop(raised);
            }
        });
    }

    fn stop(&self, raised: PyErr) {
        self.stopped.set(true);
        self.raised.borrow_mut().get_or_insert(raised);
    }

    fn is_due(&mut self) -> bool {
        let due = self.last.is_none_or(|last| last.elapsed() >= BETWEEN);
        if due {
            self.last = Some(Instant::now());
        }
        due
    }

    fn tell_loaded(&self, bytes: u64, of: u64) {
        self.tell("loaded", |about| {
            about.set_item("bytes", bytes)?;
            about.set_item("of", of)
        });
    }

    /// Tells of the bytes that arrived since the last time.
    fn tell_bytes(&mut self) {
        if let Some((file, count)) = self.untold.take() {
            self.tell("bytes", |about| {
                about.set_item("file", file)?;
                about.set_item("count", count)
            });
        }
    }
}

impl Progress for Told {
    fn event(&mut self, event: &Event) {
        if let Event::Bytes { file, count } = event {
            match &mut self.untold {
                Some((of, untold)) if of == file => *untold += count,
                _ => {
                    self.tell_bytes();
                    self.untold = Some((file.clone(), *count));
                }
            }
            if self.is_due() {
                self.tell_bytes();
            }
            return;
        }
        self.tell_bytes();
        match event {
            Event::Bytes { .. } => {}
            Event::Notice(notice) => {
                self.notices.push(notice.clone());
                self.tell("notice", |about| about.set_item("text", notice.worded(remedy::words)));
            }
            Event::Resolving { model, host } => self.tell("resolving", |about| {
                about.set_item("model", model)?;
                about.set_item("host", host)
            }),
            Event::Source(text) => self.tell("source", |about| about.set_item("text", text)),
            Event::Planned { files, bytes, present } => self.tell("planned", |about| {
                about.set_item("files", files)?;
                about.set_item("bytes", bytes)?;
                about.set_item("present", present)
            }),
            Event::Started { file, size, resumed } => self.tell("started", |about| {
                about.set_item("file", file)?;
                about.set_item("size", size)?;
                about.set_item("resumed", resumed)
            }),
            Event::Waiting { file, reason, delay } => self.tell("waiting", |about| {
                about.set_item("file", file)?;
                about.set_item("reason", words(reason))?;
                about.set_item("seconds", delay.map(|delay| delay.as_secs_f64()))
            }),
            Event::Restarted { file, reason } => self.tell("restarted", |about| {
                about.set_item("file", file)?;
                about.set_item("reason", reason)
            }),
            Event::Verifying { file } => {
                self.tell("verifying", |about| about.set_item("file", file));
            }
            Event::Finished { file, path } => self.tell("finished", |about| {
                about.set_item("file", file)?;
                about.set_item("path", path.display().to_string())
            }),
        }
    }

    fn loaded(&mut self, bytes: u64, of: u64) {
        self.size = Some(of);
        if self.is_due() {
            self.tell_loaded(bytes.min(of), of);
        }
    }

    fn cancelled(&self) -> bool {
        if !self.stopped.get()
            && let Some(Err(interrupted)) = Python::try_attach(signals)
        {
            self.stop(interrupted);
        }
        self.stopped.get()
    }
}

/// Runs handlers of signals that have come.
fn signals(py: Python<'_>) -> PyResult<()> {
    py.check_signals()
}

fn words(reason: &WaitReason) -> String {
    match reason {
        WaitReason::ServerBusy => "the server asks to wait".to_owned(),
        WaitReason::Retry(fault) => format!("{fault}; trying again"),
        WaitReason::OtherProcess => "another process is downloading it".to_owned(),
    }
}
