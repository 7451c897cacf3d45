//! [`HubConfig`] from a set of variables, under the names that `huggingface_hub`, pip, OpenSSL and
//! Ollama use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scaffold_error::{Error, err};

use super::pip::PipEnvironment;
use super::place::{absolute, below, beside};
use super::{Certificates, Given, HubConfig, Proxies, Timeouts};
use crate::retry::Retry;
use crate::text::is_true;
use crate::token::{Token, TokenFiles, TokenSource, find};

/// Variables that may hold a token, in the order they are looked at.
const TOKENS: [&str; 3] = ["HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN"];
/// Whether the token may go where anyone on the way can read it.
const TOKEN_OVER_HTTP: &str = "SCAFFOLD_TOKEN_OVER_HTTP";

impl HubConfig {
    /// Reads the variables that `huggingface_hub`, pip, OpenSSL and Ollama define, through
    /// `lookup`. A variable that is set to nothing counts as absent.
    ///
    /// The token is looked for in `HF_TOKEN`, `HUGGINGFACE_TOKEN` and `HUGGING_FACE_HUB_TOKEN`,
    /// then in Python's token file and stored tokens. Values that cannot be used are in
    /// [`HubConfig::problems`].
    pub fn from_vars(
        lookup: impl Fn(&str) -> Option<String>,
        home: impl Into<PathBuf>,
    ) -> HubConfig {
        let home = absolute(home);
        let mut vars = Vars::new(&lookup, &home);
        let given = Given {
            endpoint: vars.text("HF_ENDPOINT").map(|e| e.trim_end_matches('/').into()),
            hf_home: vars.path("HF_HOME"),
            cache_dir: vars.path("HF_HUB_CACHE").or_else(|| vars.path("HUGGINGFACE_HUB_CACHE")),
            packages: vars.path("SCAFFOLD_CACHE"),
            made: vars.path("SCAFFOLD_MODELS"),
            token_path: vars.path("HF_TOKEN_PATH"),
            token: TOKENS.iter().find_map(|name| {
                let origin = TokenSource::Variable(name);
                Some((Token::parse(&vars.text(name)?, &origin), origin))
            }),
            token_over_http: vars.token_over_http(),
            offline: vars.flag("HF_HUB_OFFLINE") || vars.flag("TRANSFORMERS_OFFLINE"),
        };
        let mut problems = vars.problems;
        let mut config = HubConfig::given(given, lookup, home);
        problems.append(&mut config.problems);
        HubConfig { problems, ..config }
    }

    /// Takes what is `given`, and from the variables what else `huggingface_hub`, pip, OpenSSL and
    /// Ollama would know: proxies, certificates, time limits, the package index, the token of
    /// Python's files where none is given.
    pub fn given(
        given: Given,
        lookup: impl Fn(&str) -> Option<String>,
        home: impl Into<PathBuf>,
    ) -> HubConfig {
        let home = absolute(home);
        let mut vars = Vars::new(&lookup, &home);
        let xdg_cache = vars.path("XDG_CACHE_HOME").unwrap_or_else(|| below(&home, ".cache"));
        let hf_home = given.hf_home.map_or_else(|| below(&xdg_cache, "huggingface"), absolute);
        let active = given.token_path.map_or_else(|| below(&hf_home, "token"), absolute);
        let token_files = TokenFiles { stored: beside(&active, "stored_tokens"), active };
        let ours = given.packages.map_or_else(|| below(&xdg_cache, "scaffold"), absolute);
        let xdg_data = vars.path("XDG_DATA_HOME").unwrap_or_else(|| below(&home, ".local/share"));
        let made_dir = given.made.map_or_else(|| below(&xdg_data, "scaffold/models"), absolute);
        let found = find::find_token(given.token, &|name| vars.text(name), &token_files);
        HubConfig {
            endpoint: given.endpoint.unwrap_or_default(),
            cache_dir: given.cache_dir.map_or_else(|| below(&hf_home, "hub"), absolute),
            hf_home,
            packages_dir: below(&ours, "packages"),
            made_dir,
            token_files,
            token: found.token,
            bad_token: found.bad,
            token_over_http: given.token_over_http,
            offline: given.offline,
            symlinks: !vars.flag("HF_HUB_DISABLE_SYMLINKS"),
            proxies: vars.proxies(),
            certificates: Certificates {
                file: vars.path("SSL_CERT_FILE"),
                dirs: vars.text("SSL_CERT_DIR").map(|dirs| split_paths(&dirs)).unwrap_or_default(),
            },
            timeouts: vars.timeouts(),
            retry: Retry::default(),
            parallel_files: 4,
            parallel_ranges: 4,
            range_threshold: 64 << 20,
            pip: PipEnvironment::from_vars(&|name| vars.text(name), &home),
            ollama_dirs: ollama_dirs(vars.path("OLLAMA_MODELS"), &home),
            aliases: Vec::new(),
            judge: None,
            problems: vars.problems,
            home: home.clone(),
        }
    }
}

/// The variables, and what was wrong with those that were read.
struct Vars<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    home: &'a Path,
    problems: Vec<Error>,
}

impl<'a> Vars<'a> {
    fn new(lookup: &'a dyn Fn(&str) -> Option<String>, home: &'a Path) -> Vars<'a> {
        Vars { lookup, home, problems: Vec::new() }
    }

    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    fn any(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(name))
    }

    fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|v| is_true(&v))
    }

    fn path(&mut self, name: &str) -> Option<PathBuf> {
        let text = self.text(name)?;
        expand_path(&text, self.home, self.lookup)
            .map(absolute)
            .map_err(|why| self.problem(name, &text, &why.to_string()))
            .ok()
    }

    /// As Python's `int()` reads it; 0 stands for the default there.
    fn seconds(&mut self, name: &str, default: Duration) -> Duration {
        match self.text(name).map(|text| (text.replace('_', "").parse(), text)) {
            None | Some((Ok(0), _)) => default,
            Some((Ok(seconds), _)) => Duration::from_secs(seconds),
            Some((Err(_), text)) => {
                self.problem(name, &text, "a whole number of seconds is accepted");
                default
            }
        }
    }

    fn timeouts(&mut self) -> Timeouts {
        let usual = Timeouts::default();
        Timeouts {
            stall: self.seconds("HF_HUB_DOWNLOAD_TIMEOUT", usual.stall),
            answer: self.seconds("HF_HUB_ETAG_TIMEOUT", usual.answer),
            ..usual
        }
    }

    /// The upper-case `HTTP_PROXY` is left out by curl because of CGI; Python and pip take it, so
    /// we do.
    fn proxies(&self) -> Proxies {
        Proxies {
            http: self.any(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: self.any(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            no_proxy: self.any(&["no_proxy", "NO_PROXY"]),
        }
    }

    fn token_over_http(&mut self) -> bool {
        let set = self.text(TOKEN_OVER_HTTP);
        if let Some(other) = set.as_deref().filter(|set| !matches!(*set, "send" | "refuse")) {
            self.problem(TOKEN_OVER_HTTP, other, "refuse and send are accepted");
        }
        set.as_deref() == Some("send")
    }

    fn problem(&mut self, name: &str, value: &str, why: &str) {
        let error = err!(Usage, "{name} does not take {value:?}: {why}").of_key(name);
        let remedy = format!("correct the environment variable {name}, or unset it");
        self.problems.push(error.remedy(remedy));
    }
}

fn ollama_dirs(configured: Option<PathBuf>, home: &Path) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = configured.into_iter().collect();
    if !home.as_os_str().is_empty() {
        dirs.push(home.join(".ollama").join("models"));
    }
    if cfg!(unix) {
        dirs.push(PathBuf::from("/usr/share/ollama/.ollama/models"));
    }
    dirs
}

fn split_paths(text: &str) -> Vec<PathBuf> {
    let separator = if cfg!(windows) { ';' } else { ':' };
    text.split(separator).filter(|p| !p.is_empty()).map(PathBuf::from).collect()
}

/// Bytes of a path: what Windows takes, which is more than others do.
const LONGEST_PATH: usize = 32_767;

/// Why a path with variables in it is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// There is no such variable.
    #[error("there is no variable {0}")]
    Unset(String),
    /// It starts with `~`, and the user has no home directory.
    #[error("there is no home directory that ~ could stand for")]
    NoHome,
    /// With its variables put in, it is longer than a path can be.
    #[error(
        "with its variables put in, it is longer than the {LONGEST_PATH} bytes that a path can have"
    )]
    TooLong,
}

/// Expands a leading `~` and every `$NAME` or `${NAME}`, as `huggingface_hub` does.
///
/// # Errors
/// There is no home, a variable is not set (`huggingface_hub` leaves such a name as it is, and a directory that is
/// called `${NAME}` is made), or what comes out is longer than any path: each name in a long text
/// can stand for another long text.
pub fn expand_path(
    text: &str,
    home: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<PathBuf, PathProblem> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, tail) = match after.strip_prefix('{').and_then(|a| a.split_once('}')) {
            Some((name, tail)) => (name, tail),
            None => after.split_at(
                after
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(after.len()),
            ),
        };
        if name.is_empty() {
            out.push_str(&rest[at..rest.len() - tail.len()]);
        } else {
            out.push_str(&lookup(name).ok_or_else(|| PathProblem::Unset(name.to_owned()))?);
        }
        if out.len() > LONGEST_PATH {
            return Err(PathProblem::TooLong);
        }
        rest = tail;
    }
    out.push_str(rest);
    match out.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
            if home.as_os_str().is_empty() {
                return Err(PathProblem::NoHome);
            }
            Ok(rest.get(1..).map_or_else(|| home.to_owned(), |below| home.join(below)))
        }
        _ => Ok(PathBuf::from(out)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> HubConfig {
        let vars: Vec<(String, String)> =
            vars.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        HubConfig::from_vars(
            move |name| vars.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()),
            "/nobody",
        )
    }

    #[test]
    fn a_path_of_paths_ends() {
        let long = |_: &str| Some("$A".repeat(10_000));
        for text in ["$A", "/a/$A$A$A/b", &"$A".repeat(1_000)] {
            let found = expand_path(text, Path::new("/nobody"), &long);
            assert_eq!(found.is_ok(), text == "$A", "{text}");
        }
        let problem = expand_path("$A$A", Path::new("/nobody"), &long).unwrap_err();
        assert!(problem.to_string().contains("32767"), "{problem}");
    }

    #[test]
    fn paths_follow_huggingface_hub() {
        let cache = |vars: &[(&str, &str)]| config(vars).cache_dir.to_string_lossy().into_owned();
        assert_eq!(cache(&[]), "/nobody/.cache/huggingface/hub");
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), "/x/huggingface/hub");
        assert_eq!(cache(&[("HF_HOME", "~/hf"), ("XDG_CACHE_HOME", "/x")]), "/nobody/hf/hub");
        assert_eq!(cache(&[("HF_HUB_CACHE", "$D/c${E}"), ("D", "/d"), ("E", "e")]), "/d/ce");
        assert_eq!(cache(&[("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HOME", " ")]), "/old");
        assert_eq!(cache(&[("HF_HUB_CACHE", "/a/$/b")]), "/a/$/b");
        let c = config(&[
            ("HF_HOME", "/h"),
            ("HF_ENDPOINT", "https://mirror/"),
            ("HF_HUB_OFFLINE", "yes"),
        ]);
        assert_eq!(c.token_files.active, Path::new("/h/token"));
        assert_eq!((c.endpoint.reveal(), c.offline), ("https://mirror", true));
        let c = config(&[("HF_TOKEN_PATH", "/t/mine"), ("HF_HOME", "/h")]);
        assert_eq!(c.token_files.stored, Path::new("/t/stored_tokens"));
    }

    #[test]
    fn switches_are_read_as_python_reads_them() {
        let c = |value| config(&[("HF_HUB_DISABLE_SYMLINKS", value)]);
        for yes in ["1", "on", "YES", "True"] {
            assert!(!c(yes).symlinks, "{yes}");
        }
        for no in ["0", "False", "n", "2", "anything"] {
            assert!(c(no).symlinks, "{no}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let problems = |name, value| config(&[(name, value)]).problems;
        for (name, value) in [
            ("HF_HUB_DOWNLOAD_TIMEOUT", "abc"),
            ("HF_HUB_DOWNLOAD_TIMEOUT", "10.5"),
            ("HF_HUB_ETAG_TIMEOUT", "-1"),
            ("HF_HOME", "/a/$UNSET/b"),
            ("SSL_CERT_FILE", "${UNSET}/c.pem"),
        ] {
            let found = problems(name, value);
            assert_eq!(found.len(), 1, "{name}={value}");
            let text = found[0].to_string();
            assert!(text.contains(name) && text.contains(value), "{text}");
        }
        for value in ["30", " 30 ", "0", "1_0"] {
            assert!(problems("HF_HUB_DOWNLOAD_TIMEOUT", value).is_empty());
        }
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
