//! API keys.

use std::fmt;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use scaffold::Error;
use scaffold_error::err;
use sha2::{Digest as _, Sha256};

/// What stands before the numbers of limits.
const LIMITS: [&str; 3] = ["at-once", "requests-per-minute", "tokens-per-minute"];

/// A key is at least so long: shorter ones can be guessed.
const SHORTEST: usize = 16;

/// The keys of those who may ask, each with a name. Only what they hash to is kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

#[derive(Clone, PartialEq, Eq)]
struct Key {
    name: Arc<str>,
    hash: [u8; 32],
    limits: KeyLimits,
}

/// How much a client with a key may have; what is not said has no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyLimits {
    /// Requests at work.
    pub(crate) at_once: Option<usize>,
    /// Requests a minute.
    pub(crate) requests_per_minute: Option<u64>,
    /// Tokens of prompts and answers a minute.
    pub(crate) tokens_per_minute: Option<u64>,
}

impl KeyLimits {
    /// Reads `NAME=NUMBER`; whether the word is that of a limit.
    fn read(&mut self, word: &str) -> Result<bool, Error> {
        let Some((name, number)) = word.split_once('=').filter(|(name, _)| LIMITS.contains(name))
        else {
            return Ok(false);
        };
        let number: u32 = number.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
            err!(
                Usage,
                "{name} is {number:?}: accepted is a whole number from 1 to {}; a key that may not ask has no line",
                u32::MAX
            )
        })?;
        let is_there = match name {
            "at-once" => self.at_once.replace(number as usize).is_some(),
            "requests-per-minute" => self.requests_per_minute.replace(number.into()).is_some(),
            _ => self.tokens_per_minute.replace(number.into()).is_some(),
        };
        if is_there {
            return Err(err!(Usage, "{name} is there twice: say it once"));
        }
        Ok(true)
    }
}

impl Keys {
    /// Keys from a text: one in each line, `NAME KEY` or `KEY` alone, which is then called by its
    /// line, `key-1`. Behind it may stand how much it may have: `at-once=4` requests,
    /// `requests-per-minute=60`, `tokens-per-minute=100000`. Empty lines and lines that begin with `#`
    /// say nothing.
    ///
    /// ```
    /// let keys = scaffold_server::Keys::parse("# mine\nlaptop  6f1c0b1e5d2a4c77  at-once=4\n")?;
    /// assert_eq!(keys.len(), 1);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// A line that is neither, a key that is too short, a name or a key that is there twice, or no
    /// key at all. No error repeats a key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let mut limits = KeyLimits::default();
            let mut words: Vec<&str> = Vec::new();
            if line.trim_start().starts_with('#') {
                continue;
            }
            for word in line.split_whitespace() {
                if !limits.read(word).map_err(|error| error.at_line(number))? {
                    words.push(word);
                }
            }
            let (name, key) = match words[..] {
                [] if limits == KeyLimits::default() => continue,
                [key] => (format!("key-{number}"), key),
                [name, key] => (name.to_owned(), key),
                _ => {
                    return Err(err!(
                        Usage,
                        "it has {} words that are no limits: accepted is `NAME KEY`, or a key alone, and behind it {}",
                        words.len(),
                        LIMITS.map(|name| format!("{name}=NUMBER")).join(", ")
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
            if keys.iter().any(|other| *other.name == *name || other.hash == hash) {
                return Err(err!(
                    Usage,
                    "its name or its key is in an earlier line, too: give each its own"
                )
                .at_line(number));
            }
            keys.push(Key { name: name.into(), hash, limits });
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

    /// The name of a key, and its limits. All are compared to their ends, so that the time tells nothing.
    pub(crate) fn find(&self, key: &str) -> Option<(&Arc<str>, KeyLimits)> {
        let given = hash(key);
        let mut found = None;
        for known in &self.0 {
            let differs =
                known.hash.iter().zip(&given).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
            if differs == 0 {
                found = Some((&known.name, known.limits));
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
        f.debug_list().entries(self.0.iter().map(|key| &key.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_what_they_are() {
        let keys =
            Keys::parse("# of the house\n\nlaptop 0123456789abcdef\nfedcba9876543210\n").unwrap();
        assert_eq!(name(&keys, "0123456789abcdef"), Some("laptop"));
        assert_eq!(name(&keys, "fedcba9876543210"), Some("key-4"));
        assert_eq!(name(&keys, "0123456789abcdeg"), None);
        assert_eq!(name(&keys, ""), None);
        assert_eq!(format!("{keys:?}"), r#"["laptop", "key-4"]"#);
    }

    fn name<'k>(keys: &'k Keys, key: &str) -> Option<&'k str> {
        keys.find(key).map(|(name, _)| &**name)
    }

    #[test]
    fn limits_stand_behind_keys() {
        let keys = Keys::parse(
            "laptop 0123456789abcdef at-once=4 tokens-per-minute=1000\nfedcba9876543210 requests-per-minute=6\nc 0123456789abcde=\n",
        )
        .unwrap();
        let limits = |key: &str| keys.find(key).unwrap().1;
        let wanted =
            KeyLimits { at_once: Some(4), tokens_per_minute: Some(1000), ..KeyLimits::default() };
        assert_eq!(limits("0123456789abcdef"), wanted);
        assert_eq!(limits("fedcba9876543210").requests_per_minute, Some(6));
        assert_eq!(limits("0123456789abcde="), KeyLimits::default());
        for bad in [
            "at-once=0",
            "at-once=-1",
            "at-once=",
            "tokens-per-minute=1e9",
            "at-once=1 at-once=1",
            "often=3",
        ] {
            let error = Keys::parse(&format!("a 0123456789abcdef {bad}")).unwrap_err();
            assert_eq!(error.place().line(), Some(1), "{error}");
        }
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
