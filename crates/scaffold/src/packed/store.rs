//! The packed weights of the model that is being loaded: mapped or copied from a file, or collected
//! for one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scaffold_error::{Notice, Topic};
use scaffold_formats::packed::{PackedAbout, PackedFile};
use scaffold_formats::{Error, Kind, Watch};
use scaffold_kernels::{Matrix, PackedBytes};
use scaffold_model::{PackedStore, Precision, StoredMatrix};
use sha2::{Digest as _, Sha256};

use super::PackedOptions;
use super::cpu_time::cpu_time;
use super::files::{SUFFIX, use_now};
use super::identity::Seen;
use super::layout::layout;
use crate::config::PackedMode;

/// Implements the loader's store on a file.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) options: PackedOptions,
    pub(super) threads: usize,
    /// Its file; `None` where there is no place for one.
    pub(super) path: Option<PathBuf>,
    /// The model's files before they were opened.
    pub(super) seen: Seen,
    pub(super) about: PackedAbout,
    pub(super) loaded: Mutex<Loaded>,
    file: Option<Arc<PackedFile>>,
    /// Whether matrices are copied out of the file, because it lies in small pages.
    copies: bool,
    cpu_before: Option<Duration>,
}

/// What a load has come to.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// All matrices, in the order in which they were asked for.
    pub(super) matrices: Vec<(String, StoredMatrix)>,
    /// How many of them were packed.
    pub(super) packed: usize,
    /// How long that took.
    pub(super) took: Duration,
}

impl Store {
    /// The store for a model whose files were `seen` so before they were opened; none where nothing
    /// is to be kept, or where the files are others by now. A file that cannot be used is told of.
    pub(crate) fn open(
        model: &str,
        seen: Seen,
        precision: Precision,
        options: &PackedOptions,
        threads: usize,
        notices: &mut Vec<Notice>,
    ) -> Option<Self> {
        if options.mode == PackedMode::Off {
            return None;
        }
        if Seen::now(&seen.source).as_ref() != Some(&seen) {
            return None;
        }
        let about = PackedAbout {
            layout: Matrix::LAYOUT,
            key: key(&format!("{precision:?}"), &seen.identity),
            model: model.to_owned(),
            source: seen.source.clone(),
        };
        let directory = options.directory.as_deref();
        let path = directory.map(|directory| directory.join(file_name(&about.source, precision)));
        let file = path.as_deref().and_then(|path| {
            let found = usable(path, &about, threads);
            found.unwrap_or_else(|error| {
                let text = format!("{error}; the weights were packed again from the model's files");
                notices.push(Notice::new(Topic::PackedWeights, text));
                None
            })
        });
        if let (Some(path), Some(_)) = (&path, &file) {
            use_now(path);
        }
        Some(Self {
            options: options.clone(),
            seen,
            threads,
            path,
            about,
            loaded: Mutex::default(),
            copies: file.as_ref().is_some_and(|file| !file.in_large_pages()),
            file: file.map(Arc::new),
            cpu_before: cpu_time(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long packing has taken, without waiting for the disk.
    pub(super) fn packing(&self, took: Duration) -> Duration {
        let computed = cpu_time()
            .zip(self.cpu_before)
            .map(|(now, before)| now.saturating_sub(before) / self.threads.max(1) as u32);
        computed.map_or(took, |computed| computed.min(took))
    }
}

impl PackedStore for Store {
    fn get(&self, name: &str) -> Option<StoredMatrix> {
        let file = self.file.as_ref()?;
        let entry = file.get(name)?;
        let mut bytes = PackedBytes::new(Arc::clone(file) as _, entry.range.clone()).ok()?;
        if self.copies
            && let Some(copy) = bytes.copied()
        {
            bytes = copy;
            file.release(entry);
        }
        let matrix = StoredMatrix { cols: entry.cols, parts: entry.parts.clone(), bytes };
        self.lock().matrices.push((name.to_owned(), matrix.clone()));
        Some(matrix)
    }

    fn watch(&self) -> Option<Watch> {
        self.file.as_ref()?.watch().cloned()
    }

    fn packed(&self, name: &str, matrix: StoredMatrix, took: Duration) {
        let mut loaded = self.lock();
        // One from the file that did not fit.
        loaded.matrices.retain(|(other, _)| self.file.is_none() || other != name);
        loaded.matrices.push((name.to_owned(), matrix));
        loaded.packed += 1;
        loaded.took += took;
    }
}

/// Everything that has to be equal; the words are told apart again by [`key_parts`].
fn key(precision: &str, identity: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("{version} {} {precision} {identity}", layout())
}

/// One name for each model and precision, so that a new state of a model takes the place of its old
/// one.
fn file_name(source: &Path, precision: Precision) -> String {
    let mut hash = Sha256::new();
    hash.update(source.as_os_str().as_encoded_bytes());
    hash.update(format!("{precision:?}"));
    let digest = hash.finalize();
    let number = digest.iter().take(8).fold(0u64, |n, &byte| (n << 8) | u64::from(byte));
    let stem = source.file_name().unwrap_or_default().to_string_lossy();
    let plain: String = stem
        .chars()
        .take(80)
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .collect();
    format!("{}-{number:016x}{SUFFIX}", plain.trim_start_matches('.'))
}

/// The file if it is there, is this model's, and is whole.
fn usable(path: &Path, about: &PackedAbout, threads: usize) -> Result<Option<PackedFile>, Error> {
    let file = match PackedFile::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (found, wanted) = (file.about(), about);
    if (found.layout, &found.key) != (wanted.layout, &wanted.key) {
        // The model, the program or the layout has changed: what is kept next takes its place.
        return Ok(None);
    }
    file.verify(threads)?;
    Ok(Some(file))
}
