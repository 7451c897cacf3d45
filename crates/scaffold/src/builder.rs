//! The one door to a loaded model: its name, settings of its own, and who hears of the loading.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use scaffold_error::{Notice, Topic};
use scaffold_hub::{self as hub, LocalModel, Progress};

use crate::config::Config;
use crate::error::Error;
use crate::locate::locate;
use crate::model::Model;
use crate::options::LoadOptions;
use crate::trace;

/// Loads a model: a language model, an [`Embedder`](crate::embed::Embedder) or a
/// [`CrossEncoder`](crate::rerank::CrossEncoder).
///
/// What is not said here is taken from the configuration of the process, or from
/// [`config`](Self::config).
///
/// ```no_run
/// use scaffold::LlmManager;
///
/// let model = LlmManager::builder("starter").context(2048).threads(4).load()?;
/// # Ok::<(), scaffold::Error>(())
/// ```
pub struct Builder<'a, T> {
    model: Option<String>,
    config: Option<&'a Config>,
    isolated: Option<PathBuf>,
    options: Option<LoadOptions>,
    changes: Vec<Change>,
    progress: Option<&'a mut dyn Progress>,
    loads: PhantomData<fn() -> T>,
}

type Change = Box<dyn FnOnce(&mut LoadOptions)>;

/// What a [`Builder`] can load.
pub trait FromModel: Sized {
    /// Loads an opened model; `notices` is what was heard until
    /// now, `progress` hears how much of it is in memory.
    ///
    /// # Errors
    /// The model is of another kind, does not fit into memory, or is not understood.
    fn from_model(
        model: &Model,
        config: &Config,
        notices: Vec<Notice>,
        progress: &mut dyn Progress,
    ) -> Result<Self, Error>;
}

impl<'a, T: FromModel> Builder<'a, T> {
    /// For a model of whatever kind, by its name: for code that is the same for all of them, as
    /// `builder` of each is.
    pub fn of(model: impl Into<String>) -> Self {
        Self::new(Some(model.into()))
    }

    pub(crate) fn new(model: Option<String>) -> Self {
        Self {
            model,
            config: None,
            isolated: None,
            options: None,
            changes: Vec::new(),
            progress: None,
            loads: PhantomData,
        }
    }

    /// Settings that the program has made; otherwise those of the process are read: its
    /// environment, and `.env` and `scaffold.toml` in the current directory.
    #[must_use]
    pub fn config(mut self, config: &'a Config) -> Self {
        self.config = Some(config);
        self
    }

    /// No settings of anybody's: neither the environment nor `.env` nor `scaffold.toml` is read, no
    /// access token is looked for, and models are fetched into this directory and nowhere else.
    #[must_use]
    pub fn isolated(mut self, directory: impl Into<PathBuf>) -> Self {
        self.isolated = Some(directory.into());
        self
    }

    /// All options at once, in place of those that follow from the configuration.
    #[must_use]
    pub fn options(mut self, options: LoadOptions) -> Self {
        self.options = Some(options);
        self
    }

    /// Changes the options that follow from the configuration.
    #[must_use]
    pub fn change(mut self, change: impl FnOnce(&mut LoadOptions) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Tokens that prompt and answer may have together.
    #[must_use]
    pub fn context(self, tokens: usize) -> Self {
        self.change(move |options| options.context = Some(tokens))
    }

    /// Threads that compute.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        self.change(move |options| options.threads = Some(threads))
    }

    /// Who hears how the model is fetched and loaded. What else there is to know is then told there, too;
    /// otherwise it is kept among the model's notices.
    #[must_use]
    pub fn progress(mut self, progress: &'a mut dyn Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Finds the model, fetches it if it is not on this disk, and loads it.
    ///
    /// # Errors
    /// A setting that cannot be used, a model that cannot be found, fetched, read, computed or held
    /// in memory.
    pub fn load(self) -> Result<T, Error> {
        let own;
        let (config, mut notices) = match (self.config, &self.isolated) {
            (Some(config), _) => (config, Vec::new()),
            (None, isolated) => {
                own = match isolated {
                    Some(directory) => Config::isolated(directory)?,
                    None => Config::of_process()?,
                };
                (&own, own.notices.clone())
            }
        };
        let name = self.model.as_deref().unwrap_or(&config.model.value);
        let mut progress = Heard { other: self.progress, notices: Vec::new() };
        let local = found(config, name, &mut progress, &mut notices)?;
        notices.append(&mut progress.notices);
        let mut options = self.options.unwrap_or_else(|| LoadOptions::from(config));
        self.changes.into_iter().for_each(|change| change(&mut options));
        let model = Model::open(&local, &options);
        let loaded = model.and_then(|model| raised(&model, config, notices, &mut progress));
        loaded.map_err(|error| error.of_model(&local.name))
    }
}

/// The files of the model called `name`, fetched if they are not here, with what they are computed
/// on.
pub(crate) fn found(
    config: &Config,
    name: &str,
    progress: &mut dyn Progress,
    notices: &mut Vec<Notice>,
) -> Result<LocalModel, Error> {
    let device = config.chosen_device()?;
    let local = locate(config, name, progress)?;
    let text = format!("computing on {} ({})", device.device, device.why);
    notices.push(Notice::new(Topic::Device, text));
    Ok(local)
}

/// Loads an opened model.
pub(crate) fn raised<T: FromModel>(
    model: &Model,
    config: &Config,
    notices: Vec<Notice>,
    progress: &mut dyn Progress,
) -> Result<T, Error> {
    let loaded = T::from_model(model, config, notices, progress)?;
    trace::loaded(model.name(), model.age());
    Ok(loaded)
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("model", &self.model).finish_non_exhaustive()
    }
}

/// Keeps what the Hub's client has to say where nobody else hears it.
struct Heard<'a> {
    other: Option<&'a mut dyn Progress>,
    notices: Vec<Notice>,
}

impl Progress for Heard<'_> {
    fn event(&mut self, event: &hub::Event) {
        match (&mut self.other, event) {
            (Some(other), event) => other.event(event),
            (None, hub::Event::Notice(notice)) => self.notices.push(notice.clone()),
            _ => {}
        }
    }

    fn loaded(&mut self, bytes: u64, of: u64) {
        if let Some(other) = &mut self.other {
            other.loaded(bytes, of);
        }
    }

    fn cancelled(&self) -> bool {
        self.other.as_ref().is_some_and(|other| other.cancelled())
    }
}
