//! API keys.

use std::fmt;
use std::hint::black_box;
use std::path::Path;

use scaffold::Error;
use scaffold_error::err;
use sha2::{Digest as _, Sha256};

/// A key is at least so long: shorter ones can be guessed.
const SHORTEST: usize = 16;

/// The keys of those who may ask, each with a name. Only what they hash to is kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<(String, [u8; 32])>);

impl Keys {
    /// Keys from a text: one in each line, `NAME KEY` or `KEY` alone, which is then called by its
    /// line, `key-1`. Empty lines and lines that begin with `#` say nothing.
    ///
    /// ```
    /// let keys = scaffold_server::Keys::parse("# mine\nlaptop  6f1c0b1e5d2a4c77\n")?;
    /// assert_eq!(keys.len(), 1);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// A line that is neither, a key that is too short, a name or a key that is there twice, or no
    /// key at all. No error repeats a key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys: Vec<(String, [u8; 32])> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let words: Vec<&str> = line.split_whitespace().collect();
            let (name, key) = match words[..] {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                [key] => (format!("key-{number}"), key),
                [name, key] => (name.to_owned(), key),
                _ => {
                    return Err(err!(
                        Usage,
                        "it has {} words: accepted is `NAME KEY`, or a key alone",
                        words.len()
                    )
                    .at_line(number));
                }
            };
            if key.len() < SHORTEST {
                let length = key.len();
                return Err(err!(
                    Usage,
                    "the key has {length} characters, and one that cannot be guessed has {SHORTEST} or more: make one with \
                     `openssl rand -hex 24`"
                )
                .at_line(number));
            }
            let hash = hash(key);
            if keys.iter().any(|(other, known)| *other == name || *known == hash) {
                return Err(err!(
                    Usage,
                    "its name or its key is in an earlier line, too: give each its own"
                )
                .at_line(number));
            }
            keys.push((name, hash));
        }
        if keys.is_empty() {
            return Err(err!(Usage, "there is no key in it: write one in a line, as `NAME KEY`"));
        }
        Ok(Self(keys))
    }

    /// The keys of a file, as [`parse`](Self::parse) reads them.
    ///
    /// # Errors
    /// A file that cannot be read, and as [`parse`](Self::parse).
    pub fn open(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::parse(&text).map_err(|error| error.in_file(path))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a key. All are compared to their ends, so that the time tells nothing.
    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        let given = hash(key);
        let mut found = None;
        for (name, known) in &self.0 {
            let differs = known.iter().zip(&given).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
            if differs == 0 {
                found = Some(name.as_str());
            }
        }
        found
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_what_they_are() {
        let keys =
            Keys::parse("# of the house\n\nlaptop 0123456789abcdef\nfedcba9876543210\n").unwrap();
        assert_eq!(keys.find("0123456789abcdef"), Some("laptop"));
        assert_eq!(keys.find("fedcba9876543210"), Some("key-4"));
        assert_eq!(keys.find("0123456789abcdeg"), None);
        assert_eq!(keys.find(""), None);
        assert_eq!(format!("{keys:?}"), r#"["laptop", "key-4"]"#);
    }

    #[test]
    fn bad_lines_are_named_without_their_keys() {
        for (text, line) in [
            ("a 0123456789abcdef more", 1),
            ("\nshort", 2),
            ("a 0123456789abcdef\na fedcba9876543210", 2),
            ("a 0123456789abcdef\nb 0123456789abcdef", 2),
        ] {
            let error = Keys::parse(text).unwrap_err();
            assert_eq!(error.place().line(), Some(line), "{error}");
            let told = error.to_string();
            assert!(!told.contains("0123456789") && !told.contains("short"), "{told}");
        }
        assert!(Keys::parse("# nothing\n").is_err());
    }
}
