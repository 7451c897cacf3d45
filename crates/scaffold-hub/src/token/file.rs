//! Files with tokens.

use std::fmt;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use scaffold_error::{Error, Remedy, err};

use crate::text::decode_text;

/// A token file is a line, the stored tokens are a few.
const LARGEST_FILE: u64 = 1 << 20;

/// The text of a file with tokens; empty where there is none. A file that is there and cannot be
/// read is not passed over: to send no token, or another one, would be answered with a refusal that
/// explains nothing.
pub(crate) fn read_file(path: &Path) -> Result<String, Error> {
    let fail = |why: &dyn fmt::Display| {
        let origin = path.display();
        let error = err!(
            Unavailable,
            "the access token from {origin} cannot be used: it cannot be read: {why}. Nothing was sent"
        );
        let readable = "make that file readable, or remove it";
        Err(error.of_file(path).remedy(readable).remedy(Remedy::Login))
    };
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
