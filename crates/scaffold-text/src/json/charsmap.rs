//! Tables of replacements inside a `tokenizer.json`, before the `tokenizers` crate sees them: it
//! takes memory for as many entries as a table announces, up to 8 GiB, and a memory that is not to
//! be had ends the process.

use crate::unusable::damaged;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scaffold_error::Error;
use serde_json::Value;
use std::path::Path;

/// Refuses a normalizer with a table that announces more than it holds.
pub(super) fn check(normalizer: Option<&Value>, path: &Path) -> Result<(), Error> {
    let Some(normalizer) = normalizer else {
        return Ok(());
    };
    if let Some(table) = normalizer["precompiled_charsmap"].as_str() {
        check_table(table, path)?;
    }
    // Normalizers nest in sequences; JSON is read to a depth of 128.
    let inner = normalizer["normalizers"].as_array();
    inner.map_or(Ok(()), |inner| inner.iter().try_for_each(|inner| check(Some(inner), path)))
}

fn check_table(table: &str, path: &Path) -> Result<(), Error> {
    // Eight letters are six bytes, of which the first four are the size of the table in bytes.
    let head = table.get(..8).and_then(|head| STANDARD.decode(head).ok());
    let size = head.and_then(|head| Some(u32::from_le_bytes(*head.first_chunk()?)));
    let held = (table.len() / 4 * 3).saturating_sub(4);
    match size {
        Some(size) if size as usize > held => Err(damaged(
            path,
            format!(
                "the table in its `normalizer` announces {size} bytes and holds at most {held}"
            ),
        )),
        // What is no table at all is told by the crate.
        _ => Ok(()),
    }
}
