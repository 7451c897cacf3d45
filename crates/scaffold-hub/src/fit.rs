//! Whether a GGUF model fits into memory here: asked of whoever knows, about the little that is
//! known of the model.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use crate::check::{HEAD, Head, LARGEST_CONFIG};
use crate::hub::Hub;
use crate::listing::Listing;
use crate::name::{Part, RepoName};
use crate::quantization::{self, GgufChoice};
use crate::select::has_safetensors;

/// What is known of a repository's models before one is chosen. They are one model in several
/// quantizations, so that the beginning of one tells of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The contents of `config.json`.
    pub config: Option<Vec<u8>>,
    /// The first bytes of one of the files.
    pub head: Option<Head>,
}

/// What a model needs here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Whether it fits.
    pub fits: bool,
    /// What it needs, in words.
    pub needs: String,
}

impl Fit {
    /// What is added to the news that this one is taken.
    pub(crate) fn clause(&self) -> String {
        let why = if self.fits { "" } else { ", the smallest, though it does not fit" };
        format!("{why}: it needs {}", self.needs)
    }
}

type Answer = dyn Fn(&GgufChoice, &Known) -> Fit + Send + Sync;

/// Knows what fits into memory: decides which GGUF file is "the best" one.
#[derive(Clone)]
pub struct Judge(Arc<Answer>);

impl Judge {
    /// A judge that answers so.
    pub fn new(answer: impl Fn(&GgufChoice, &Known) -> Fit + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    /// What a model of which so much is known needs here.
    pub fn fit(&self, choice: &GgufChoice, known: &Known) -> Fit {
        (self.0)(choice, known)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

impl Hub {
    /// What a choice needs; `None` where nobody judges.
    pub(crate) fn fit(&self, choice: &GgufChoice, known: &Known) -> Option<Fit> {
        let judge = self.config.judge.as_ref()?;
        Some(judge.fit(choice, known))
    }

    /// Whether a choice fits; all do where nobody judges.
    pub(crate) fn fits(&self, choice: &GgufChoice, known: &Known) -> bool {
        self.fit(choice, known).is_none_or(|fit| fit.fits)
    }

    /// What the Hub tells of models among which one must be chosen; nothing where there is no
    /// choice. What cannot be read is not known: the choice is then made by sizes, and what is
    /// wrong shows when the files are fetched.
    pub(crate) fn known(&self, name: &RepoName, listing: &Listing) -> Known {
        let sized: Vec<_> = listing.files.iter().map(|f| (f.path.as_str(), f.size)).collect();
        let choices = quantization::gguf_choices(sized.iter().copied());
        let is_chosen = name.part == Part::Whole && choices.len() > 1 && !has_safetensors(&sized);
        if !is_chosen || self.config.judge.is_none() {
            return Known::default();
        }
        let read = |file: &str, most| self.read_start(name, listing, file, most).ok();
        let config = listing.files.iter().any(|f| f.path == "config.json");
        let first = &choices[0].files[0];
        Known {
            config: config.then(|| read("config.json", LARGEST_CONFIG)).flatten(),
            head: read(first, HEAD).map(|bytes| Head { file: first.clone(), bytes }),
        }
    }
}

/// What a directory tells of GGUF files in it.
pub(crate) fn known_here(root: &Path, choices: &[GgufChoice]) -> Known {
    let head = choices.first().and_then(|choice| {
        let (file, mut bytes) = (choice.files[0].clone(), Vec::new());
        let start = File::open(root.join(&file)).ok()?.take(HEAD);
        { start }.read_to_end(&mut bytes).ok()?;
        Some(Head { file, bytes })
    });
    Known { config: None, head }
}
