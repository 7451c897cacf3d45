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
    let mut file = Pending::create(path).map_err(Error::io("create", path))?;
    fill(&mut file).and_then(|()| file.finish()).map_err(Error::io("write", path))
}
