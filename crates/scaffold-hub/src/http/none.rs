//! What stands in the place of requests in a program that was built without them (the feature
//! `network`): every one fails, and says why.

#![expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "it has the interface of what it stands for"
)]

use std::convert::Infallible;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use super::request::Request;
use crate::config::HubConfig;
use crate::fault::NetworkFault;
use crate::url::Url;

/// Sends nothing.
pub(crate) struct Http;

/// An answer, which never comes.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) url: Url,
    pub(crate) elsewhere: bool,
    never: Infallible,
}

impl Reply {
    pub(crate) fn header(&self, _: &str) -> Option<&str> {
        match self.never {}
    }

    pub(crate) fn is_success(&self) -> bool {
        match self.never {}
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self.never {}
    }

    pub(crate) fn into_reader(self) -> impl Read + Send {
        io::empty()
    }

    pub(crate) fn bytes(self, _: u64) -> Result<Vec<u8>, NetworkFault> {
        match self.never {}
    }
}

impl Http {
    pub(crate) fn new(_: &HubConfig) -> Http {
        Http
    }

    pub(crate) fn with(_: &HubConfig, _: Option<&str>, _: Option<PathBuf>) -> Http {
        Http
    }

    pub(crate) fn send(&self, _: &Request<'_>) -> Result<Reply, NetworkFault> {
        Err(NetworkFault::NotBuilt)
    }

    pub(crate) fn proxy_host(&self, _: &Url) -> Result<Option<(String, u16)>, NetworkFault> {
        Ok(None)
    }
}

/// What a reader's error says.
pub(crate) fn classify_io(error: &io::Error) -> NetworkFault {
    NetworkFault::Broken(error.to_string())
}
