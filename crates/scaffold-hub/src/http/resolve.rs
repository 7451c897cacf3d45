//! Names to addresses, within a time limit, and without a panic where no thread can be started.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// As many addresses as `ureq` tries.
const MOST: usize = 16;

/// Asks the system.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(Error::HostNotFound);
        };
        let place = DefaultResolver::host_and_port(scheme, authority).ok_or(Error::HostNotFound)?;
        let found = if timeout.after.is_not_happening() {
            place.to_socket_addrs().map(Iterator::collect)?
        } else {
            within(&place, *timeout.after, timeout)?
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(MOST) {
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(Error::HostNotFound);
        }
        Ok(addresses)
    }
}

/// The system's resolver has no time limit of its own that one could set: it is left behind when it
/// takes too long.
fn within(place: &str, limit: Duration, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
    let (sender, receiver) = mpsc::channel();
    let name = place.to_owned();
    let started = std::thread::Builder::new().spawn(move || {
        // Nobody listens any more if it took too long.
        let _ = sender.send(name.to_socket_addrs().map(Iterator::collect));
    });
    if started.is_err() {
        // Without a thread there is no limit either.
        return Ok(place.to_socket_addrs().map(Iterator::collect)?);
    }
    match receiver.recv_timeout(limit) {
        Ok(found) => Ok(found?),
        Err(RecvTimeoutError::Timeout) => Err(Error::Timeout(timeout.reason)),
        Err(RecvTimeoutError::Disconnected) => Err(Error::HostNotFound),
    }
}
