//! The repository as text: the files that git tracks or would track.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
pub(crate) struct File {
    /// Its path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// What it says; files that are not UTF-8 are left out.
    pub(crate) text: String,
}

/// The root of the repository: two levels above this crate.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("xtask lies in dev/")
        .to_path_buf()
}

/// Every text file that git tracks, and those it would track if they were added.
pub(crate) fn tracked_files() -> Vec<File> {
    let root = root();
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .expect("git lists the files of the repository");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|path| {
            let text = std::fs::read_to_string(root.join(path)).ok()?;
            Some(File { path: path.to_owned(), text })
        })
        .collect()
}

impl File {
    /// Whether this is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "rs")
    }

    /// Whether this is a Markdown document.
    pub(crate) fn is_markdown(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "md")
    }

    /// Each line with its number from 1, up to the first `#[cfg(test)]`.
    pub(crate) fn lines_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }
}
