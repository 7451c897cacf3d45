//! `tokenizer_config.json` and its companions.

use crate::added::{AddedToken, JsonAddedToken};
use crate::json::LARGEST_ID;
use crate::special::SpecialTokens;
use crate::unusable::{damaged, unusable};
use scaffold_error::{Error, Kind};
use serde_json::{Map, Value};
use std::path::Path;

/// The special tokens that have roles, in the order in which they are added to a vocabulary.
pub(crate) const ROLES: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// A token that a configuration names: its text, and what it says about its matching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) content: String,
    pub(crate) single_word: bool,
    pub(crate) lstrip: bool,
    pub(crate) rstrip: bool,
    /// A control token is looked for in the text as it is, unless this says otherwise.
    pub(crate) normalized: Option<bool>,
    /// Nothing where only the text is given, which means a control token.
    pub(crate) special: Option<bool>,
}

impl Named {
    pub(crate) fn new(content: impl Into<String>) -> Self {
        Named { content: content.into(), ..Named::default() }
    }

    /// Takes the spaces before it with it.
    pub(crate) fn lstrip(content: impl Into<String>) -> Self {
        Named { lstrip: true, special: Some(false), ..Named::new(content) }
    }

    fn from_value(value: &Value) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return Some(Named::new(text));
        }
        let flag = |name: &str| value[name].as_bool();
        Some(Named {
            content: value["content"].as_str()?.to_owned(),
            single_word: flag("single_word").unwrap_or(false),
            lstrip: flag("lstrip").unwrap_or(false),
            rstrip: flag("rstrip").unwrap_or(false),
            normalized: flag("normalized"),
            special: Some(flag("special").unwrap_or(false)),
        })
    }

    fn of(token: &AddedToken) -> Self {
        Named {
            content: token.content.clone(),
            single_word: token.single_word,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            normalized: Some(token.normalized),
            special: Some(token.special),
        }
    }

    /// Whether two names stand for the same token with the same manners.
    pub(crate) fn is_same(&self, other: &Named) -> bool {
        self.special.is_none() == other.special.is_none() && self.token(false) == other.token(false)
    }

    /// The token to add, a control token where the name has a role (`special`).
    pub(crate) fn token(&self, special: bool) -> AddedToken {
        let special = special || self.special.unwrap_or(true);
        AddedToken {
            id: 0,
            content: self.content.clone(),
            single_word: self.single_word,
            lstrip: self.lstrip,
            rstrip: self.rstrip,
            normalized: self.normalized.unwrap_or(!special),
            special,
        }
    }
}

/// What the configuration files say about the tokenizer.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenizerConfig {
    /// The settings of the tokenizer's class.
    pub(crate) settings: Map<String, Value>,
    /// The special tokens by their roles, then further ones by their keys.
    pub(crate) named: Vec<(String, Named)>,
    /// Special tokens without a role, where the files list any.
    pub(crate) extra: Option<Vec<Named>>,
    /// The same by their older name, where the newer one is not used.
    pub(crate) additional: Option<Vec<Named>>,
    /// Added tokens with their ids.
    pub(crate) added_tokens: Vec<AddedToken>,
    /// Whether `tokenizer_config.json` lists its added tokens; else other files may.
    lists_tokens: bool,
    pub(crate) tokenizer_class: Option<String>,
    /// `config.json`: the model's type, and the tokenizer's class where it names one.
    pub(crate) model_type: Option<String>,
    pub(crate) model_class: Option<String>,
}

/// Reads a JSON object, or nothing where the file does not exist.
pub(crate) fn read_object(path: &Path) -> Result<Option<Map<String, Value>>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::io("read", path)(error));
        }
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        damaged(path, format!("it is not a JSON object: {error}")).at_line(error.line())
    })
}

/// An id from a file, if any vocabulary could have it.
fn checked_id(id: u64, token: &str, path: &Path) -> Result<u32, Error> {
    match u32::try_from(id) {
        Ok(id) if id <= LARGEST_ID => Ok(id),
        _ => Err(unusable(
            Kind::Damaged,
            path,
            format!("the added token {token:?} has the id {id}, beyond any vocabulary"),
            "Download the file again, or mend that id",
        )),
    }
}

fn string(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

impl TokenizerConfig {
    /// Reads `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and of
    /// `config.json` the model's type, each if it is there.
    pub(crate) fn from_dir(dir: &Path) -> Result<Self, Error> {
        Self::from_objects(dir, read_object)
    }

    /// The same of files that `read` gives, if they are there.
    pub(crate) fn from_objects(
        dir: &Path,
        read: impl Fn(&Path) -> Result<Option<Map<String, Value>>, Error>,
    ) -> Result<Self, Error> {
        let mut config = TokenizerConfig::default();
        let path = dir.join("tokenizer_config.json");
        config.lists_tokens = if let Some(object) = read(&path)? {
            config.tokenizer_class = string(&object, "tokenizer_class");
            config.settings = object;
            config.read_decoder(&path)?
        } else {
            false
        };
        config.settle_extra();
        if !config.lists_tokens {
            if let Some(object) = read(&dir.join("special_tokens_map.json"))? {
                config.settings.extend(object);
            }
            config.read_names();
            let path = dir.join("added_tokens.json");
            if let Some(object) = read(&path)? {
                config.read_added(object, &path)?;
            }
        }
        config.read_names();
        if let Some(object) = read(&dir.join("config.json"))? {
            config.model_type = string(&object, "model_type");
            config.model_class = string(&object, "tokenizer_class");
        }
        Ok(config)
    }

    /// Whether a setting is on.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.settings.get(name).and_then(Value::as_bool)
    }

    /// The token of a role (`cls`), by its text.
    pub(crate) fn role(&self, role: &str) -> Option<&str> {
        let wanted = |name: &str| name.strip_suffix("_token") == Some(role);
        let (_, token) = self.named.iter().find(|(name, _)| wanted(name))?;
        Some(&token.content)
    }

    /// Gives the roles of a class their tokens, where the settings say nothing.
    pub(crate) fn complete(&mut self, defaults: &[(&str, Named)]) {
        for (name, token) in defaults {
            if self.settings.contains_key(*name) || self.named.iter().any(|(n, _)| n == name) {
                continue;
            }
            let order = |name: &str| ROLES.iter().position(|role| *role == name);
            let place = match order(name) {
                Some(rank) => self
                    .named
                    .iter()
                    .position(|(other, _)| order(other).is_none_or(|other| other > rank)),
                None => None,
            };
            let place = place.unwrap_or(self.named.len());
            self.named.insert(place, ((*name).to_owned(), token.clone()));
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.settings.get(name).and_then(Value::as_u64)
    }

    pub(crate) fn string(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(Value::as_str)
    }

    /// The special tokens by their roles, as templates see them.
    pub(crate) fn special(&self) -> SpecialTokens {
        let mut special = SpecialTokens::default();
        for (name, token) in &self.named {
            special.set(name, &token.content);
        }
        special
    }

    /// Takes over the added tokens of `tokenizer.json` where the configuration lists none.
    pub(crate) fn list_tokens(&mut self, tokens: &[AddedToken]) {
        if self.lists_tokens {
            return;
        }
        self.added_tokens.retain(|known| !tokens.iter().any(|token| token.id == known.id));
        self.added_tokens.extend_from_slice(tokens);
        self.added_tokens.sort_by_key(|token| token.id);
        self.read_names();
    }

    /// Reads `added_tokens_decoder`; whether there is one.
    fn read_decoder(&mut self, path: &Path) -> Result<bool, Error> {
        let Some(Value::Object(tokens)) = self.settings.remove("added_tokens_decoder") else {
            return Ok(false);
        };
        for (id, token) in tokens {
            let parsed: Result<JsonAddedToken, _> = serde_json::from_value(token);
            let (Ok(id), Ok(mut token)) = (id.parse(), parsed) else {
                return Err(damaged(
                    path,
                    format!("`added_tokens_decoder` has an entry {id:?} that is no token"),
                ));
            };
            token.id = checked_id(id, &token.content, path)?;
            self.added_tokens.push(token.into_token());
        }
        self.added_tokens.sort_by_key(|token| token.id);
        Ok(true)
    }

    fn read_added(&mut self, object: Map<String, Value>, path: &Path) -> Result<(), Error> {
        for (content, id) in object {
            let Some(id) = id.as_u64() else { continue };
            let id = checked_id(id, &content, path)?;
            let special = self.named.iter().any(|(_, token)| token.content == content)
                || self.extra.iter().flatten().any(|t| t.content == content);
            self.added_tokens.push(AddedToken {
                id,
                content,
                normalized: !special,
                special,
                ..AddedToken::default()
            });
        }
        self.added_tokens.sort_by_key(|token| token.id);
        Ok(())
    }

    /// `additional_special_tokens` is the older name of `extra_special_tokens`.
    fn settle_extra(&mut self) {
        let empty = |value: Option<&Value>| match value {
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(items)) => items.is_empty(),
            _ => true,
        };
        if empty(self.settings.get("extra_special_tokens"))
            && let Some(older) = self.settings.remove("additional_special_tokens")
        {
            self.settings.insert("extra_special_tokens".to_owned(), older);
        }
    }

    /// Finds the tokens that the settings name.
    fn read_names(&mut self) {
        let named = |value: &Value| {
            let token = Named::from_value(value)?;
            let listed = self.added_tokens.iter().find(|a| a.content == token.content);
            Some(listed.map_or(token, Named::of))
        };
        let plain = |value: &Value| Named::from_value(value);
        let mut names: Vec<(String, Named)> = ROLES
            .iter()
            .filter_map(|&role| {
                let token = named(self.settings.get(role)?)?;
                Some((role.to_owned(), token))
            })
            .collect();
        let further = |name: &str| {
            name.ends_with("_token") && !name.starts_with("add_") && !ROLES.contains(&name)
        };
        for (name, value) in self.settings.iter().filter(|(name, _)| further(name)) {
            names.extend(plain(value).map(|token| (name.clone(), token)));
        }
        if let Some(Value::Object(tokens)) = self.settings.get("extra_special_tokens") {
            for (name, value) in tokens {
                names.extend(plain(value).map(|token| (name.clone(), token)));
            }
        }
        let list = |key: &str| match self.settings.get(key) {
            Some(Value::Array(items)) => Some(items.iter().filter_map(plain).collect()),
            _ => None,
        };
        self.extra = list("extra_special_tokens");
        self.additional = list("additional_special_tokens");
        self.named = names;
    }
}
