//! The configuration as rows for people and programs. Secrets are masked here, once.

use std::fmt::Display;

use serde_json::Value;

use super::{Config, Key, Setting, Source};

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
            Key::Token => perhaps(key, self.token.as_ref(), ToString::to_string),
            Key::Threads => auto(key, &self.threads, as_number),
            Key::Cpu => auto(key, &self.cpu, as_word),
            Key::Context => auto(key, &self.context, as_number),
            Key::KvType => word(key, &self.kv_type),
            Key::HubHome => perhaps(key, self.hub_home.as_ref(), |path| {
                path.display().to_string()
            }),
            Key::HubCache => perhaps(key, self.hub_cache.as_ref(), |path| {
                path.display().to_string()
            }),
            Key::PackageCache => perhaps(key, self.package_cache.as_ref(), |path| {
                path.display().to_string()
            }),
            Key::TokenPath => perhaps(key, self.token_path.as_ref(), |path| {
                path.display().to_string()
            }),
            Key::Offline => truth(key, &self.offline),
            Key::Endpoint => word(key, &self.endpoint),
        }
    }
}

fn row<T>(key: Key, setting: &Setting<T>, show: impl Fn(&T) -> Value) -> Row {
    Row {
        key,
        value: show(&setting.value),
        source: setting.source.clone(),
    }
}

fn as_word(value: &impl Display) -> Value {
    Value::String(value.to_string())
}

/// By way of text, so that 0.7 in single precision stays 0.7.
fn as_number(value: &impl Display) -> Value {
    value
        .to_string()
        .parse()
        .map_or_else(|_| as_word(value), Value::Number)
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
    row(key, setting, |value| {
        value.as_ref().map_or_else(|| as_word(&"auto"), &show)
    })
}

fn perhaps<T>(key: Key, setting: Option<&Setting<T>>, show: impl Fn(&T) -> String) -> Row {
    match setting {
        Some(setting) => row(key, setting, |value| Value::String(show(value))),
        None => Row {
            key,
            value: Value::Null,
            source: Source::Default,
        },
    }
}
