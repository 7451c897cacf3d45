//! An answer as it arrives.

use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;
use scaffold::engine::Canceller;
use scaffold::{Error, PartStream};

use crate::arriving::{Arriving, Waited};
use crate::bell::Bell;
use crate::errors::OrRaise;
use crate::waiting::TICK;
use crate::{answer, process};

/// An answer as it arrives. Letting go of it cancels the rest.
#[pyclass(frozen, module = "scaffold_llm._native")]
pub(crate) struct Stream {
    arriving: Arc<Arriving>,
    canceller: Canceller,
    process: u32,
}

impl Stream {
    pub(crate) fn new(parts: PartStream) -> Self {
        let canceller = parts.canceller();
        Self { arriving: Arc::new(Arriving::new(parts)), canceller, process: process::this() }
    }

    fn check(&self) -> Result<(), Error> {
        if process::is_forked_from(self.process) {
            return Err(process::forked(self.process, "hears no more of this answer"));
        }
        Ok(())
    }
}

#[pymethods]
impl Stream {
    /// Waits for the next piece; `None` after the last one.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.check().or_raise(py)?;
        loop {
            let (next, is_over) = py.detach(|| {
                let next = self.arriving.wait(Instant::now() + TICK);
                let is_over = next.is_none() && self.arriving.lock().is_over;
                (next, is_over)
            });
            match next {
                Some(arrived) => return answer::piece(py, &arrived.or_raise(py)?).map(Some),
                None if is_over => return Ok(None),
                None => self.interrupted(py)?,
            }
        }
    }

    /// Waits for the whole answer.
    fn whole<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check().or_raise(py)?;
        loop {
            let waited = py.detach(|| self.arriving.wait_whole(Instant::now() + TICK));
            match waited.or_raise(py)? {
                Waited::Whole => return self.answer(py),
                Waited::NotYet => self.interrupted(py)?,
            }
        }
    }

    /// Whether there is something to `take`, or the whole answer where that is waited for; otherwise
    /// `ring` is called once, without arguments and in another thread, when there is.
    fn wait(&self, py: Python<'_>, ring: Py<PyAny>, whole: bool) -> PyResult<bool> {
        self.check().or_raise(py)?;
        py.detach(|| Bell::hang(ring, &self.arriving, whole)).or_raise(py)
    }

    /// What has arrived; `None` where nothing has, or after the last piece.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = py.detach(|| self.arriving.lock().arrived.pop_front());
        next.map(|arrived| answer::piece(py, &arrived.or_raise(py)?)).transpose()
    }

    /// What has come until now.
    fn answer<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reply = py.detach(|| self.arriving.lock().parts.reply());
        answer::answer(py, &reply)
    }

    /// Whether nothing comes any more.
    #[getter]
    fn is_over(&self, py: Python<'_>) -> bool {
        py.detach(|| {
            let state = self.arriving.lock();
            state.is_over && state.arrived.is_empty()
        })
    }

    /// Tokens of the prompt that are read until now.
    #[getter]
    fn prompt_read(&self, py: Python<'_>) -> usize {
        py.detach(|| self.arriving.lock().parts.prompt_read())
    }

    /// Ends the answer where it is: what has arrived is all of it.
    fn cancel(&self) {
        self.canceller.cancel();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if process::is_forked_from(self.process) {
            // Its end would be told to threads that are not there.
            std::mem::forget(Arc::clone(&self.arriving));
        }
    }
}

impl Stream {
    /// Runs handlers of signals that have come; what one raises ends the answer.
    fn interrupted(&self, py: Python<'_>) -> PyResult<()> {
        py.check_signals().inspect_err(|_| self.canceller.cancel())
    }
}
