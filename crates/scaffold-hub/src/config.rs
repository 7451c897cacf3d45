//! Everything that the Hub client is told from outside.

mod given;
mod pip;
mod place;
mod vars;

use std::path::PathBuf;
use std::time::Duration;

pub use given::Given;
pub(crate) use pip::IndexSettings;
pub use pip::PipEnvironment;
pub use vars::{PathProblem, expand_path};

use scaffold_error::Error;

use crate::address::Address;
use crate::fit::Judge;
use crate::retry::Retry;
use crate::token::{Token, TokenFiles, TokenSource};
use crate::url::Url;

/// Everything that the Hub client is told from outside. The crate itself reads no environment
/// variable; the doors pass a lookup to [`HubConfig::from_vars`].
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// The Hub or a mirror of it (`HF_ENDPOINT`).
    pub endpoint: Address,
    /// Python's directory for cache and token (`HF_HOME`, else `~/.cache/huggingface`). As all places
    /// here it is absolute, or empty where there is no home directory and nothing else says where.
    pub hf_home: PathBuf,
    /// `huggingface_hub`'s cache of repositories (`HF_HUB_CACHE`, else `HF_HOME/hub`). Read and
    /// written by way of [`HubConfig::hub_cache`].
    pub cache_dir: PathBuf,
    /// Where models from package indexes are unpacked. Outside `cache_dir`, which only holds what
    /// the Hub serves. Read and written by way of [`HubConfig::package_cache`].
    pub packages_dir: PathBuf,
    /// Models of one's own (`SCAFFOLD_MODELS`, else `~/.local/share/scaffold/models`): the user's data,
    /// and no cache. Read and written by way of [`HubConfig::made_models`].
    pub made_dir: PathBuf,
    /// Where tokens are read from and stored.
    pub token_files: TokenFiles,
    /// The token to send, and where it came from.
    pub token: Option<(Token, TokenSource)>,
    /// A token that was found but cannot be one: reported before the first request that would need
    /// it.
    pub bad_token: Option<Error>,
    /// Send the token also over plain HTTP to a host that is not this machine
    /// (`SCAFFOLD_TOKEN_OVER_HTTP=send`).
    pub token_over_http: bool,
    /// Never touch the network (`HF_HUB_OFFLINE`).
    pub offline: bool,
    /// Link snapshots to blobs where the file system can (not `HF_HUB_DISABLE_SYMLINKS`).
    pub symlinks: bool,
    /// Proxies for both protocols.
    pub proxies: Proxies,
    /// Certificates to trust in place of the system's store.
    pub certificates: Certificates,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// When to try again.
    pub retry: Retry,
    /// Files that are fetched at once.
    pub parallel_files: usize,
    /// Ranges of one large file that are fetched at once.
    pub parallel_ranges: usize,
    /// Files smaller than this many bytes are fetched in one piece.
    pub range_threshold: u64,
    /// What pip would know about the package index.
    pub pip: PipEnvironment,
    /// Ollama's stores, in the order they are looked at.
    pub ollama_dirs: Vec<PathBuf>,
    /// Short names and the repositories that they stand for, with each tag that may follow one:
    /// `llama3.2` and `llama3.2:1b`.
    pub aliases: Vec<(String, String)>,
    /// Who knows what fits into memory here, and so decides which GGUF file is "the best" one.
    /// `None`: everything fits.
    pub judge: Option<Judge>,
    /// The user's home, for `~` in paths; empty where there is none.
    pub home: PathBuf,
    /// Variables that have a value which cannot be used. The defaults hold in their place; whoever
    /// made the configuration decides whether that will do.
    pub problems: Vec<Error>,
}

impl HubConfig {
    /// A name with its alias put in: `llama3.2:1b` and `mistral@main` become repositories, and what
    /// follows an alias that is no tag of it (`tinyllama:Q4_K_M`) stays. Other names come back as
    /// they are.
    pub(crate) fn expand(&self, name: &str) -> String {
        let find = |word: &str| {
            let found = self.aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(word));
            found.map(|(_, repo)| repo)
        };
        let (tagged, revision) = name.split_at(name.find('@').unwrap_or(name.len()));
        if let Some(repo) = find(tagged) {
            return format!("{repo}{revision}");
        }
        let (word, rest) = name.split_at(name.find([':', '@']).unwrap_or(name.len()));
        find(word).map_or_else(|| name.to_owned(), |repo| format!("{repo}{rest}"))
    }
}

/// Proxies for both protocols, as URLs.
#[derive(Clone, Default)]
pub struct Proxies {
    /// For `http` addresses.
    pub http: Option<String>,
    /// For `https` addresses.
    pub https: Option<String>,
    /// Hosts that are asked directly: comma-separated names, `.suffixes`, or `*`.
    pub no_proxy: Option<String>,
}

// A proxy's address may contain a password.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |p: &Option<String>| p.as_deref().and_then(Url::parse).map(|u| u.origin());
        f.debug_struct("Proxies")
            .field("http", &shown(&self.http))
            .field("https", &shown(&self.https))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

/// Certificates to trust in place of the system's store (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    /// A bundle in PEM form.
    pub file: Option<PathBuf>,
    /// Directories of PEM files.
    pub dirs: Vec<PathBuf>,
}

/// How long to wait for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// For name resolution and the connection.
    pub connect: Duration,
    /// As `connect`, for the first request about a model that another source has too.
    pub connect_with_fallback: Duration,
    /// For the head of an answer.
    pub answer: Duration,
    /// For the next bytes of a body; a transfer slower than a kilobyte in this time counts as
    /// stalled too.
    pub stall: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            connect_with_fallback: Duration::from_secs(4),
            answer: Duration::from_secs(30),
            stall: Duration::from_secs(30),
        }
    }
}

impl HubConfig {
    /// The defaults of a user whose home is `home`, with nothing taken from anywhere else. With an
    /// empty path there is no home, and so no place for models.
    pub fn new(home: impl Into<PathBuf>) -> HubConfig {
        HubConfig::given(Given::default(), |_| None, home)
    }

    /// Uses this token, whatever else there is.
    ///
    /// # Errors
    /// It cannot be one.
    pub fn with_token(mut self, text: &str) -> Result<HubConfig, Error> {
        let token = Token::parse(text, &TokenSource::Flag)?;
        self.token = Some((token, TokenSource::Flag));
        self.bad_token = None;
        Ok(self)
    }
}
