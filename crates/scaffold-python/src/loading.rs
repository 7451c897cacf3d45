//! From a name to a model in memory, for each kind of handle.

use pyo3::prelude::*;
use scaffold::builder::{Builder, FromModel};
use scaffold::prompts::PromptOptions;
use scaffold::{Error, LoadOptions, MemoryLimit, Notice};
use serde::Deserialize;

use crate::errors::{raised, read};
use crate::progress::Told;
use crate::settings::{Said, effective};
use crate::{logs, process, remedy};

/// How a model is loaded, beyond the settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Loading {
    max_sequences: Option<usize>,
    max_waiting: Option<usize>,
    /// Bytes that it may take; 0 for as many as it likes.
    memory: Option<usize>,
    special_as_text: bool,
    keep_prompts: bool,
}

impl Loading {
    /// Puts it over what follows from the configuration.
    pub(crate) fn over(&self, prompts: Option<PromptOptions>, options: &mut LoadOptions) {
        options.max_sequences = self.max_sequences.unwrap_or(options.max_sequences);
        options.max_waiting = self.max_waiting.unwrap_or(options.max_waiting);
        options.memory = match self.memory {
            None => options.memory,
            Some(0) => MemoryLimit::Unlimited,
            Some(bytes) => MemoryLimit::Bytes(bytes),
        };
        options.special_as_text |= self.special_as_text;
        if self.keep_prompts {
            options.prompts = prompts;
        }
    }
}

/// A model that was loaded, and what the configuration and the Hub's client have to say besides.
pub(crate) struct Loaded<T> {
    pub(crate) model: T,
    pub(crate) notices: Vec<Notice>,
}

/// Loads what `builder` makes of a name, in this thread, without Python's lock.
pub(crate) fn load<T: FromModel + Send>(
    py: Python<'_>,
    name: Option<String>,
    said: Said,
    loading: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Loaded<T>> {
    logs::listen();
    let (loaded, told) = py.detach(|| {
        let mut told = Told::new(progress);
        (loaded(name, said, loading, &mut told), told.into_raised())
    });
    match (loaded, told) {
        // It was stopped because of that.
        (_, Some(interrupted)) => Err(interrupted),
        (Ok(loaded), None) => Ok(loaded),
        (Err(error), None) => Err(raised(py, &error)),
    }
}

fn loaded<T: FromModel>(
    name: Option<String>,
    said: Said,
    loading: &str,
    told: &mut Told,
) -> Result<Loaded<T>, Error> {
    process::enter()?;
    let loading: Loading = read("loading", loading)?;
    let config = effective(said)?;
    let prompts = loading.keep_prompts.then(|| PromptOptions::of(&config)).transpose()?;
    let name = name.unwrap_or_else(|| config.model.value.clone());
    let builder = Builder::<T>::of(name);
    let change = move |options: &mut LoadOptions| loading.over(prompts, options);
    let model = builder.config(&config).change(change).progress(told).load()?;
    told.finish();
    let mut notices = config.notices.clone();
    notices.append(&mut told.notices);
    Ok(Loaded { model, notices })
}

/// A notice as Python is told: what it is about, and all of it in words.
pub(crate) fn told(notices: &[Notice]) -> Vec<(String, String)> {
    let one = |notice: &Notice| (format!("{:?}", notice.topic), notice.worded(remedy::words));
    notices.iter().map(one).collect()
}
