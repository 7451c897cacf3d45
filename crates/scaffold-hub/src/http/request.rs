//! What to ask for.

use std::time::Duration;

use crate::token::Token;
use crate::url::Url;

/// What to ask for.
pub(crate) struct Request<'a> {
    pub(crate) url: &'a Url,
    pub(crate) head: bool,
    /// The whole value of an `Authorization` header, sent to `url`'s origin and to the Hub's own.
    pub(crate) authorization: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Instead of the usual time for name resolution and connection.
    pub(crate) connect: Option<Duration>,
    /// Which redirects are followed; of others, the redirect itself is the answer.
    pub(crate) follow: Follow,
}

/// Which redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// All.
    All,
    /// Those that stay with the host that was asked, or lead to the Hub: not those to a store of
    /// files.
    WithinHub,
}

impl<'a> Request<'a> {
    pub(crate) fn get(url: &'a Url) -> Request<'a> {
        Request {
            url,
            head: false,
            authorization: None,
            headers: Vec::new(),
            connect: None,
            follow: Follow::All,
        }
    }

    pub(crate) fn bearer(mut self, token: Option<&Token>) -> Request<'a> {
        self.authorization = token.map(|t| format!("Bearer {}", t.reveal()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Request<'a> {
        self.headers.push((name, value.into()));
        self
    }
}
