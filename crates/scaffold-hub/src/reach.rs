//! Whether the Hub can be reached, and by which way: for diagnoses.

use std::time::{Duration, Instant};

use scaffold_error::Error;

use crate::fault::NetworkFault;
use crate::http::Request;
use crate::hub::Hub;
use crate::retry::http_date;

/// The way to the Hub, as the settings have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The Hub's (or the mirror's) host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The proxy's host and port, where one is to be used.
    pub proxy: Option<(String, u16)>,
}

/// An answer of the Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The HTTP status.
    pub status: u16,
    /// The server's time, in seconds since 1970, if it says so.
    pub server_time: Option<u64>,
    /// From the question to the head of the answer, set-up included.
    pub took: Duration,
}

impl Hub {
    /// The way to the Hub. Nothing is asked.
    ///
    /// # Errors
    /// The endpoint is not an address, or the proxy's address cannot be read.
    pub fn route(&self) -> Result<Route, Error> {
        let url = self.endpoint()?;
        let proxy =
            self.http.proxy_host(&url).map_err(|fault| self.unreachable(url.host(), &fault))?;
        Ok(Route { host: url.host().to_owned(), port: url.port(), tls: url.is_https(), proxy })
    }

    /// Asks the Hub a small question, once and without the token. Any answer counts.
    ///
    /// # Errors
    /// What is in the way.
    pub fn reach(&self) -> Result<Reached, NetworkFault> {
        let started = Instant::now();
        let url = self
            .endpoint()
            .map_err(|error| NetworkFault::Protocol(error.to_string()))?
            .below("api/models?limit=1");
        let reply = self.http.send(&Request::get(&url))?;
        Ok(Reached {
            status: reply.status,
            server_time: reply.header("date").and_then(http_date),
            took: started.elapsed(),
        })
    }
}
