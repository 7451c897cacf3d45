//! Files that appear whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use scaffold_error::Error;
use scaffold_files::Pending;

/// Writes a file that has its name when all of it is on disk. A failure leaves neither a temporary
/// file nor a changed target behind.
pub(crate) fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    write_made(path, |out| fill(out).map_err(Error::io("write", path)))
}

/// [`write_file`], where what is written is made meanwhile, which can fail for other reasons.
pub(crate) fn write_made(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    write_checked(path, fill, |_| Ok(()))
}

/// [`write_made`], where the whole is looked at under its temporary name.
pub(crate) fn write_checked(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
    check: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut file = Pending::create(path).map_err(Error::io("create", path))?;
    fill(&mut file)?;
    file.flush().map_err(Error::io("write", path))?;
    check(file.temporary())?;
    file.finish().map_err(Error::io("write", path))
}
