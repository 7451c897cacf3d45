//! What can go wrong with a transfer, and below HTTP: whether it is tried again depends on it.

use std::time::Duration;

use scaffold_error::{Error, Kind};

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
    /// The program has no requests in it.
    #[error("this program was built without the network (the feature `hub`)")]
    NotBuilt,
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

impl Fault {
    /// The failure of a file that `host` was asked for.
    pub(crate) fn of(self, file: &str, host: &str) -> Error {
        let advice = self.advice();
        let text = format!("{file} could not be downloaded from {host}: {self}. {advice}");
        Error::new(self.kind(), text).because(self)
    }

    fn kind(&self) -> Kind {
        match self {
            Fault::Hash { .. } => Kind::Damaged,
            Fault::Busy { .. } => Kind::Busy,
            Fault::Panicked => Kind::Internal,
            _ => Kind::Unavailable,
        }
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
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
