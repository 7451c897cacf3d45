//! How long files are. A file that can be read in one sitting is one that gets read.

use crate::tree::File;

/// The longest a source file may be.
const LIMIT: usize = 500;

pub(crate) fn check(files: &[File]) -> Vec<String> {
    lengths(files)
        .into_iter()
        .filter(|(length, _)| *length > LIMIT)
        .map(|(length, path)| format!("{path}: {length} lines; split it at a real edge"))
        .collect()
}

/// One line on the distribution.
pub(crate) fn report(files: &[File]) -> String {
    let lengths = lengths(files);
    let Some((longest, path)) = lengths.last() else {
        return "no source files".to_owned();
    };
    let at = |part: usize| lengths[(lengths.len() - 1) * part / 100].0;
    format!(
        "{} source files: median {} lines, 90th percentile {}, longest {longest} ({path})",
        lengths.len(),
        at(50),
        at(90),
    )
}

/// Lengths of all Rust files, shortest first.
fn lengths(files: &[File]) -> Vec<(usize, &str)> {
    let mut lengths: Vec<_> = files
        .iter()
        .filter(|file| file.is_rust())
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .collect();
    lengths.sort_unstable();
    lengths
}
