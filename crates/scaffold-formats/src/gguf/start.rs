//! The first bytes of every GGUF file.

use scaffold_error::{Error, err};

use super::cursor::Cursor;

const MAGIC: &[u8] = b"GGUF";

/// Magic and version.
pub(super) fn check_start(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    let first = cursor.left().min(MAGIC.len());
    let found = cursor.take(first as u64, "the magic")?;
    if found != MAGIC {
        let hint = if found.is_empty() {
            "; the file is empty, probably a download that never started: fetch it again"
        } else {
            ""
        };
        let found = found.escape_ascii();
        return Err(err!(
            Damaged,
            "not a GGUF file: it starts with `{found}` instead of `GGUF`{hint}"
        ));
    }
    match cursor.u32("the version")? {
        2 | 3 => Ok(()),
        version if matches!(version.swap_bytes(), 1..=3) => Err(err!(
            Unsupported,
            "this GGUF file is big-endian, which is not supported; convert the model again for little-endian machines"
        )),
        version => Err(err!(
            Unsupported,
            "GGUF version {version} is not supported; versions 2 and 3 are. Look for a newer conversion of the model"
        )),
    }
}
