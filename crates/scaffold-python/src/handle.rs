//! Handles of models, as Python's objects hold them.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::Python;
use scaffold::{Error, Kind};

use crate::process;

/// What a Python object holds: it can be closed, and is of no use in a process that was forked.
pub(crate) struct Handle<T: Send> {
    /// What it is, in words of an error.
    what: &'static str,
    /// The process that it was made in.
    process: u32,
    value: Mutex<Option<T>>,
}

impl<T: Clone + Send> Handle<T> {
    pub(crate) fn new(what: &'static str, value: T) -> Self {
        Self { what, process: process::this(), value: Mutex::new(Some(value)) }
    }

    /// What it holds.
    ///
    /// # Errors
    /// It was closed, or the process was forked.
    pub(crate) fn get(&self) -> Result<T, Error> {
        if process::is_forked_from(self.process) {
            let refused = format!("cannot use this {}", self.what);
            return Err(process::forked(self.process, &refused));
        }
        self.lock().clone().ok_or_else(|| {
            let text = format!("this {} was closed: make a new one", self.what);
            Error::new(Kind::Usage, text)
        })
    }
}

impl<T: Send> Handle<T> {
    /// Lets go of what it holds, with Python's lock given away meanwhile: a model ends its threads.
    pub(crate) fn close(&self) {
        let value = self.lock().take();
        if process::is_forked_from(self.process) {
            // Ending it would wait for threads that are not there.
            mem::forget(value);
        } else if value.is_some() {
            // Where Python is going there is no lock to give away.
            let mut value = Some(value);
            let _ = Python::try_attach(|py| {
                let value = value.take();
                py.detach(|| drop(value));
            });
        }
    }

    /// Never held for longer than a look takes.
    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send> Drop for Handle<T> {
    fn drop(&mut self) {
        self.close();
    }
}
