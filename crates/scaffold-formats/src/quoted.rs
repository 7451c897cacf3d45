//! Names out of untrusted files, made fit to print.

use std::fmt;

/// The longest part of a name that an error message repeats, in characters.
const SHOWN: usize = 160;

/// Prints a name in quotes, control characters escaped, and shortened where it is absurdly long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        for symbol in self.0.chars().take(SHOWN) {
            if symbol.is_control() {
                write!(f, "{}", symbol.escape_unicode())?;
            } else {
                write!(f, "{symbol}")?;
            }
        }
        match self.0.char_indices().nth(SHOWN) {
            None => f.write_str("`"),
            Some(_) => write!(f, "…` ({} bytes)", self.0.len()),
        }
    }
}
