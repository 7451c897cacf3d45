//! Git LFS pointers: the small texts that a clone without Git LFS has in the place of large files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::local::ModelFiles;
use crate::name::{RepoId, RepoName};
use crate::select::{self, Selection};

pub(super) const PROBLEM: &str = "it is a Git LFS pointer, not the file itself. Fetch the real file with `git lfs pull`, or download it again";

/// A pointer is shorter by far.
const LONGEST: u64 = 1024;

/// The first pointer among the files that a model of the user's own needs.
pub(super) fn find(files: &ModelFiles) -> Option<PathBuf> {
    match files {
        ModelFiles::Gguf(path) => is_pointer(path).then(|| path.clone()),
        ModelFiles::Directory(dir) => {
            needed(dir).into_iter().map(|file| dir.join(file)).find(|path| is_pointer(path))
        }
    }
}

/// The files of a directory that would be read. Others (weights of other formats) may be pointers
/// as they like.
fn needed(dir: &Path) -> Vec<String> {
    let names = |dir: &Path| -> Vec<(String, bool)> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let named =
            |e: std::fs::DirEntry| Some((e.file_name().into_string().ok()?, e.path().is_dir()));
        entries.filter_map(named).collect()
    };
    let mut files = Vec::new();
    for (name, is_dir) in names(dir) {
        if is_dir {
            let below = names(&dir.join(&name)).into_iter();
            files.extend(below.map(|(file, _)| format!("{name}/{file}")));
        } else {
            files.push(name);
        }
    }
    let listed: Vec<_> = files.iter().map(|file| (file.as_str(), None)).collect();
    let Ok(id) = RepoId::parse("directory") else {
        return Vec::new();
    };
    match select::select(&RepoName::whole(id), &listed, &|_| true) {
        Ok(Selection::Directory(files)) => files,
        _ => Vec::new(),
    }
}

fn is_pointer(path: &Path) -> bool {
    let mut start = [0; 24];
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST)
        && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == *b"version https://git-lfs."
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTER: &str =
        "version https://git-lfs.github.com/spec/v1\noid sha256:cd6b\nsize 560488\n";

    #[test]
    fn pointers_are_found_where_they_would_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let model = ModelFiles::Directory(dir.path().to_owned());
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("config.json", "{}");
        write("model.safetensors", "weights");
        write("pytorch_model.bin", POINTER);
        assert_eq!(find(&model), None);
        for name in ["tokenizer.json", "2_Dense/model.safetensors", "model.safetensors"] {
            write(name, POINTER);
            assert_eq!(find(&model), Some(dir.path().join(name)));
            write(name, "the file itself");
        }
        write("m.gguf", POINTER);
        let file = dir.path().join("m.gguf");
        assert_eq!(find(&ModelFiles::Gguf(file.clone())), Some(file));
    }
}
