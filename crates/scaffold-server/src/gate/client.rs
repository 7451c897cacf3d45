//! Who asks.

use std::net::IpAddr;
use std::sync::Arc;

use super::limits::Account;

/// Who asks: whom requests are counted for.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The name of its key, or its address.
    pub(crate) owner: Arc<str>,
    /// Clients with keys of their own do not share what was computed of prompts, so that none
    /// learns from times what others have asked.
    pub(crate) salt: Option<Arc<str>>,
    /// What it may have, where that has limits.
    pub(crate) account: Option<Account>,
}

impl Client {
    pub(crate) fn at(peer: IpAddr) -> Self {
        Self { owner: peer.to_canonical().to_string().into(), salt: None, account: None }
    }

    pub(crate) fn named(owner: Arc<str>, has_others: bool, account: Option<Account>) -> Self {
        Self { salt: has_others.then(|| Arc::clone(&owner)), owner, account }
    }
}
