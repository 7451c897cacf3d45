//! Plain-HTTP addresses through an HTTP proxy: the proxy is given the whole address, as curl and
//! Python do, and no tunnel is asked for. Many proxies (Squid, as it is delivered) open tunnels to
//! port 443 only.

use std::fmt;

use ureq::config::Config;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport,
};
use ureq::{Agent, Error, ProxyProtocol};

use super::basic::base64_basic;

/// Connects to the proxy in the server's place. Stands before `ureq`'s connector for tunnels.
pub(super) struct PlainProxyConnector {
    /// For the connection to the proxy itself.
    direct: Config,
}

impl PlainProxyConnector {
    pub(super) fn new() -> PlainProxyConnector {
        PlainProxyConnector { direct: Agent::config_builder().proxy(None).build() }
    }
}

impl fmt::Debug for PlainProxyConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainProxyConnector")
    }
}

impl<In: Transport> Connector<In> for PlainProxyConnector {
    type Out = Either<In, ForwardTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if chained.is_some() {
            return Ok(chained.map(Either::A));
        }
        let Some(proxy) = details.config.proxy().filter(|proxy| {
            !details.needs_tls()
                && matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
        }) else {
            return Ok(None);
        };
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: details.resolver.resolve(proxy.uri(), &self.direct, details.timeout)?,
            config: &self.direct,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let inner = (details.run_connector)(&to_proxy)?;
        let authority = details.uri.authority().map_or("", |a| a.as_str());
        let credentials = match (proxy.username(), proxy.password()) {
            (None, None) => None,
            (name, password) => Some(base64_basic(&format!(
                "{}:{}",
                name.unwrap_or_default(),
                password.unwrap_or_default()
            ))),
        };
        Ok(Some(Either::B(ForwardTransport {
            inner,
            origin: format!("http://{authority}"),
            credentials,
            at_start: true,
        })))
    }
}

/// Writes the whole address into each request's first line.
pub(super) struct ForwardTransport {
    inner: Box<dyn Transport>,
    /// `http://host:port` of the server.
    origin: String,
    /// The value of `Proxy-Authorization`.
    credentials: Option<String>,
    /// The next bytes begin a request. (Only requests without a body are sent.)
    at_start: bool,
}

impl fmt::Debug for ForwardTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForwardTransport to {}", self.origin)
    }
}

impl Transport for ForwardTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !std::mem::take(&mut self.at_start) {
            return self.inner.transmit_output(amount, timeout);
        }
        let output = self.inner.buffers().output();
        let head = absolute(&output[..amount], &self.origin, self.credentials.as_deref());
        let room = output
            .get_mut(..head.len())
            .ok_or(Error::Other("the head of the request is too long".into()))?;
        room.copy_from_slice(&head);
        self.inner.transmit_output(head.len(), timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.at_start = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

/// `GET /path HTTP/1.1` becomes `GET http://host/path HTTP/1.1`, with the proxy's credentials on a
/// line below.
fn absolute(head: &[u8], origin: &str, credentials: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + origin.len() + 64);
    let method = head.iter().position(|&b| b == b' ').map_or(0, |at| at + 1);
    out.extend_from_slice(&head[..method]);
    out.extend_from_slice(origin.as_bytes());
    let line =
        head[method..].iter().position(|&b| b == b'\n').map_or(head.len(), |at| method + at + 1);
    out.extend_from_slice(&head[method..line]);
    if let Some(credentials) = credentials {
        out.extend_from_slice(b"proxy-authorization: ");
        out.extend_from_slice(credentials.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(&head[line..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_has_the_whole_address() {
        let head = b"GET /a?b HTTP/1.1\r\nhost: h:8\r\n\r\n";
        let text =
            |credentials| String::from_utf8(absolute(head, "http://h:8", credentials)).unwrap();
        assert_eq!(text(None), "GET http://h:8/a?b HTTP/1.1\r\nhost: h:8\r\n\r\n");
        assert_eq!(
            text(Some("Basic eA==")),
            "GET http://h:8/a?b HTTP/1.1\r\nproxy-authorization: Basic eA==\r\nhost: h:8\r\n\r\n"
        );
    }
}
