//! A Hugging Face access token that does not show itself.

pub(crate) mod file;
pub(crate) mod find;
pub(crate) mod stored;

use std::fmt;
use std::path::PathBuf;

use scaffold_error::{Error, err};

/// A Hugging Face access token. Neither `Debug` nor `Display` shows it: both print `hf_…`.
///
/// ```
/// use scaffold_hub::{Token, TokenSource};
/// let text = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH";
/// let token = Token::parse(text, &TokenSource::Flag).unwrap();
/// assert_eq!(format!("{token} {token:?}"), "hf_… hf_…");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token as it was typed, pasted or read from a file: surrounding white space is
    /// dropped, the rest checked.
    ///
    /// # Errors
    /// What is wrong, and that it is wrong in `origin`; the text itself is never repeated.
    pub fn parse(text: &str, origin: &TokenSource) -> Result<Token, Error> {
        let text = text.trim();
        match malformed(text) {
            None => Ok(Token(text.to_owned())),
            Some(problem) => Err(err!(
                Usage,
                "the access token from {origin} cannot be one: {problem}. Nothing was sent"
            )
            .remedy("copy it again from https://huggingface.co/settings/tokens, or remove it")),
        }
    }

    /// The secret itself, for an `Authorization` header or the token file. Never print it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Why a text cannot be an access token, if so, without what stands in it: it may be a secret.
fn malformed(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if text.contains("your_actual_token")
        || text.contains("your_token")
        || text.contains("***")
        || text.contains('…')
    {
        return Some("it is the placeholder from a guide, not a token of your own".to_owned());
    }
    if let Some((index, c)) =
        text.chars().enumerate().find(|(_, c)| !(c.is_ascii_alphanumeric() || "_-.".contains(*c)))
    {
        let what = match c {
            '"' | '\'' | '`' | '“' | '”' => "a quotation mark",
            c if c.is_whitespace() => "white space",
            c if c.is_control() => "a control character",
            _ => "neither a letter nor a digit",
        };
        return Some(format!("character {} is {what}, which no token contains", index + 1));
    }
    if !text.starts_with("hf_") && !text.starts_with("api_") {
        return Some(
            "it does not start with `hf_` (that is how every Hugging Face access token starts)"
                .to_owned(),
        );
    }
    // OAuth tokens (`hf_oauth_…`, `hf_jwt_…`) carry signed claims and are far longer than the
    // usual 37.
    let longest =
        if text.starts_with("hf_oauth_") || text.starts_with("hf_jwt_") { 8192 } else { 128 };
    let length = text.len();
    (length < 20 || length > longest).then(|| {
        format!("it has {length} characters; a token has about 37 (was it copied whole, and once?)")
    })
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
        let problem = |text: &str| Token::parse(text, &TokenSource::Flag).unwrap_err().to_string();
        for (text, want) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("hf_your_actual_token_here", "placeholder"),
            ("sk-proj-abcdefghijklmnopqrstuvwxyz", "does not start with `hf_`"),
            ("hf_short", "it has 8 characters"),
            ("\"hf_abcdefghijklmnopqrstuvwxyz\"", "character 1 is a quotation mark"),
            ("hf_abcdefghijklm nopqrstuvwxyz", "character 17 is white space"),
        ] {
            let error = problem(text);
            assert!(error.contains(want) && error.contains("the command line"), "{error}");
            assert!(text.len() < 4 || !error.contains(text.trim()), "{error}");
        }
        assert!(problem(&format!("{GOOD}{GOOD}{GOOD}{GOOD}")).contains("it has 148 characters"));
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
        assert_eq!(
            Token::parse(&format!(" {GOOD}\r\n"), &TokenSource::Flag).unwrap().reveal(),
            GOOD
        );
    }
}
