//! Why a model cannot be had, and what its user can do about it.

mod words;

use std::fmt;
use std::time::Duration;

use scaffold_error::{Error, Kind, Remedy};

use crate::address::Address;

/// A "no" from the server, or from something on the way to it, with its explanation. As text it is
/// the explanation without the steps. It is the [cause](Error::cause) of the [`Error`] that it
/// becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The repository or host that it is about.
    pub subject: String,
    /// Which "no" it is.
    pub diagnosis: Diagnosis,
    /// The server's own words, where it had some.
    pub server_message: Option<String>,
    /// Models that can be had without any gate, for gated ones.
    pub alternatives: Vec<String>,
    /// The Hub's address, for links.
    pub endpoint: Address,
}

/// Which "no" it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnosis {
    /// The server does not accept the token: mistyped, revoked or expired.
    TokenRejected,
    /// The repository is gated and no token was sent.
    GatedWithoutToken,
    /// The repository is gated and this account has not asked for access, or not received it.
    AccessNotGranted,
    /// Access was asked for and the authors have not answered yet.
    AwaitingReview,
    /// The authors have declined.
    AccessDeclined,
    /// The token may read gated repositories and is still refused: most often it is older than the
    /// grant.
    TokenOlderThanAccess {
        /// When the token was made, as the Hub says it.
        created: Option<String>,
    },
    /// A classic token where a fine-grained one is wanted.
    WrongTokenType {
        /// The token's role (`read`, `write`).
        role: String,
    },
    /// A fine-grained token without the permission for gated repositories.
    MissingPermission,
    /// A fine-grained token that was limited to other repositories.
    RepositoryNotSelected {
        /// Those that it was limited to.
        selected: Vec<String>,
    },
    /// It does not exist, or is private and this account cannot see it: the Hub does not tell
    /// which.
    NotFoundOrPrivate {
        /// Whether a token was sent.
        signed_in: bool,
        /// Similar names that exist.
        candidates: Vec<String>,
    },
    /// The repository exists and has no such revision.
    RevisionNotFound {
        /// What was asked for.
        revision: String,
        /// Branches and tags that exist.
        candidates: Vec<String>,
    },
    /// The repository exists and has no such file.
    FileNotFound {
        /// What was asked for.
        file: String,
        /// Similar files that exist.
        candidates: Vec<String>,
    },
    /// The Hub has closed the repository.
    Disabled,
    /// Refused with a 403 that fits nothing above.
    Forbidden,
    /// A firewall or proxy answered in the Hub's place.
    Blocked {
        /// The status of its answer.
        status: u16,
    },
    /// Too many requests.
    RateLimited {
        /// How long the server asks to wait.
        wait: Option<Duration>,
        /// Whether a token was sent (the limit is higher with one).
        signed_in: bool,
    },
    /// The server has trouble of its own.
    ServerTrouble {
        /// The status.
        status: u16,
    },
    /// The host cannot be reached.
    NoNetwork {
        /// In which way.
        detail: String,
    },
    /// The proxy is at fault.
    Proxy {
        /// In which way.
        detail: String,
    },
    /// The server's certificate is not trusted on this machine.
    Certificate {
        /// What the check said.
        detail: String,
    },
    /// The server's certificate is that of another host.
    OtherHost {
        /// What the check said.
        detail: String,
    },
    /// The certificates that the user wants to be trusted cannot be read.
    TrustStore {
        /// Which, and why.
        detail: String,
    },
    /// The server's certificate is not valid at this machine's time.
    Clock {
        /// What the check said.
        detail: String,
    },
    /// The token would go over plain HTTP, where anyone on the way can read it, so nothing was
    /// sent.
    PlainToken {
        /// What makes it so.
        detail: String,
    },
    /// The connection worked and then broke, again and again.
    Unsteady {
        /// In which way.
        detail: String,
    },
}

impl Diagnosis {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Diagnosis::NotFoundOrPrivate { .. }
            | Diagnosis::RevisionNotFound { .. }
            | Diagnosis::FileNotFound { .. } => Kind::NotFound,
            Diagnosis::RateLimited { .. } => Kind::Busy,
            Diagnosis::PlainToken { .. } => Kind::Unavailable,
            _ if self.is_unreachable() => Kind::Unavailable,
            _ => Kind::Refused,
        }
    }

    /// Whether the Hub itself was never heard, so that it could not have said whether the model
    /// exists.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Diagnosis::NoNetwork { .. }
                | Diagnosis::Proxy { .. }
                | Diagnosis::Certificate { .. }
                | Diagnosis::OtherHost { .. }
                | Diagnosis::TrustStore { .. }
                | Diagnosis::Clock { .. }
                | Diagnosis::Blocked { .. }
                | Diagnosis::ServerTrouble { .. }
                | Diagnosis::Unsteady { .. }
        )
    }

    /// Whether a gate is what stands in the way.
    pub fn is_gate(&self) -> bool {
        matches!(
            self,
            Diagnosis::GatedWithoutToken
                | Diagnosis::AccessNotGranted
                | Diagnosis::AwaitingReview
                | Diagnosis::AccessDeclined
                | Diagnosis::TokenOlderThanAccess { .. }
                | Diagnosis::WrongTokenType { .. }
                | Diagnosis::MissingPermission
                | Diagnosis::RepositoryNotSelected { .. }
        )
    }
}

impl Refusal {
    /// What happened, in one sentence.
    pub fn what(&self) -> String {
        words::what(self)
    }

    /// What it means.
    pub fn meaning(&self) -> String {
        words::meaning(self)
    }

    /// What to do, one step each.
    pub fn steps(&self) -> Vec<Remedy> {
        words::steps(self)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what())?;
        if let Some(message) = &self.server_message {
            write!(f, "\nThe server says: {message}")?;
        }
        write!(f, "\n{}", self.meaning())?;
        if !self.alternatives.is_empty() {
            write!(f, "\nModels without a gate: {}", self.alternatives.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::new(refusal.diagnosis.kind(), refusal.to_string())
            .steps(refusal.steps())
            .because(refusal)
    }
}

/// A failure in one sentence, to be told where the work goes on.
pub(crate) fn in_short(error: &Error) -> String {
    error.cause::<Refusal>().map_or_else(|| error.to_string(), Refusal::what)
}

/// Models that need no gate, from small to large, for those who would rather not wait.
pub(crate) fn open_models() -> Vec<String> {
    include_str!("../data/open_models.txt")
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(str::to_owned)
        .collect()
}
