//! A Hugging Face access token that does not show itself.

pub(crate) mod file;
pub(crate) mod find;
pub(crate) mod stored;

use std::fmt;
use std::path::PathBuf;

/// A Hugging Face access token. Neither `Debug` nor `Display` shows it: both print `hf_…`.
///
/// ```
/// use scaffold_hub::Token;
/// let token = Token::parse("hf_abcdefghijklmnopqrstuvwxyzABCDEFGH").unwrap();
/// assert_eq!(format!("{token} {token:?}"), "hf_… hf_…");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text cannot be an access token. The text itself is never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenShape {
    /// Only spaces, or nothing at all.
    #[error("it is empty")]
    Empty,
    /// Something other than `hf_…` or `api_…`.
    #[error("it does not start with `hf_` (that is how every Hugging Face access token starts)")]
    Prefix,
    /// The guide's own sample, or a `…`/`***` in place of the secret.
    #[error("it is the placeholder from a guide, not a token of your own")]
    Placeholder,
    /// Quotes, spaces, line ends or other characters that no token has.
    #[error("character {position} is {what}, which no token contains")]
    Character {
        /// 1-based position in the trimmed text.
        position: usize,
        /// What stands there, in words (never the character of a possible secret).
        what: &'static str,
    },
    /// The file that should hold it cannot be read, or does not hold text.
    #[error("{0}")]
    Unreadable(String),
    /// Too short to be whole, or so long that it is two of them.
    #[error("it has {length} characters; a token has about 37 (was it copied whole, and once?)")]
    Length {
        /// Characters in the trimmed text.
        length: usize,
    },
}

impl Token {
    /// Takes a token as it was typed, pasted or read from a file: surrounding white space is
    /// dropped, the rest checked.
    ///
    /// # Errors
    /// A [`TokenShape`] that says what is wrong without repeating the text.
    pub fn parse(text: &str) -> Result<Token, TokenShape> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenShape::Empty);
        }
        if text.contains("your_actual_token")
            || text.contains("your_token")
            || text.contains("***")
            || text.contains('…')
        {
            return Err(TokenShape::Placeholder);
        }
        if let Some((index, c)) = text
            .chars()
            .enumerate()
            .find(|(_, c)| !(c.is_ascii_alphanumeric() || "_-.".contains(*c)))
        {
            let what = match c {
                '"' | '\'' | '`' | '“' | '”' => "a quotation mark",
                c if c.is_whitespace() => "white space",
                c if c.is_control() => "a control character",
                _ => "neither a letter nor a digit",
            };
            return Err(TokenShape::Character { position: index + 1, what });
        }
        if !text.starts_with("hf_") && !text.starts_with("api_") {
            return Err(TokenShape::Prefix);
        }
        // OAuth tokens (`hf_oauth_…`, `hf_jwt_…`) carry signed claims and are far longer than the
        // usual 37.
        let longest =
            if text.starts_with("hf_oauth_") || text.starts_with("hf_jwt_") { 8192 } else { 128 };
        if text.len() < 20 || text.len() > longest {
            return Err(TokenShape::Length { length: text.len() });
        }
        Ok(Token(text.to_owned()))
    }

    /// The secret itself, for an `Authorization` header or the token file. Never print it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hf_…")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hf_…")
    }
}

/// Where a token was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// Given on the command line or in code.
    Flag,
    /// An environment variable.
    Variable(&'static str),
    /// A key of a project's `.env`.
    DotEnv {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
    },
    /// A token file, as `hf auth login` and `scaffold auth login` write it.
    File(PathBuf),
    /// An entry of Python's stored tokens.
    Stored {
        /// The file.
        path: PathBuf,
        /// The entry's name.
        name: String,
    },
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenSource::Flag => f.write_str("the command line"),
            TokenSource::Variable(name) => write!(f, "the environment variable {name}"),
            TokenSource::DotEnv { path, key } => write!(f, "{key} in {}", path.display()),
            TokenSource::File(path) => write!(f, "{}", path.display()),
            TokenSource::Stored { path, name } => {
                write!(f, "the entry `{name}` of {}", path.display())
            }
        }
    }
}

/// A token that was found, and why it cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the access token from {origin} cannot be {}: {problem}. Nothing was sent. {}", if matches!(problem, TokenShape::Unreadable(_)) { "used" } else { "one" }, if matches!(problem, TokenShape::Unreadable(_)) { "Make that file readable (`scaffold auth login` writes it anew), or remove it" } else { "Copy it again from https://huggingface.co/settings/tokens, or remove it" }
)]
pub struct BadToken {
    /// Where it was found.
    pub origin: TokenSource,
    /// What is wrong with it.
    pub problem: TokenShape,
}

/// Where tokens are read from and stored, the same files as Python's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFiles {
    /// The token in use (`HF_TOKEN_PATH`, else `HF_HOME/token`).
    pub active: PathBuf,
    /// All tokens by name (`stored_tokens`, beside the one in use).
    pub stored: PathBuf,
}

/// Tells the system to write no core file of this process, so that a crash leaves no token on the
/// disk. For programs (not libraries) that hold one. Returns whether that is so now; where there
/// are no core files of this kind, `true`.
pub fn forbid_core_files() -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        let none = Rlimit { current: Some(0), maximum };
        setrlimit(Resource::Core, none).is_ok()
    }
    #[cfg(not(unix))]
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH";

    #[test]
    fn malformed_tokens_are_named_without_being_shown() {
        for (text, want) in [
            ("", TokenShape::Empty),
            (" \n", TokenShape::Empty),
            ("hf_your_actual_token_here", TokenShape::Placeholder),
            ("sk-proj-abcdefghijklmnopqrstuvwxyz", TokenShape::Prefix),
            ("hf_short", TokenShape::Length { length: 8 }),
            (
                "\"hf_abcdefghijklmnopqrstuvwxyz\"",
                TokenShape::Character { position: 1, what: "a quotation mark" },
            ),
            (
                "hf_abcdefghijklm nopqrstuvwxyz",
                TokenShape::Character { position: 17, what: "white space" },
            ),
        ] {
            let error = Token::parse(text).unwrap_err();
            assert_eq!(error, want);
            assert!(text.len() < 4 || !error.to_string().contains(text.trim()), "{error}");
        }
        assert_eq!(
            Token::parse(&format!("{GOOD}{GOOD}{GOOD}{GOOD}")).unwrap_err(),
            TokenShape::Length { length: 148 }
        );
    }

    #[cfg(unix)]
    #[test]
    fn no_core_file_is_written() {
        assert!(forbid_core_files());
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!(limit.current, Some(0));
    }

    #[test]
    fn line_ends_around_a_token_are_dropped() {
        assert_eq!(Token::parse(&format!(" {GOOD}\r\n")).unwrap().reveal(), GOOD);
    }
}
