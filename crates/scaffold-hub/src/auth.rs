//! Signing in and out: the token files that are shared with Python.

use std::fs;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, Remedy, err};

use crate::disk::write_secret;
use crate::hub::Hub;
use crate::token::file::read_file;
use crate::token::stored::{StoredToken, parse_stored, read_stored};
use crate::token::{Token, TokenFiles, TokenSource};
use crate::whoami::WhoAmI;

/// What signing out removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOut {
    /// Files that were removed or rewritten.
    pub changed: Vec<PathBuf>,
    /// Names of stored tokens that are still there.
    pub remaining: Vec<String>,
    /// A token that these files do not hold and that therefore stays in force.
    pub still_in_force: Option<TokenSource>,
}

/// What is known of the token without asking the Hub.
#[derive(Debug, Clone)]
pub struct AuthStatus {
    /// Where the token in force comes from.
    pub source: Option<TokenSource>,
    /// A text that was found in its place and cannot be a token.
    pub bad: Option<Error>,
    /// Names of the stored tokens.
    pub stored: Vec<String>,
    /// The file that `login` writes.
    pub file: PathBuf,
}

impl Hub {
    /// Asks the Hub whose token is in force, and what it may do.
    ///
    /// # Errors
    /// There is no token, or the Hub does not accept it: a [`Refusal`](crate::Refusal).
    pub fn whoami(&self) -> Result<WhoAmI, Error> {
        let token = self.token()?.ok_or_else(not_signed_in)?.clone();
        self.whoami_of(&token)
    }

    fn whoami_of(&self, token: &Token) -> Result<WhoAmI, Error> {
        if self.config.offline {
            return Err(err!(
                Unavailable,
                "the Hub cannot be asked about the token, because offline mode is on"
            )
            .remedy(Remedy::GoOnline));
        }
        self.ask_whoami(token)?.ok_or_else(|| self.token_rejected())
    }

    /// Stores a token where Python finds it, too, after the Hub has said that it knows it. The
    /// files are readable by their owner alone.
    ///
    /// # Errors
    /// As [`Hub::whoami`], and when the files cannot be written. Nothing is stored then.
    pub fn login(&self, token: &Token) -> Result<WhoAmI, Error> {
        self.config.token_file()?;
        let who = self.whoami_of(token)?;
        let name = who.token_name.clone().unwrap_or_else(|| who.name.clone());
        store(&self.config.token_files, token, &section_name(&name))?;
        Ok(who)
    }

    /// Removes the stored tokens: the one in use and all others, or with `name` that one alone (as
    /// `hf auth logout`).
    ///
    /// # Errors
    /// There is none of that name, or the files cannot be written.
    pub fn logout(&self, name: Option<&str>) -> Result<SignedOut, Error> {
        self.config.token_file()?;
        let mut out = forget(&self.config.token_files, name)?;
        out.still_in_force = match self.token_source() {
            Some(source @ (TokenSource::Variable(_) | TokenSource::DotEnv { .. })) => {
                Some(source.clone())
            }
            _ => None,
        };
        Ok(out)
    }

    /// What is known of the token without asking the Hub.
    pub fn auth_status(&self) -> AuthStatus {
        AuthStatus {
            source: self.token_source().cloned(),
            bad: self.config.bad_token.clone(),
            stored: read_stored(&self.config.token_files.stored)
                .into_iter()
                .map(|e| e.name)
                .collect(),
            file: self.config.token_files.active.clone(),
        }
    }
}

/// A question that only a signed-in user can ask.
fn not_signed_in() -> Error {
    err!(Unavailable, "no access token was found, so nobody is signed in")
        .steps(["make a token at https://huggingface.co/settings/tokens".into(), Remedy::Login])
}

fn store(files: &TokenFiles, token: &Token, name: &str) -> Result<(), Error> {
    let mut entries = stored_to_change(&files.stored)?;
    entries.retain(|e| e.name != name);
    entries.push(StoredToken {
        name: name.to_owned(),
        fields: vec![("hf_token".into(), token.reveal().to_owned())],
    });
    write_stored(&files.stored, &mut entries)?;
    write_secret(&files.active, token.reveal().as_bytes())
}

fn forget(files: &TokenFiles, name: Option<&str>) -> Result<SignedOut, Error> {
    let mut entries = stored_to_change(&files.stored)?;
    let active = read_file(&files.active).ok().map(|text| text.trim().to_owned());
    let remove_active = match name {
        // Also one that cannot be read.
        None => files.active.is_file(),
        Some(name) => {
            let stored: Vec<String> = entries.iter().map(|e| e.name.clone()).collect();
            let Some(entry) = entries.iter().find(|e| e.name == name) else {
                let stored = match stored.as_slice() {
                    [] => "; none is stored".to_owned(),
                    stored => format!(". Stored are: {}", stored.join(", ")),
                };
                return Err(err!(NotFound, "there is no stored token `{name}`{stored}"));
            };
            files.active.is_file() && entry.token() == active.as_deref()
        }
    };
    let before = entries.len();
    entries.retain(|e| name.is_some_and(|name| e.name != name));
    let mut changed = Vec::new();
    if remove_active {
        remove(&files.active, &mut changed)?;
    }
    if entries.is_empty() && files.stored.exists() {
        remove(&files.stored, &mut changed)?;
    } else if entries.len() != before {
        write_stored(&files.stored, &mut entries)?;
        changed.push(files.stored.clone());
    }
    Ok(SignedOut {
        changed,
        remaining: entries.into_iter().map(|e| e.name).collect(),
        still_in_force: None,
    })
}

fn remove(path: &Path, changed: &mut Vec<PathBuf>) -> Result<(), Error> {
    fs::remove_file(path).map_err(Error::io("remove", path))?;
    changed.push(path.to_owned());
    Ok(())
}

/// An INI section's name cannot hold everything that a display name can.
fn section_name(name: &str) -> String {
    let plain: String =
        name.chars().filter(|c| !c.is_control() && !matches!(c, '[' | ']')).collect();
    if plain.trim().is_empty() || plain == "DEFAULT" {
        "scaffold".to_owned()
    } else {
        plain.trim().to_owned()
    }
}

/// As [`read_stored`], for those who write what they have read: entries that cannot be read must
/// not be lost.
fn stored_to_change(path: &Path) -> Result<Vec<StoredToken>, Error> {
    Ok(parse_stored(&read_file(path)?))
}

fn write_stored(path: &Path, entries: &mut [StoredToken]) -> Result<(), Error> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut text = String::new();
    for entry in entries.iter() {
        text.push_str(&["[", &entry.name, "]\n"].concat());
        for (key, value) in &entry.fields {
            text.push_str(&[key, " = ", value, "\n"].concat());
        }
        text.push('\n');
    }
    write_secret(path, text.as_bytes())
}
