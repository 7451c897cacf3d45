//! Prefixes of prompts that are kept between runs, such as a long system message: what the model
//! computed of them lies on disk under a name, and the next start reads it instead of computing.
//!
//! A file belongs to one state of one model's files and one kind of cache; whatever else is found
//! under its name is written anew. Its contents are compared with checksums before they are used,
//! and the tokens with those that are asked for. Files are readable by their owner alone, as they
//! hold what somebody has written. All together stay within a limit: those that were used least
//! recently make room.
//!
//! [`LlmManager::keep_prefix`](crate::LlmManager::keep_prefix) keeps them, [`list`] and [`remove`]
//! show and remove them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};
use scaffold_formats::kept::{KeptAbout, KeptFile};
use scaffold_hub::free_bytes;
use scaffold_kernels::KvStore;
use scaffold_model::{KvType, Precision};
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::packed::Seen;

/// How the names of the files end.
const SUFFIX: &str = ".prefix";
/// A disk that is filled to the brim makes trouble elsewhere.
const LEAVE_FREE: u64 = 2 << 30;
/// A name is for people.
const LONGEST_NAME: usize = 200;

/// Where prefixes are kept, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixOptions {
    /// Where.
    pub directory: PathBuf,
    /// Bytes that all of them may take together.
    pub limit: u64,
}

impl PrefixOptions {
    /// What the configuration says; nothing where there is no place for them.
    pub fn of(config: &Config) -> Option<Self> {
        Some(Self { directory: directory(config).ok()?, limit: 16 << 30 })
    }
}

/// Where prefixes are kept: `prefixes` in the directory that `SCAFFOLD_CACHE` names, otherwise in
/// `~/.cache/scaffold`.
///
/// # Errors
/// There is no home directory, and `SCAFFOLD_CACHE` is not set.
pub fn directory(config: &Config) -> Result<PathBuf, Error> {
    let packages = config.hub.package_cache()?;
    Ok(packages.with_file_name("prefixes"))
}

/// A file of a kept prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixFile {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it belongs to; `None` where it is damaged, or of another version.
    pub about: Option<KeptAbout>,
}

/// All kept prefixes in a directory, the one that was used last first. Their contents are not read.
///
/// # Errors
/// The directory is there and cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<PrefixFile>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(SUFFIX) {
            let (path, facts) = (entry.path(), entry.metadata()?);
            let used = facts.accessed().ok().max(facts.modified().ok());
            let about = KeptFile::open(&path).ok().map(|file| file.about().clone());
            files.push((used, PrefixFile { path, bytes: facts.len(), about }));
        }
    }
    files.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.path.cmp(&other.path)));
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

/// Removes a kept prefix; returns the bytes that this frees.
///
/// # Errors
/// The file cannot be removed.
pub fn remove(file: &PrefixFile) -> io::Result<u64> {
    fs::remove_file(&file.path)?;
    Ok(file.bytes)
}

/// Where the prefixes of one loaded model lie.
#[derive(Debug)]
pub(crate) struct Shelf {
    options: PrefixOptions,
    source: PathBuf,
    /// What has to be equal for a file to be of use.
    pub(crate) key: String,
    /// What tells files of one model and one name from each other.
    kind: String,
}

impl Shelf {
    pub(crate) fn new(
        options: &PrefixOptions,
        seen: &Seen,
        precision: Precision,
        kv_type: KvType,
        block_tokens: usize,
    ) -> Self {
        let (version, layout) = (env!("CARGO_PKG_VERSION"), KvStore::LAYOUT);
        let kind = format!("{precision:?} {kv_type:?} {block_tokens}");
        Self {
            options: options.clone(),
            source: seen.source().to_owned(),
            key: format!("{version} {layout} {kind} {}", seen.identity()),
            kind,
        }
    }

    /// The file of a name.
    ///
    /// # Errors
    /// The name cannot be one.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, Error> {
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(err!(
                Usage,
                "{name:?} cannot be the name of a prefix: it has to have 1 to {LONGEST_NAME} bytes and no control characters"
            ));
        }
        let mut hash = Sha256::new();
        hash.update(self.source.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(&self.kind);
        hash.update([0]);
        hash.update(name);
        let digest = hash.finalize();
        let number = digest.iter().take(16).fold(0u128, |n, &byte| (n << 8) | u128::from(byte));
        Ok(self.options.directory.join(format!("{number:032x}{SUFFIX}")))
    }

    /// Sees to it that there is room for a file of so many bytes.
    ///
    /// # Errors
    /// There is not, or the directory cannot be made.
    pub(crate) fn make_room(&self, path: &Path, bytes: u64) -> Result<(), Error> {
        let PrefixOptions { directory, limit } = &self.options;
        fs::create_dir_all(directory).map_err(Error::io("make a directory in", directory))?;
        let (mib, shown) = (bytes >> 20, directory.display());
        if bytes > *limit {
            let limit = limit >> 20;
            return Err(err!(
                Usage,
                "the prefix takes {mib} MiB on disk, and all that are kept in {shown} may take {limit} MiB"
            ));
        }
        let mut others = list(directory).map_err(Error::io("read", directory))?;
        others.retain(|file| file.path != path);
        let mut total: u64 = others.iter().map(|file| file.bytes).sum();
        while total.saturating_add(bytes) > *limit
            && let Some(last) = others.pop()
        {
            total -= last.bytes;
            // What another process has removed is gone all the same.
            let _ = remove(&last);
        }
        match free_bytes(directory) {
            Some(free) if free < bytes.saturating_add(LEAVE_FREE) => Err(err!(
                Unavailable,
                "the prefix takes {mib} MiB on disk, and of {} MiB that are free at {shown} {} MiB must stay so: free some space",
                free >> 20,
                LEAVE_FREE >> 20
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};
    use std::time::SystemTime;

    use scaffold_formats::kept::KeptWriter;

    use super::*;
    use crate::packed::use_now;

    fn shelf(directory: &Path, limit: u64) -> Shelf {
        let model = directory.join("model.gguf");
        fs::write(&model, "weights").unwrap();
        let options = PrefixOptions { directory: directory.join("prefixes"), limit };
        let seen = Seen::now(&model).unwrap();
        Shelf::new(&options, &seen, Precision::Native, KvType::F16, 16)
    }

    fn keep(shelf: &Shelf, name: &str) -> PathBuf {
        let path = shelf.path(name).unwrap();
        let about = KeptAbout {
            key: shelf.key.clone(),
            name: name.to_owned(),
            model: "model".to_owned(),
            tokens: (0..16).collect(),
            block_tokens: 16,
            block_bytes: 600,
        };
        shelf.make_room(&path, 1000).unwrap();
        let mut file = KeptWriter::create(&path, about).unwrap();
        file.block(&[0; 600]).unwrap();
        file.finish().unwrap();
        path
    }

    #[test]
    fn what_was_used_least_recently_makes_room() {
        let directory = tempfile::tempdir().unwrap();
        let shelf = shelf(directory.path(), 3000);
        let paths: Vec<PathBuf> = ["a", "b", "c"].map(|name| keep(&shelf, name)).into();
        // In the order of the names, whatever the file system counts.
        for (at, path) in paths.iter().enumerate() {
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000 + at as u64);
            let times = FileTimes::new().set_accessed(time).set_modified(time);
            File::options().write(true).open(path).unwrap().set_times(times).unwrap();
        }
        use_now(&paths[0]);
        keep(&shelf, "d");
        let names = |files: Vec<PrefixFile>| -> Vec<String> {
            let mut names: Vec<_> = files.iter().map(|f| f.about.clone().unwrap().name).collect();
            names.sort();
            names
        };
        let kept = list(&directory.path().join("prefixes")).unwrap();
        let freed = remove(&kept[0]).unwrap();
        assert_eq!(freed, kept[0].bytes);
        assert_eq!(names(kept), ["a", "c", "d"]);
        assert!(shelf.make_room(&paths[0], 3001).is_err());
    }

    #[test]
    fn names_are_for_people_and_files_tell_models_apart() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (shelf, beside) = (shelf(one.path(), 1), shelf(other.path(), 1));
        for bad in ["", "a\nb", &"x".repeat(201)] {
            assert!(shelf.path(bad).is_err(), "{bad:?}");
        }
        let name = "../../etc/passwd";
        assert_eq!(shelf.path(name).unwrap().parent(), Some(&*shelf.options.directory));
        assert_ne!(shelf.path(name).unwrap().file_name(), beside.path(name).unwrap().file_name());
    }
}
