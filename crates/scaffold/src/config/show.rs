//! The configuration as rows for people and programs. Secrets are masked here, once.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use scaffold_hub::TokenSource;
use serde_json::Value;

use super::{Config, Key, Secret, Setting, Source};

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which key.
    pub key: Key,
    /// Its value, masked if it is a secret; null where nothing is set and there is no default.
    pub value: Value,
    /// Who set it.
    pub source: Source,
}

impl Row {
    /// The value as text; empty where there is none.
    pub fn text(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

impl Config {
    /// Every key with its effective value, in the order of [`Key::all`].
    pub fn rows(&self) -> Vec<Row> {
        Key::all().map(|key| self.row(key)).collect()
    }

    fn row(&self, key: Key) -> Row {
        match key {
            Key::Model => word(key, &self.model),
            Key::MaxLength => number(key, &self.max_length),
            Key::Temperature => number(key, &self.temperature),
            Key::DoSample => truth(key, &self.do_sample),
            Key::TopP => number(key, &self.top_p),
            Key::TopK => number(key, &self.top_k),
            Key::Device => word(key, &self.device),
            Key::TorchDtype => word(key, &self.torch_dtype),
            Key::UseFastTokenizer => truth(key, &self.use_fast_tokenizer),
            Key::Token => self.token_row(),
            Key::Threads => auto(key, &self.threads, as_number),
            Key::Cpu => auto(key, &self.cpu, as_word),
            Key::Context => auto(key, &self.context, as_number),
            Key::KvType => word(key, &self.kv_type),
            Key::PackedCache => word(key, &self.packed_cache),
            Key::UnknownKeys => word(key, &self.unknown_keys),
            Key::HubHome => path(key, self.hub_home.as_ref(), Some(&self.hub.hf_home)),
            Key::HubCache => path(key, self.hub_cache.as_ref(), Some(&self.hub.cache_dir)),
            Key::PackageCache => {
                path(key, self.package_cache.as_ref(), self.hub.packages_dir.parent())
            }
            Key::TokenPath => {
                path(key, self.token_path.as_ref(), Some(&self.hub.token_files.active))
            }
            Key::Offline => truth(key, &self.offline),
            Key::Endpoint => word(key, &self.endpoint),
            Key::TokenOverHttp => word(key, &self.token_over_http),
        }
    }

    /// The token that is sent: one that was set, or the one in Python's token file.
    fn token_row(&self) -> Row {
        let key = Key::Token;
        if let Some(token) = &self.token {
            return word(key, token);
        }
        match &self.hub.token {
            Some((token, TokenSource::File(path))) => Row {
                key,
                value: as_word(&Secret::new(token.reveal())),
                source: Source::File { path: path.clone(), line: 1 },
            },
            _ => Row { key, value: Value::Null, source: Source::Default },
        }
    }
}

fn row<T>(key: Key, setting: &Setting<T>, show: impl Fn(&T) -> Value) -> Row {
    Row { key, value: show(&setting.value), source: setting.source.clone() }
}

fn as_word(value: &impl Display) -> Value {
    Value::String(value.to_string())
}

/// By way of text, so that 0.7 in single precision stays 0.7.
fn as_number(value: &impl Display) -> Value {
    value.to_string().parse().map_or_else(|_| as_word(value), Value::Number)
}

fn word<T: Display>(key: Key, setting: &Setting<T>) -> Row {
    row(key, setting, as_word)
}

fn number<T: Display>(key: Key, setting: &Setting<T>) -> Row {
    row(key, setting, as_number)
}

fn truth(key: Key, setting: &Setting<bool>) -> Row {
    row(key, setting, |&value| Value::Bool(value))
}

fn auto<T>(key: Key, setting: &Setting<Option<T>>, show: impl Fn(&T) -> Value) -> Row {
    row(key, setting, |value| value.as_ref().map_or_else(|| as_word(&"auto"), &show))
}

/// A path that is set, or the one that it comes to.
fn path(key: Key, setting: Option<&Setting<PathBuf>>, otherwise: Option<&Path>) -> Row {
    let source = setting.map_or(Source::Default, |setting| setting.source.clone());
    let value = otherwise.map_or(Value::Null, |path| Value::String(path.display().to_string()));
    Row { key, value, source }
}
