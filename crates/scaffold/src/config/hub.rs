//! The Hub client's settings, out of the effective configuration and the rest of the environment.

use std::path::PathBuf;

use scaffold_hub::{Given, HubConfig, Token, TokenSource};

use super::layers::Layers;
use super::{Config, Key, PlainPolicy, Setting, Source};
use crate::aliases::{self, Alias};

/// Builds the client's settings. What the configuration has decided is handed over; everything else
/// that the client knows (proxies, certificates, pip's index, time limits) comes from the
/// environment.
pub(super) fn settings(config: &Config, layers: &Layers<'_>) -> HubConfig {
    let path = |setting: &Option<Setting<PathBuf>>| Some(setting.as_ref()?.value.clone());
    let name = layers.name_of(Key::Token).unwrap_or(Key::Token.name());
    let given = Given {
        endpoint: Some(config.endpoint.value.clone()),
        hf_home: path(&config.hub_home),
        cache_dir: path(&config.hub_cache),
        packages: path(&config.package_cache),
        made: path(&config.made_models),
        token_path: path(&config.token_path),
        token: config.token.as_ref().map(|token| {
            let origin = origin(&token.source, name);
            (Token::parse(token.value.reveal(), &origin), origin)
        }),
        token_over_http: config.token_over_http.value == PlainPolicy::Send,
        offline: config.offline.value,
    };
    let mut hub = HubConfig::given(given, |name| layers.variable(name), layers.home());
    hub.aliases = aliases::all().iter().flat_map(Alias::spellings).collect();
    hub
}

fn origin(source: &Source, name: &'static str) -> TokenSource {
    match source {
        Source::Flag(_) | Source::Default => TokenSource::Flag,
        Source::Environment(_) => TokenSource::Variable(name),
        Source::File { path, .. } => TokenSource::DotEnv { path: path.clone(), key: name },
    }
}
