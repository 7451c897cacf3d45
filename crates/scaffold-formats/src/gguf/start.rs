//! The first bytes of every GGUF file.

use super::cursor::Cursor;
use crate::error::GgufProblem;

const MAGIC: &[u8] = b"GGUF";

/// Magic and version.
pub(super) fn check_start(cursor: &mut Cursor<'_>) -> Result<(), GgufProblem> {
    let first = cursor.left().min(MAGIC.len());
    let found = cursor.take(first as u64, "the magic")?;
    if found != MAGIC {
        return Err(GgufProblem::NotGguf { found: found.to_vec() });
    }
    match cursor.u32("the version")? {
        2 | 3 => Ok(()),
        version if matches!(version.swap_bytes(), 1..=3) => Err(GgufProblem::BigEndian),
        version => Err(GgufProblem::Version { version }),
    }
}
