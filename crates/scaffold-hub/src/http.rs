//! Requests: proxies, certificates, redirects that do not carry the token along, and faults told
//! apart. A program that is built without the feature `network` has none of it.

mod request;

#[cfg(feature = "network")]
mod basic;
#[cfg(feature = "network")]
mod fault;
#[cfg(not(feature = "network"))]
mod none;
#[cfg(feature = "network")]
mod plain_proxy;
#[cfg(feature = "network")]
mod proxy;
#[cfg(feature = "network")]
mod resolve;
#[cfg(feature = "network")]
mod send;

#[cfg(feature = "network")]
pub(crate) use fault::of_io as classify_io;
#[cfg(not(feature = "network"))]
pub(crate) use none::{Http, Reply, classify_io};
pub(crate) use request::{Follow, Request};
#[cfg(feature = "network")]
pub(crate) use send::{Http, Reply};
