//! The Hub client's settings, out of the effective configuration and the rest of the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use scaffold_hub::{BadToken, HubConfig, Token, TokenSource};

use super::{Config, Key, Source};
use crate::aliases::{self, Alias};

/// Builds the client's settings. What the configuration has decided is not looked up again;
/// everything else that the client knows (proxies, certificates, pip's index, time limits) comes
/// from `variable`.
pub(super) fn settings(
    config: &Config,
    token_name: Option<&'static str>,
    home: &Path,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> HubConfig {
    let plain = |name: &str| variable(name).and_then(|value| value.into_string().ok());
    let lookup = |name: &str| match Key::by_name(name) {
        Some(key) if name == key.name() => decided(config, key),
        Some(_) => None,
        None => plain(name),
    };
    let mut hub = HubConfig::from_vars(lookup, home);
    hub.aliases = aliases::all().iter().flat_map(Alias::spellings).collect();
    if let Some(token) = &config.token {
        let origin = origin(&token.source, token_name.unwrap_or(Key::Token.name()));
        match Token::parse(token.value.reveal()) {
            Ok(token) => (hub.token, hub.bad_token) = (Some((token, origin)), None),
            Err(problem) => (hub.token, hub.bad_token) = (None, Some(BadToken { origin, problem })),
        }
    }
    hub
}

/// The user's home.
pub(super) fn home(variable: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    variable("HOME").or_else(|| variable("USERPROFILE")).map_or_else(PathBuf::new, PathBuf::from)
}

/// The value of a key for the client, which reads text as if from a variable.
fn decided(config: &Config, key: Key) -> Option<String> {
    let path = |setting: &Option<super::Setting<PathBuf>>| {
        setting.as_ref().map(|setting| setting.value.display().to_string())
    };
    match key {
        Key::HubHome => path(&config.hub_home),
        Key::HubCache => path(&config.hub_cache),
        Key::PackageCache => path(&config.package_cache),
        Key::TokenPath => path(&config.token_path),
        Key::Offline => Some(config.offline.value.to_string()),
        Key::TokenOverHttp => Some(config.token_over_http.value.to_string()),
        Key::Endpoint => Some(config.endpoint.value.reveal().to_owned()),
        Key::Token => config.token.as_ref().map(|token| token.value.reveal().to_owned()),
        _ => None,
    }
}

fn origin(source: &Source, name: &'static str) -> TokenSource {
    match source {
        Source::Flag(_) | Source::Default => TokenSource::Flag,
        Source::Environment(_) => TokenSource::Variable(name),
        Source::File { path, .. } => TokenSource::DotEnv { path: path.clone(), key: name },
    }
}
