//! The configuration as rows for people and programs. Secrets are masked here, once.

use super::{Config, Key, Setting, Source};

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which key.
    pub key: Key,
    /// Its value as text, masked if it is a secret; `None` where nothing is set and there is no default.
    pub value: Option<String>,
    /// Who set it.
    pub source: Source,
}

impl Config {
    /// Every key with its effective value, in the order of [`Key::all`].
    pub fn rows(&self) -> Vec<Row> {
        Key::all().map(|key| self.row(key)).collect()
    }

    fn row(&self, key: Key) -> Row {
        match key {
            Key::Model => set(key, &self.model),
            Key::MaxLength => set(key, &self.max_length),
            Key::Temperature => set(key, &self.temperature),
            Key::DoSample => set(key, &self.do_sample),
            Key::TopP => set(key, &self.top_p),
            Key::TopK => set(key, &self.top_k),
            Key::Device => set(key, &self.device),
            Key::TorchDtype => set(key, &self.torch_dtype),
            Key::UseFastTokenizer => set(key, &self.use_fast_tokenizer),
            Key::Token => perhaps(key, self.token.as_ref(), ToString::to_string),
            Key::Threads => auto(key, &self.threads),
            Key::Cpu => auto(key, &self.cpu),
            Key::Context => auto(key, &self.context),
            Key::KvType => set(key, &self.kv_type),
            Key::HubHome => perhaps(key, self.hub_home.as_ref(), |path| {
                path.display().to_string()
            }),
            Key::HubCache => perhaps(key, self.hub_cache.as_ref(), |path| {
                path.display().to_string()
            }),
            Key::TokenPath => perhaps(key, self.token_path.as_ref(), |path| {
                path.display().to_string()
            }),
            Key::Offline => set(key, &self.offline),
            Key::Endpoint => set(key, &self.endpoint),
        }
    }
}

fn set<T: std::fmt::Display>(key: Key, setting: &Setting<T>) -> Row {
    Row {
        key,
        value: Some(setting.value.to_string()),
        source: setting.source.clone(),
    }
}

fn auto<T: std::fmt::Display>(key: Key, setting: &Setting<Option<T>>) -> Row {
    let value = setting
        .value
        .as_ref()
        .map_or_else(|| "auto".to_owned(), ToString::to_string);
    Row {
        key,
        value: Some(value),
        source: setting.source.clone(),
    }
}

fn perhaps<T>(key: Key, setting: Option<&Setting<T>>, show: impl Fn(&T) -> String) -> Row {
    Row {
        key,
        value: setting.map(|setting| show(&setting.value)),
        source: setting.map_or(Source::Default, |setting| setting.source.clone()),
    }
}
