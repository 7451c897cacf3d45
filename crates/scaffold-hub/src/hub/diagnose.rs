//! From a status, the Hub's error headers and what is known of the token to a [`Diagnosis`].

use std::time::Duration;

use crate::access::Diagnosis;
use crate::fault::NetworkFault;
use crate::http::Reply;
use crate::whoami::{TokenKind, WhoAmI};

/// What matters of a refusing answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `X-Error-Code`.
    pub(super) code: Option<String>,
    /// `X-Error-Message`.
    pub(super) message: Option<String>,
    /// Whether the body is a web page, as a firewall's would be.
    pub(super) is_page: bool,
    pub(super) wait: Option<Duration>,
}

impl Answer {
    pub(super) fn of(reply: &Reply) -> Answer {
        Answer {
            status: reply.status,
            code: reply.header("x-error-code").map(str::to_owned),
            message: reply.header("x-error-message").map(str::to_owned),
            is_page: reply.header("content-type").is_some_and(|t| t.starts_with("text/html")),
            wait: reply.retry_after(),
        }
    }

    fn says(&self, words: &[&str]) -> bool {
        let message = self.message.as_deref().unwrap_or("").to_lowercase();
        words.iter().any(|word| message.contains(word))
    }
}

/// What is known of the token that went along.
#[derive(Debug, Clone)]
pub(super) enum TokenState {
    /// None was sent.
    Absent,
    /// One was sent; nothing more is known.
    Sent,
    /// The Hub does not know it.
    Rejected,
    /// The Hub has described it.
    Known(Box<WhoAmI>),
}

impl TokenState {
    fn signed_in(&self) -> bool {
        !matches!(self, TokenState::Absent)
    }
}

/// Decides which "no" an answer about `repo` is.
pub(super) fn diagnose(repo: &str, answer: &Answer, token: &TokenState) -> Diagnosis {
    let signed_in = token.signed_in();
    let not_found = || Diagnosis::NotFoundOrPrivate { signed_in, candidates: Vec::new() };
    match (answer.status, answer.code.as_deref()) {
        (407, _) => {
            Diagnosis::Proxy { detail: "the proxy wants a user name and a password (407)".into() }
        }
        (429, _) => Diagnosis::RateLimited { wait: answer.wait, signed_in },
        (511, _) => Diagnosis::Blocked { status: 511 },
        (500..=599, _) => Diagnosis::ServerTrouble { status: answer.status },
        _ if answer.says(&["resource is disabled"]) => Diagnosis::Disabled,
        (_, Some("GatedRepo")) => gated(repo, answer, token),
        (_, Some("DisabledRepo")) => Diagnosis::Disabled,
        (_, Some("RevisionNotFound")) => {
            Diagnosis::RevisionNotFound { revision: String::new(), candidates: Vec::new() }
        }
        (_, Some("EntryNotFound")) => {
            Diagnosis::FileNotFound { file: String::new(), candidates: Vec::new() }
        }
        (401, _)
            if signed_in
                && answer.says(&["invalid credentials", "invalid username", "expired"]) =>
        {
            Diagnosis::TokenRejected
        }
        (401 | 403 | 404, _) if matches!(token, TokenState::Rejected) => Diagnosis::TokenRejected,
        (_, Some("RepoNotFound")) | (404, _) => not_found(),
        (401, None) if !answer.is_page => not_found(),
        (401 | 403 | 451, None) if answer.is_page => Diagnosis::Blocked { status: answer.status },
        (403, _) => match token {
            TokenState::Known(who) if !who.reads_gated(repo) => permission(repo, who),
            _ => Diagnosis::Forbidden,
        },
        (status, _) => Diagnosis::Blocked { status },
    }
}

fn gated(repo: &str, answer: &Answer, token: &TokenState) -> Diagnosis {
    if answer.says(&["awaiting a review", "awaiting review", "pending"]) {
        return Diagnosis::AwaitingReview;
    }
    if answer.says(&["has been rejected", "was rejected"]) {
        return Diagnosis::AccessDeclined;
    }
    match token {
        TokenState::Absent => Diagnosis::GatedWithoutToken,
        TokenState::Rejected => Diagnosis::TokenRejected,
        TokenState::Sent => Diagnosis::AccessNotGranted,
        TokenState::Known(who)
            if matches!(who.kind, TokenKind::FineGrained { .. }) && !who.reads_gated(repo) =>
        {
            permission(repo, who)
        }
        // "… you are not in the authorized list": the account, not the token.
        TokenState::Known(_)
            if answer.says(&["authorized list", "ask for access", "request access"]) =>
        {
            Diagnosis::AccessNotGranted
        }
        TokenState::Known(who) => match &who.kind {
            TokenKind::Classic { role } => Diagnosis::WrongTokenType { role: role.clone() },
            _ => Diagnosis::TokenOlderThanAccess { created: who.token_created.clone() },
        },
    }
}

fn permission(repo: &str, who: &WhoAmI) -> Diagnosis {
    match &who.kind {
        TokenKind::FineGrained { repositories, .. }
            if !repositories.is_empty() && !repositories.iter().any(|r| r == repo) =>
        {
            Diagnosis::RepositoryNotSelected { selected: repositories.clone() }
        }
        TokenKind::Classic { role } => Diagnosis::WrongTokenType { role: role.clone() },
        _ => Diagnosis::MissingPermission,
    }
}

/// The diagnosis of trouble below HTTP.
pub(super) fn of_network(fault: &NetworkFault) -> Diagnosis {
    let detail = match fault {
        NetworkFault::Proxy(detail) => {
            return Diagnosis::Proxy { detail: detail.clone() };
        }
        NetworkFault::Certificate(detail) => {
            return Diagnosis::Certificate { detail: detail.clone() };
        }
        NetworkFault::OtherHost(detail) => {
            return Diagnosis::OtherHost { detail: detail.clone() };
        }
        NetworkFault::TrustStore(detail) => {
            return Diagnosis::TrustStore { detail: detail.clone() };
        }
        NetworkFault::PlainToken(detail) => {
            return Diagnosis::PlainToken { detail: detail.clone() };
        }
        NetworkFault::Clock(detail) => {
            return Diagnosis::Clock { detail: detail.clone() };
        }
        other => other.to_string(),
    };
    if fault.is_unreachable() {
        Diagnosis::NoNetwork { detail }
    } else {
        Diagnosis::Unsteady { detail }
    }
}
