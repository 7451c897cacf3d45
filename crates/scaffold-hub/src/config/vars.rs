//! [`HubConfig`] from a set of variables, under the names that `huggingface_hub`, pip, OpenSSL and Ollama use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Certificates, HubConfig, Proxies, Timeouts, TokenFiles};
use crate::auth;
use crate::package::PipEnvironment;
use crate::retry::Retry;

/// The address of the Hub itself.
const HUB: &str = "https://huggingface.co";

impl HubConfig {
    /// Reads the variables that `huggingface_hub`, pip, OpenSSL and Ollama define, through `lookup`. A variable that is
    /// set to nothing counts as absent.
    ///
    /// The token is looked for in `HF_TOKEN`, `HUGGINGFACE_TOKEN` and `HUGGING_FACE_HUB_TOKEN`, then in Python's token
    /// file and stored tokens; [`HubConfig::with_dotenv`] adds a project's `.env` at its place in that order.
    pub fn from_vars(
        lookup: impl Fn(&str) -> Option<String>,
        home: impl Into<PathBuf>,
    ) -> HubConfig {
        let home: PathBuf = home.into();
        let var = |name: &str| {
            lookup(name)
                .map(|v| v.trim().to_owned())
                .filter(|v| !v.is_empty())
        };
        let any = |names: &[&str]| names.iter().find_map(|name| var(name));
        let path = |name: &str| var(name).map(|text| expand(&text, &home, &lookup));
        let flag = |name: &str| var(name).is_some_and(|v| is_true(&v));

        let xdg_cache = path("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let hf_home = path("HF_HOME").unwrap_or_else(|| xdg_cache.join("huggingface"));
        let cache_dir = path("HF_HUB_CACHE")
            .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
            .unwrap_or_else(|| hf_home.join("hub"));
        let token_files = TokenFiles {
            active: path("HF_TOKEN_PATH").unwrap_or_else(|| hf_home.join("token")),
            stored: hf_home.join("stored_tokens"),
        };
        let all_proxy = any(&["all_proxy", "ALL_PROXY"]);
        let proxies = Proxies {
            // The upper-case HTTP_PROXY is left out by curl because of CGI; Python and pip take it, so we do.
            http: any(&["http_proxy", "HTTP_PROXY"]).or_else(|| all_proxy.clone()),
            https: any(&["https_proxy", "HTTPS_PROXY"]).or(all_proxy),
            no_proxy: any(&["no_proxy", "NO_PROXY"]),
        };
        let certificates = Certificates {
            file: path("SSL_CERT_FILE"),
            dirs: var("SSL_CERT_DIR")
                .map(|dirs| split_paths(&dirs))
                .unwrap_or_default(),
        };
        let found = auth::find_token(&var, &token_files);
        let offline = flag("HF_HUB_OFFLINE") || flag("TRANSFORMERS_OFFLINE");
        let seconds = |name: &str| {
            var(name)
                .and_then(|v| v.parse().ok())
                .map(Duration::from_secs)
        };
        let mut timeouts = Timeouts::default();
        if let Some(stall) = seconds("HF_HUB_DOWNLOAD_TIMEOUT") {
            timeouts.stall = stall.max(Duration::from_secs(1));
        }
        if let Some(answer) = seconds("HF_HUB_ETAG_TIMEOUT") {
            timeouts.answer = answer.max(Duration::from_secs(1));
        }
        HubConfig {
            endpoint: any(&["HF_ENDPOINT"])
                .map_or_else(|| HUB.to_owned(), |e| e.trim_end_matches('/').to_owned()),
            cache_dir,
            packages_dir: path("SCAFFOLD_CACHE")
                .unwrap_or_else(|| xdg_cache.join("scaffold"))
                .join("packages"),
            token_files,
            token: found.token,
            bad_token: found.bad,
            offline,
            symlinks: !flag("HF_HUB_DISABLE_SYMLINKS"),
            proxies,
            certificates,
            timeouts,
            retry: Retry::default(),
            parallel_files: 4,
            parallel_ranges: 4,
            range_threshold: 64 << 20,
            pip: PipEnvironment::from_vars(&var, &home),
            ollama_dirs: ollama_dirs(path("OLLAMA_MODELS"), &home),
            aliases: Vec::new(),
            memory_budget: None,
            home,
        }
    }
}

fn ollama_dirs(configured: Option<PathBuf>, home: &Path) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = configured.into_iter().collect();
    dirs.push(home.join(".ollama").join("models"));
    if cfg!(unix) {
        dirs.push(PathBuf::from("/usr/share/ollama/.ollama/models"));
    }
    dirs
}

fn split_paths(text: &str) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { ';' } else { ':' };
    text.split(separator)
        .filter(|p| !p.is_empty())
        .map(PathBuf::from)
        .collect()
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"]
        .iter()
        .any(|t| value.eq_ignore_ascii_case(t))
}

/// Expands a leading `~` and every `$NAME` or `${NAME}` that is set, as `huggingface_hub` does.
fn expand(text: &str, home: &Path, lookup: &impl Fn(&str) -> Option<String>) -> PathBuf {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, behind) = match after.strip_prefix('{').and_then(|a| a.split_once('}')) {
            Some((name, behind)) => (name, behind),
            None => after.split_at(
                after
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(after.len()),
            ),
        };
        match lookup(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..rest.len() - behind.len()]),
        }
        rest = behind;
    }
    out.push_str(rest);
    match out.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(below) if below.starts_with(['/', '\\']) => home.join(&below[1..]),
        _ => PathBuf::from(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> HubConfig {
        let vars: Vec<(String, String)> = vars
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        HubConfig::from_vars(
            move |name| vars.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()),
            "/nobody",
        )
    }

    #[test]
    fn paths_follow_huggingface_hub() {
        let cache = |vars: &[(&str, &str)]| config(vars).cache_dir.to_string_lossy().into_owned();
        assert_eq!(cache(&[]), "/nobody/.cache/huggingface/hub");
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), "/x/huggingface/hub");
        assert_eq!(
            cache(&[("HF_HOME", "~/hf"), ("XDG_CACHE_HOME", "/x")]),
            "/nobody/hf/hub"
        );
        assert_eq!(
            cache(&[("HF_HUB_CACHE", "$D/c${E}"), ("D", "/d"), ("E", "e")]),
            "/d/ce"
        );
        assert_eq!(
            cache(&[("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HOME", " ")]),
            "/old"
        );
        assert_eq!(cache(&[("HF_HUB_CACHE", "/a/$UNSET/b")]), "/a/$UNSET/b");
        let c = config(&[
            ("HF_HOME", "/h"),
            ("HF_ENDPOINT", "https://mirror/"),
            ("HF_HUB_OFFLINE", "yes"),
        ]);
        assert_eq!(c.token_files.active, Path::new("/h/token"));
        assert_eq!((c.endpoint.as_str(), c.offline), ("https://mirror", true));
    }

    #[test]
    fn proxies_follow_curl_and_pip() {
        let c = config(&[
            ("ALL_PROXY", "http://all:1"),
            ("https_proxy", "http://u:secret@s:2"),
            ("NO_PROXY", "x"),
        ]);
        assert_eq!(c.proxies.http.as_deref(), Some("http://all:1"));
        assert_eq!(c.proxies.https.as_deref(), Some("http://u:secret@s:2"));
        assert!(!format!("{c:?}").contains("secret"));
    }
}
