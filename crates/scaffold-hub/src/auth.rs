//! Where the access token comes from, and where it is kept.

mod store;

use std::fmt;
use std::path::{Path, PathBuf};

pub use store::{AuthStatus, SignedOut};

use crate::config::{HubConfig, TokenFiles};
use crate::error::BadToken;
use crate::token::Token;

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
    fn from(text: &str, origin: TokenSource) -> Found {
        match Token::parse(text) {
            Ok(token) => Found {
                token: Some((token, origin)),
                bad: None,
            },
            Err(problem) => Found {
                token: None,
                bad: Some(BadToken { origin, problem }),
            },
        }
    }
}

/// Looks in the variables, then in the token file, then in the stored tokens. The first place that holds anything
/// decides, even when it holds nonsense: silently using another token than the one that was set would be worse.
pub(crate) fn find_token(var: &impl Fn(&str) -> Option<String>, files: &TokenFiles) -> Found {
    for name in VARIABLES {
        if let Some(text) = var(name) {
            return Found::from(&text, TokenSource::Variable(name));
        }
    }
    if var("HF_HUB_DISABLE_IMPLICIT_TOKEN")
        .is_some_and(|v| !matches!(v.as_str(), "0" | "off" | "no" | "false"))
    {
        return Found::default();
    }
    if let Some(text) = read_nonempty(&files.active) {
        return Found::from(&text, TokenSource::File(files.active.clone()));
    }
    if let Some((text, origin)) = store::only_stored(files) {
        return Found::from(&text, origin);
    }
    Found::default()
}

fn read_nonempty(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    (!text.trim().is_empty()).then_some(text)
}

impl HubConfig {
    /// Adds the token of `dir/.env`, if there is one, at its place in the order: behind the environment's variables and
    /// before the token files.
    pub fn with_dotenv(mut self, dir: &Path) -> HubConfig {
        let from_variable =
            |origin: &TokenSource| matches!(origin, TokenSource::Flag | TokenSource::Variable(_));
        let decided = self
            .token
            .as_ref()
            .is_some_and(|(_, origin)| from_variable(origin))
            || self
                .bad_token
                .as_ref()
                .is_some_and(|bad| from_variable(&bad.origin));
        if decided {
            return self;
        }
        let path = dir.join(".env");
        let Ok(text) = std::fs::read_to_string(&path) else {
            return self;
        };
        for key in VARIABLES {
            if let Some(value) = dotenv_value(&text, key).filter(|v| !v.is_empty()) {
                let found = Found::from(&value, TokenSource::DotEnv { path, key });
                self.token = found.token;
                self.bad_token = found.bad;
                return self;
            }
        }
        self
    }

    /// Uses this token, whatever else there is.
    ///
    /// # Errors
    /// [`BadToken`] when it cannot be one.
    pub fn with_token(mut self, text: &str) -> Result<HubConfig, BadToken> {
        let token = Token::parse(text).map_err(|problem| BadToken {
            origin: TokenSource::Flag,
            problem,
        })?;
        self.token = Some((token, TokenSource::Flag));
        self.bad_token = None;
        Ok(self)
    }
}

/// The value of `key` in a `.env` file; the last assignment counts.
fn dotenv_value(text: &str, key: &str) -> Option<String> {
    let value = text
        .trim_start_matches('\u{feff}')
        .lines()
        .rev()
        .find_map(|line| {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim())
        })?;
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return Some(inner.split(quote).next().unwrap_or(inner).to_owned());
        }
    }
    Some(value.split(" #").next().unwrap_or(value).trim().to_owned())
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
            let vars: Vec<(String, String)> = vars
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect();
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
        assert_eq!(
            origin(&config(&[])),
            TokenSource::File(dir.path().join("token"))
        );
        let both = [("HUGGINGFACE_TOKEN", A), ("HUGGING_FACE_HUB_TOKEN", B)];
        assert_eq!(
            origin(&config(&both)),
            TokenSource::Variable("HUGGINGFACE_TOKEN")
        );
        assert!(
            config(&[("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")])
                .token
                .is_none()
        );

        std::fs::write(
            dir.path().join(".env"),
            format!("# mine\nexport HUGGINGFACE_TOKEN=\"{B}\" # x\n"),
        )
        .unwrap();
        let with = config(&[]).with_dotenv(dir.path());
        assert_eq!(with.token.unwrap().0.reveal(), B);
        assert_eq!(
            origin(&config(&both).with_dotenv(dir.path())),
            TokenSource::Variable("HUGGINGFACE_TOKEN")
        );
        assert_eq!(
            origin(&config(&both).with_token(B).unwrap()),
            TokenSource::Flag
        );

        // A malformed token is reported, not skipped over.
        let bad = config(&[("HF_TOKEN", "hf_short")]).with_dotenv(dir.path());
        assert!(bad.token.is_none());
        assert_eq!(
            bad.bad_token.unwrap().origin,
            TokenSource::Variable("HF_TOKEN")
        );
    }
}
