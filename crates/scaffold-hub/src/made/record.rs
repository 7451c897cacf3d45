//! The file of a model of one's own.

use std::collections::BTreeMap;

use scaffold_error::{Error, err};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::name::{MadeName, is_device, is_safe_path};

/// The version of the file that this program writes and reads.
const VERSION: u64 = 1;

/// No such file is longer: system prompts, licences and examples are texts.
pub(super) const LARGEST: u64 = 16 << 20;

/// Files of one model, at most.
const MOST_FILES: usize = 1024;

/// A model of one's own: what it is made from, and what is said over it. What the texts and
/// parameters mean is not known here.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeModel {
    /// What it is called.
    pub name: MadeName,
    /// What it is made from.
    pub base: Base,
    /// The chat template, in place of the base's.
    pub template: Option<String>,
    /// The system prompt where a chat has none.
    pub system: Option<String>,
    /// Parameters by name: a number, a switch, a text or a list of texts each.
    pub parameters: Map<String, Value>,
    /// What every chat begins with.
    pub messages: Vec<MadeMessage>,
    /// The texts of licences.
    pub licences: Vec<String>,
    /// When it was made first, in seconds since 1970.
    pub created: u64,
    /// When it was last made anew, in seconds since 1970.
    pub modified: u64,
}

/// What a model of one's own is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A model by its name in full form: a repository, a path, a model of Ollama's.
    From(String),
    /// Files by name, each of which is a blob (`sha256:…`) of the store.
    Files(BTreeMap<String, String>),
}

/// A message that chats begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeMessage {
    /// Who says it: `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// The file, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    parameters: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<MadeMessage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    licences: Vec<String>,
    created: u64,
    modified: u64,
}

/// The version alone, which decides whether the rest is understood.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

/// Reads a model's file.
pub(crate) fn parse(bytes: &[u8]) -> Result<MadeModel, Error> {
    let damaged = |why: &dyn std::fmt::Display| err!(Damaged, "it is no model's: {why}");
    let head: Head = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
    if head.version != VERSION {
        let version = head.version;
        return Err(err!(
            Unsupported,
            "it has version {version}, and this program knows version {VERSION}: another Scaffold wrote it"
        ));
    }
    let file: File = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
    let base = match (file.from, file.files) {
        (Some(from), files) if files.is_empty() => Base::From(from),
        (None, files) if !files.is_empty() => Base::Files(files),
        _ => return Err(damaged(&"it is made from neither a model nor files, or from both")),
    };
    let model = MadeModel {
        name: MadeName::parse(&file.name)?,
        base,
        template: file.template,
        system: file.system,
        parameters: file.parameters,
        messages: file.messages,
        licences: file.licences,
        created: file.created,
        modified: file.modified,
    };
    model.base.check()?;
    Ok(model)
}

/// The file of a model, for the fuzz target.
#[cfg(feature = "packages")]
pub(crate) fn written(model: &MadeModel) -> Result<Vec<u8>, Error> {
    model.to_bytes()
}

impl MadeModel {
    /// A model that is made from this and says nothing over it.
    pub fn new(name: MadeName, base: Base) -> Self {
        Self {
            name,
            base,
            template: None,
            system: None,
            parameters: Map::new(),
            messages: Vec::new(),
            licences: Vec::new(),
            created: 0,
            modified: 0,
        }
    }

    /// Its file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let (from, files) = match &self.base {
            Base::From(name) => (Some(name.clone()), BTreeMap::new()),
            Base::Files(files) => (None, files.clone()),
        };
        let file = File {
            version: VERSION,
            name: self.name.to_string(),
            from,
            files,
            template: self.template.clone(),
            system: self.system.clone(),
            parameters: self.parameters.clone(),
            messages: self.messages.clone(),
            licences: self.licences.clone(),
            created: self.created,
            modified: self.modified,
        };
        let mut bytes = serde_json::to_vec_pretty(&file)
            .map_err(|error| err!(Internal, "{} could not be written down: {error}", self.name))?;
        bytes.push(b'\n');
        if bytes.len() as u64 > LARGEST {
            return Err(err!(
                TooLarge,
                "what is said of {} takes {} bytes, and {LARGEST} are accepted: make its texts shorter",
                self.name,
                bytes.len()
            ));
        }
        Ok(bytes)
    }

    /// The blobs that it needs.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Digest> + '_ {
        let files = match &self.base {
            Base::From(_) => None,
            Base::Files(files) => Some(files.values()),
        };
        files.into_iter().flatten().filter_map(|digest| blob(digest))
    }
}

impl Base {
    /// Whether its files have names and digests that a store can have.
    ///
    /// # Errors
    /// The file that has not.
    pub fn check(&self) -> Result<(), Error> {
        let Base::Files(files) = self else {
            return Ok(());
        };
        if files.len() > MOST_FILES {
            let count = files.len();
            return Err(err!(TooLarge, "it has {count} files, and {MOST_FILES} are accepted"));
        }
        for (name, digest) in files {
            let plain = is_safe_path(name)
                && name.split('/').all(|part| !is_device(part) && !part.ends_with(['.', ' ']));
            if !plain {
                return Err(err!(
                    Usage,
                    "{name:?} is no name that a model's file may have: a plain path below the model is accepted"
                )
                .of_key("files"));
            }
            if blob(digest).is_none() {
                return Err(err!(
                    Usage,
                    "{digest:?} is no digest: sha256: and 64 hexadecimal digits are accepted"
                )
                .of_key("files"));
            }
        }
        // On a file system that knows no case they would be one file, and a file no directory.
        let lower: Vec<String> = files.keys().map(|name| name.to_lowercase()).collect();
        let is_clash = |a: &String, b: &String| {
            a == b || b.strip_prefix(a.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        for (at, name) in lower.iter().enumerate() {
            if lower.iter().enumerate().any(|(other, b)| other != at && is_clash(name, b)) {
                return Err(
                    err!(Usage, "two of its files cannot both be called {name:?}").of_key("files")
                );
            }
        }
        Ok(())
    }
}

/// `sha256:…` with 64 digits.
pub(crate) fn blob(digest: &str) -> Option<Digest> {
    let digest = Digest::parse(digest.strip_prefix("sha256:")?)?;
    matches!(digest, Digest::Sha256(_)).then_some(digest)
}
