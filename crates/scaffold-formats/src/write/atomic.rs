//! Files that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::FormatError;

/// Tells apart the temporary files of one process.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Writes a file under a temporary name beside its own and renames it when all of it is on disk. A
/// failure leaves neither the temporary file nor a changed target behind.
pub(crate) fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FormatError> {
    let temporary = temporary_name(path);
    let file =
        OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(|source| {
            FormatError::Io { action: "create", path: temporary.clone(), source }
        })?;
    let written = fill_and_rename(file, &temporary, path, fill);
    if written.is_err() {
        // The first error is the one to report; a file that cannot be removed either is the lesser
        // evil.
        drop(fs::remove_file(&temporary));
    }
    written.map_err(|source| FormatError::Io { action: "write", path: path.to_owned(), source })
}

fn fill_and_rename(
    file: File,
    temporary: &Path,
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, file);
    fill(&mut out)?;
    // Errors of a full disk may come as late as this.
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(temporary, path)
}

fn temporary_name(path: &Path) -> PathBuf {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{number}.part", std::process::id()));
    path.with_file_name(name)
}
