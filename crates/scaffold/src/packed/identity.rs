//! What tells one state of a model's files from another.

use std::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use scaffold_files::SplitName;
use scaffold_formats::packed::checksum;
use sha2::{Digest as _, Sha256};

/// Bytes from the start of a file that its samples hold whole: its metadata, or the most of it.
const HEAD: u64 = 256 << 10;
/// Places in the rest that are sampled.
const SAMPLES: u64 = 64;
/// Bytes of one sample.
const SAMPLE: u64 = 4096;

/// A text that changes when the weights at `source` may have changed, without reading all of them.
///
/// Files of the Hub's cache lie in `blobs` under the hash of their contents, which was checked when
/// they were fetched: that name and the size are enough, wherever the cache has been copied to.
///
/// Of any other file count its size, the times of its last change (on Unix also that of its inode,
/// which no program can set back), and a checksum of its beginning and of 64 samples from all of
/// it. So an edit in place shows by its times, and a file put in its place with its times kept
/// shows by the inode's time and by its contents: two models of one shape differ nearly everywhere.
pub(super) fn identity(source: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    for path in files(source)? {
        hash.update(of_file(&path)?.as_bytes());
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// A model's files as they are at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The model's file or directory, by a path that everybody finds it by.
    pub(super) source: PathBuf,
    pub(super) identity: String,
}

impl Seen {
    /// The model's file or directory.
    pub(crate) fn source(&self) -> &Path {
        &self.source
    }

    /// What tells this state of it from others.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// Looks at a model's file or directory; nothing where it cannot be looked at.
    pub(crate) fn now(source: &Path) -> Option<Self> {
        let source = settled(source).ok()?;
        let identity = identity(&source).ok()?;
        Some(Self { source, identity })
    }
}

/// A path that is the same wherever a program is started. A file keeps the name that it was given
/// by: in the Hub's cache it is a link to a file that is named by its contents, and the other parts
/// of a split model lie beside the link.
fn settled(source: &Path) -> io::Result<PathBuf> {
    match source.file_name() {
        Some(name) if !source.is_dir() => {
            let directory = std::path::absolute(source)?;
            let directory = directory.parent().unwrap_or(&directory).canonicalize()?;
            Ok(directory.join(name))
        }
        _ => source.canonicalize(),
    }
}

/// Whether a file of this name counts.
type Wanted = Box<dyn Fn(&str) -> bool>;

/// All that the packed weights depend on: the parts of a split GGUF file, or a directory's
/// configuration and tensors.
fn files(source: &Path) -> io::Result<Vec<PathBuf>> {
    let (directory, wanted): (&Path, Wanted) = if source.is_dir() {
        let wanted = |name: &str| name == "config.json" || name.contains(".safetensors");
        (source, Box::new(wanted))
    } else {
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        if SplitName::parse(&name).is_none() {
            return Ok(vec![source.to_owned()]);
        }
        let name = name.into_owned();
        let wanted = move |other: &str| match (SplitName::parse(&name), SplitName::parse(other)) {
            (Some(part), Some(other)) => part.is_beside(&other),
            _ => false,
        };
        (source.parent().unwrap_or(source), Box::new(wanted))
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if wanted(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn of_file(path: &Path) -> io::Result<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let real = path.canonicalize()?;
    let facts = fs::metadata(&real)?;
    let size = facts.len();
    if let Some(hash) = blob(&real) {
        return Ok(format!("{name} blob {hash} {size}\n"));
    }
    let samples = samples(&real, size)?;
    Ok(format!("{name} file {size} {} {samples:016x}\n", times(&facts)))
}

/// The hash that names a file in a cache's `blobs`.
fn blob(real: &Path) -> Option<String> {
    let name = real.file_name()?.to_str()?;
    let hash = matches!(name.len(), 40 | 64) && name.bytes().all(|b| b.is_ascii_hexdigit());
    (hash && real.parent()?.file_name()? == "blobs").then(|| name.to_owned())
}

#[cfg(unix)]
fn times(facts: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let (modified, changed) =
        ((facts.mtime(), facts.mtime_nsec()), (facts.ctime(), facts.ctime_nsec()));
    format!("{modified:?} {changed:?}")
}

#[cfg(not(unix))]
fn times(facts: &Metadata) -> String {
    format!("{:?}", facts.modified().ok())
}

fn samples(path: &Path, size: u64) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes)?;
    let rest = size.saturating_sub(HEAD);
    for sample in 0..SAMPLES {
        // Evenly, the last one at the very end.
        let at = HEAD + (rest / SAMPLES * (sample + 1)).min(rest.saturating_sub(SAMPLE));
        if at >= size {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        file.by_ref().take(SAMPLE).read_to_end(&mut bytes)?;
    }
    Ok(checksum(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_of_a_local_file_changes_its_identity() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.gguf");
        fs::write(&path, vec![1; 2 << 20]).unwrap();
        let first = identity(&path).unwrap();
        assert_eq!(identity(&path).unwrap(), first);
        // Other contents at the old time.
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let mut bytes = vec![1; 2 << 20];
        bytes[(2 << 20) - 1] = 2;
        fs::write(&path, &bytes).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        let second = identity(&path).unwrap();
        assert_ne!(second, first);
        fs::write(&path, &bytes[1..]).unwrap();
        assert_ne!(identity(&path).unwrap(), second);
    }

    #[test]
    fn files_of_the_hubs_cache_are_known_by_their_hash() {
        let dir = tempfile::tempdir().unwrap();
        let hash = "0".repeat(64);
        let (one, other) = (dir.path().join("a/blobs"), dir.path().join("b/blobs"));
        for blobs in [&one, &other] {
            fs::create_dir_all(blobs).unwrap();
            fs::write(blobs.join(&hash), b"weights").unwrap();
        }
        assert_eq!(identity(&one.join(&hash)).unwrap(), identity(&other.join(&hash)).unwrap());
    }

    /// A cache as `huggingface_hub` makes it: the parts are links to files that are named by their
    /// contents.
    #[cfg(unix)]
    #[test]
    fn all_parts_behind_links_count() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, snapshot) = (dir.path().join("blobs"), dir.path().join("snapshots/main"));
        fs::create_dir_all(&blobs).unwrap();
        fs::create_dir_all(&snapshot).unwrap();
        let link = |number: usize, digit: &str| {
            let blob = blobs.join(digit.repeat(64));
            fs::write(&blob, digit).unwrap();
            let part = snapshot.join(format!("m-{number:05}-of-00002.gguf"));
            drop(fs::remove_file(&part));
            std::os::unix::fs::symlink(blob, &part).unwrap();
            part
        };
        let first = link(1, "a");
        link(2, "b");
        let before = Seen::now(&first).unwrap();
        assert!(before.source.ends_with("snapshots/main/m-00001-of-00002.gguf"));
        assert_eq!(Seen::now(&first).unwrap(), before);
        link(2, "c");
        let after = Seen::now(&first).unwrap();
        assert_eq!(after.source, before.source);
        assert_ne!(after.identity, before.identity);
        // A part that is missing is another state, too.
        fs::remove_file(snapshot.join("m-00002-of-00002.gguf")).unwrap();
        assert_ne!(Seen::now(&first).unwrap().identity, after.identity);
    }

    #[test]
    fn all_parts_of_a_model_count() {
        let dir = tempfile::tempdir().unwrap();
        let part = |n: usize| dir.path().join(format!("m-{n:05}-of-00002.gguf"));
        fs::write(part(1), b"one").unwrap();
        fs::write(part(2), b"two").unwrap();
        let split = identity(&part(1)).unwrap();
        fs::write(part(2), b"twO!").unwrap();
        assert_ne!(identity(&part(1)).unwrap(), split);
        let split = identity(&part(1)).unwrap();
        // Another way to split the same model is another model.
        fs::write(dir.path().join("m-00003-of-00003.gguf"), b"three").unwrap();
        assert_eq!(identity(&part(1)).unwrap(), split);

        fs::write(dir.path().join("config.json"), b"{}").unwrap();
        fs::write(dir.path().join("model.safetensors"), b"x").unwrap();
        let whole = identity(dir.path()).unwrap();
        fs::write(dir.path().join("README.md"), b"words").unwrap();
        assert_eq!(identity(dir.path()).unwrap(), whole);
        fs::write(dir.path().join("config.json"), b"{ }").unwrap();
        assert_ne!(identity(dir.path()).unwrap(), whole);
        assert!(identity(&dir.path().join("missing.gguf")).is_err());
    }
}
