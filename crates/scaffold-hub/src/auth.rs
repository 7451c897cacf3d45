//! Where the access token comes from, and where it is kept.

mod store;

use std::fmt;
use std::path::{Path, PathBuf};

pub use store::{AuthStatus, SignedOut};

use crate::config::{HubConfig, TokenFiles, is_true};
use crate::error::BadToken;
use crate::text::decode_text;
use crate::token::{Token, TokenShape};

/// Variables that may hold a token, in the order they are looked at.
const VARIABLES: [&str; 3] = ["HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN"];

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

/// What the search for a token came to.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) token: Option<(Token, TokenSource)>,
    pub(crate) bad: Option<BadToken>,
}

impl Found {
    fn unreadable(problem: TokenShape, path: &Path) -> Found {
        Found {
            token: None,
            bad: Some(BadToken { origin: TokenSource::File(path.to_owned()), problem }),
        }
    }

    fn from(text: &str, origin: TokenSource) -> Found {
        match Token::parse(text) {
            Ok(token) => Found { token: Some((token, origin)), bad: None },
            Err(problem) => Found { token: None, bad: Some(BadToken { origin, problem }) },
        }
    }
}

/// Looks in the variables, then in the token file, then in the stored tokens. The first place that
/// holds anything decides, even when it holds nonsense: silently using another token than the one
/// that was set would be worse.
pub(crate) fn find_token(var: &impl Fn(&str) -> Option<String>, files: &TokenFiles) -> Found {
    for name in VARIABLES {
        if let Some(text) = var(name) {
            return Found::from(&text, TokenSource::Variable(name));
        }
    }
    if var("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_some_and(|v| is_true(&v)) {
        return Found::default();
    }
    match read_file(&files.active) {
        Ok(text) if text.trim().is_empty() => {}
        Ok(text) => return Found::from(&text, TokenSource::File(files.active.clone())),
        Err(problem) => return Found::unreadable(problem, &files.active),
    }
    match store::only_stored(files) {
        Ok(Some((text, origin))) => Found::from(&text, origin),
        Ok(None) => Found::default(),
        Err(problem) => Found::unreadable(problem, &files.stored),
    }
}

/// A token file is a line, the stored tokens are a few.
const LARGEST_FILE: u64 = 1 << 20;

/// The text of a file with tokens; empty where there is none. A file that is there and cannot be
/// read is not passed over: to send no token, or another one, would be answered with a refusal that
/// explains nothing.
pub(crate) fn read_file(path: &Path) -> Result<String, TokenShape> {
    use std::io::Read as _;
    let fail =
        |why: &dyn fmt::Display| Err(TokenShape::Unreadable(format!("it cannot be read: {why}")));
    // Also where the way to it is barred: then the cache beside it is as good as absent, too.
    let Ok(meta) = std::fs::metadata(path) else {
        return Ok(String::new());
    };
    if !meta.is_file() {
        return fail(&"it is not a file");
    }
    let mut bytes = Vec::new();
    if let Err(error) =
        std::fs::File::open(path).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut bytes))
    {
        return fail(&error);
    }
    decode_text(&bytes).or_else(|error| fail(&error))
}

impl HubConfig {
    /// Uses this token, whatever else there is.
    ///
    /// # Errors
    /// [`BadToken`] when it cannot be one.
    pub fn with_token(mut self, text: &str) -> Result<HubConfig, BadToken> {
        let token = Token::parse(text)
            .map_err(|problem| BadToken { origin: TokenSource::Flag, problem })?;
        self.token = Some((token, TokenSource::Flag));
        self.bad_token = None;
        Ok(self)
    }
}

/// Reads the text of a file of stored tokens, for fuzzing.
pub(crate) fn check_stored(text: &str) {
    store::check(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "hf_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn the_order_is_variables_dotenv_files() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_string_lossy().into_owned();
        std::fs::write(dir.path().join("token"), format!("{A}\n")).unwrap();
        let config = |vars: &[(&str, &str)]| {
            let vars: Vec<(String, String)> =
                vars.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            let home = home.clone();
            HubConfig::from_vars(
                move |n| {
                    if n == "HF_HOME" {
                        Some(home.clone())
                    } else {
                        vars.iter().find(|(k, _)| k == n).map(|(_, v)| v.clone())
                    }
                },
                "/nobody",
            )
        };
        let origin = |c: &HubConfig| c.token.as_ref().unwrap().1.clone();
        assert_eq!(origin(&config(&[])), TokenSource::File(dir.path().join("token")));
        let both = [("HUGGINGFACE_TOKEN", A), ("HUGGING_FACE_HUB_TOKEN", B)];
        assert_eq!(origin(&config(&both)), TokenSource::Variable("HUGGINGFACE_TOKEN"));
        assert!(config(&[("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]).token.is_none());

        assert_eq!(origin(&config(&both).with_token(B).unwrap()), TokenSource::Flag);

        // A malformed token is reported, not skipped over.
        let bad = config(&[("HF_TOKEN", "hf_short")]);
        assert!(bad.token.is_none());
        assert_eq!(bad.bad_token.unwrap().origin, TokenSource::Variable("HF_TOKEN"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let found = |stored: &str| {
            let files = TokenFiles { active: path.clone(), stored: dir.path().join(stored) };
            find_token(&|_| None, &files)
        };
        assert!(found("none").bad.is_none() && found("none").token.is_none());
        // As PowerShell writes it.
        let text = format!("{A}\r\n");
        let utf16 = [0xfeff].into_iter().chain(text.encode_utf16());
        let bytes: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(found("none").token.unwrap().0.reveal(), A);
        std::fs::write(&path, b"hf_\xff").unwrap();
        let bad = found("none").bad.unwrap().to_string();
        assert!(bad.contains("byte 3") && bad.contains("token"), "{bad}");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let bad = found("none").bad.unwrap().to_string();
        assert!(bad.contains("not a file"), "{bad}");
        std::fs::remove_dir(&path).unwrap();
        std::fs::create_dir(dir.path().join("stored")).unwrap();
        let bad = found("stored").bad.unwrap().to_string();
        assert!(bad.contains("stored"), "{bad}");
    }
}
