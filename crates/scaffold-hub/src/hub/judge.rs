//! Asks whoever judges what fits into memory here.

use super::Hub;
use crate::fit::{Fit, HEAD, Head, Known, LARGEST_CONFIG};
use crate::listing::Listing;
use crate::name::{Part, RepoName};
use crate::quantization::{self, GgufChoice};
use crate::select::has_safetensors;

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
