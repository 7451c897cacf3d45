//! Files with tokens.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use super::TokenShape;
use crate::text::decode_text;

/// A token file is a line, the stored tokens are a few.
const LARGEST_FILE: u64 = 1 << 20;

/// The text of a file with tokens; empty where there is none. A file that is there and cannot be
/// read is not passed over: to send no token, or another one, would be answered with a refusal that
/// explains nothing.
pub(crate) fn read_file(path: &Path) -> Result<String, TokenShape> {
    let fail =
        |why: &dyn fmt::Display| Err(TokenShape::Unreadable(format!("it cannot be read: {why}")));
    // Also where the way to it is barred: then the cache beside it is as good as absent, too.
    let Ok(meta) = fs::metadata(path) else {
        return Ok(String::new());
    };
    if !meta.is_file() {
        return fail(&"it is not a file");
    }
    let mut bytes = Vec::new();
    if let Err(error) =
        File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut bytes))
    {
        return fail(&error);
    }
    decode_text(&bytes).or_else(|error| fail(&error))
}
