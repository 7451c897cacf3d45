//! Long prompts that are kept between runs by themselves: what the model computed of them lies on
//! disk, so that a program that goes on with a long chat after a restart does not wait until all of
//! it is read again.
//!
//! Which prompts there were is noted as they come. Those that were used last are written when the
//! model is idle or unloaded, and found again by a prompt that begins like one of them, whenever it
//! comes. Each lies in a file as [kept prefixes](crate::prefixes) do, for requests of the same salt
//! alone.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scaffold_engine::PromptPrefix;
use scaffold_error::Error;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::prefixes::{self, Shelf};

/// Prompts of a model that are remembered at once: those that were used last.
const MOST: usize = 8;

/// Where long prompts are kept, which, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptOptions {
    /// Where.
    pub directory: PathBuf,
    /// Bytes that all of them may take together.
    pub limit: u64,
    /// Tokens of a prompt that is worth it, at least.
    pub least: usize,
    /// Ends the writing when nobody wants to wait for it.
    pub hurry: Hurry,
}

impl PromptOptions {
    /// In `prompts`, beside [kept prefixes](prefixes::directory): 4 GiB, of prompts with 1024 tokens or
    /// more.
    ///
    /// # Errors
    /// There is no home directory, and `SCAFFOLD_CACHE` is not set.
    pub fn of(config: &Config) -> Result<Self, Error> {
        let directory = directory(config)?;
        Ok(Self { directory, limit: 4 << 30, least: 1024, hurry: Hurry::default() })
    }
}

/// Where servers keep long prompts by themselves: `prompts`, beside [kept prefixes](prefixes::directory).
///
/// # Errors
/// There is no home directory, and `SCAFFOLD_CACHE` is not set.
pub fn directory(config: &Config) -> Result<PathBuf, Error> {
    Ok(prefixes::directory(config)?.with_file_name("prompts"))
}

/// Says that nothing more is to be written.
#[derive(Clone, Debug, Default)]
pub struct Hurry(Arc<AtomicBool>);

impl Hurry {
    /// Nothing more is written from now on.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl PartialEq for Hurry {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Hurry {}

/// The prompts of one loaded model.
#[derive(Debug)]
pub(crate) struct Prompts {
    pub(crate) shelf: Shelf,
    pub(crate) options: PromptOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The one that was used last comes last.
    used: Vec<PromptPrefix>,
    /// The files of this model, once somebody has looked.
    files: Option<Vec<Kept>>,
}

/// A prompt that lies on disk.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) key: String,
    pub(crate) tokens: Arc<[u32]>,
}

impl Prompts {
    pub(crate) fn new(shelf: Shelf, options: &PromptOptions) -> Self {
        Self { shelf, options: options.clone(), state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has to be equal for a file to be of use to requests with this salt.
    pub(crate) fn key(&self, regime: usize, salt: Option<&Arc<str>>) -> String {
        let salt = salt.map_or_else(|| "-".to_owned(), |salt| format!("={salt}"));
        format!("{} {regime} {salt}", self.shelf.key)
    }

    /// What a prompt's file is called.
    pub(crate) fn name(key: &str, tokens: &[u32]) -> String {
        let mut hash = Sha256::new();
        hash.update(key);
        for token in tokens {
            hash.update(token.to_le_bytes());
        }
        let digest = hash.finalize();
        let number = digest.iter().take(8).fold(0u64, |n, &byte| (n << 8) | u64::from(byte));
        format!("prompt of {} tokens, {number:016x}", tokens.len())
    }

    /// Notes that a prompt was used.
    pub(crate) fn note(&self, prompt: PromptPrefix) {
        let used = &mut self.lock().used;
        // One that goes on from another takes its place.
        used.retain(|other| {
            let is_within = prompt.salt == other.salt && prompt.tokens.starts_with(&other.tokens);
            !is_within
        });
        used.push(prompt);
        if used.len() > MOST {
            used.remove(0);
        }
    }

    /// A prompt is not to be written.
    pub(crate) fn forget(&self, prompt: &PromptPrefix) {
        self.lock().used.retain(|other| other != prompt);
    }

    /// The prompts that were used last, the latest first.
    pub(crate) fn used(&self) -> Vec<PromptPrefix> {
        self.lock().used.iter().rev().cloned().collect()
    }

    /// The file that has most of these tokens from their start on, and how many.
    pub(crate) fn longest(&self, key: &str, tokens: &[u32]) -> Option<(Kept, usize)> {
        let mut state = self.lock();
        let files = state.files.get_or_insert_with(|| self.look());
        let equal = |kept: &Kept| {
            kept.tokens.iter().zip(tokens).take_while(|(one, other)| one == other).count()
        };
        let found = files.iter().filter(|kept| kept.key == key).map(|kept| (kept, equal(kept)));
        found.max_by_key(|(_, equal)| *equal).map(|(kept, equal)| (kept.clone(), equal))
    }

    fn look(&self) -> Vec<Kept> {
        // Where nothing can be read nothing is found.
        let files = prefixes::list(&self.options.directory).unwrap_or_default();
        let of_this = files.into_iter().filter_map(|file| {
            let about = file.about.filter(|about| about.key.starts_with(&self.shelf.key))?;
            Some(Kept { path: file.path, key: about.key, tokens: about.tokens.into() })
        });
        of_this.collect()
    }

    /// Notes a file that was written, and removes those that it holds, too.
    pub(crate) fn put(&self, new: Kept) {
        let mut state = self.lock();
        let files = state.files.get_or_insert_with(Vec::new);
        files.retain(|kept| {
            let is_within = kept.key == new.key && new.tokens.starts_with(&kept.tokens);
            if is_within && kept.path != new.path {
                // Another process may have done so.
                let _ = fs::remove_file(&kept.path);
            }
            !is_within
        });
        files.push(new);
    }

    /// Looks again at what there is the next time: a file was not as it was known.
    pub(crate) fn look_again(&self) {
        self.lock().files = None;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use scaffold_model::{KvType, Precision};

    use super::*;
    use crate::packed::Seen;
    use crate::prefixes::PrefixOptions;

    fn prompts(directory: &Path) -> Prompts {
        let model = directory.join("model.gguf");
        fs::write(&model, "weights").unwrap();
        let place = PrefixOptions { directory: directory.to_owned(), limit: 1 };
        let seen = Seen::now(&model).unwrap();
        let shelf = Shelf::new(&place, &seen, Precision::Native, KvType::F16, 16);
        let (directory, hurry) = (directory.to_owned(), Hurry::default());
        Prompts::new(shelf, &PromptOptions { directory, limit: 1, least: 2, hurry })
    }

    fn prompt(tokens: &[u32], salt: Option<&str>) -> PromptPrefix {
        PromptPrefix { salt: salt.map(Into::into), ..PromptPrefix::new(tokens) }
    }

    #[test]
    fn the_last_prompts_are_remembered_and_those_that_went_on() {
        let directory = tempfile::tempdir().unwrap();
        let prompts = prompts(directory.path());
        prompts.note(prompt(&[1, 2], None));
        prompts.note(prompt(&[1, 2], Some("me")));
        prompts.note(prompt(&[1, 2, 3], None));
        assert_eq!(prompts.used(), [prompt(&[1, 2, 3], None), prompt(&[1, 2], Some("me"))]);
        for first in 10..20 {
            prompts.note(prompt(&[first], None));
        }
        assert_eq!(prompts.used().len(), MOST);
        prompts.forget(&prompt(&[19], None));
        assert_eq!(prompts.used()[0], prompt(&[18], None));
    }

    #[test]
    fn a_file_is_found_by_what_it_begins_with_and_for_its_salt_alone() {
        let directory = tempfile::tempdir().unwrap();
        let prompts = prompts(directory.path());
        let (mine, yours) =
            (prompts.key(0, Some(&"me".into())), prompts.key(0, Some(&"you".into())));
        assert!(mine != yours && mine != prompts.key(1, Some(&"me".into())));
        let kept = |name: &str, key: &str, tokens: &[u32]| {
            let path = directory.path().join(name);
            fs::write(&path, name).unwrap();
            Kept { path, key: key.to_owned(), tokens: tokens.into() }
        };
        prompts.put(kept("a", &mine, &[1, 2]));
        prompts.put(kept("b", &mine, &[1, 9, 9]));
        prompts.put(kept("c", &yours, &[1, 2, 3, 4]));
        let longest = |key: &str, tokens: &[u32]| {
            let (kept, equal) = prompts.longest(key, tokens)?;
            Some((kept.path.file_name().unwrap().to_str().unwrap().to_owned(), equal))
        };
        assert_eq!(longest(&mine, &[1, 2, 3]), Some(("a".to_owned(), 2)));
        assert_eq!(longest(&yours, &[1, 2, 3]), Some(("c".to_owned(), 3)));
        // What goes on from one takes its place, and its room.
        prompts.put(kept("d", &mine, &[1, 2, 3]));
        assert_eq!(longest(&mine, &[1, 2, 3, 4]), Some(("d".to_owned(), 3)));
        assert!(!directory.path().join("a").exists() && directory.path().join("b").exists());
        assert_ne!(Prompts::name(&mine, &[1, 2]), Prompts::name(&yours, &[1, 2]));
    }
}
