//! Requests over the network.

use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector as _, SocksConnector, TcpConnector,
};
use ureq::{Agent, Body, Proxy};

use super::basic::basic;
use super::fault::{classify, of_io};
use super::plain_proxy::PlainProxyConnector;
use super::request::{Follow, Request};
use super::resolve::SystemResolver;
use crate::config::{HubConfig, Proxies, Timeouts};
use crate::fault::NetworkFault;
use crate::tls::{Roots, TlsConnector};
use crate::url::{Url, encode_raw, is_loopback};

const USER_AGENT: &str = concat!("scaffold/", env!("CARGO_PKG_VERSION"), "; rust");
const MOST_REDIRECTS: usize = 8;

/// Where the Hub itself answers: a mirror that sends its readers on to there may be given the token
/// for both, as `huggingface_hub` does.
const HUB_ORIGINS: [&str; 2] = ["https://huggingface.co", "https://hf.co"];

/// Sends requests. The TLS set-up (reading the system's store takes a while) is done at the first
/// of them.
pub(crate) struct Http {
    agent: OnceLock<Agent>,
    proxies: Proxies,
    roots: Roots,
    timeouts: Timeouts,
    /// Whether a token may go over plain HTTP to another machine.
    plain_tokens: bool,
}

/// An answer, whatever its status.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Body,
    /// The address that answered, after redirects.
    pub(crate) url: Url,
    /// Whether it is another origin than the one that was asked first.
    pub(crate) elsewhere: bool,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        crate::retry::retry_after(
            self.header("retry-after"),
            self.header("ratelimit"),
            self.header("date"),
        )
    }

    pub(crate) fn into_reader(self) -> impl Read + Send {
        self.body.into_with_config().limit(u64::MAX).reader()
    }

    /// The body, when it is not longer than `limit` bytes.
    pub(crate) fn bytes(self, limit: u64) -> Result<Vec<u8>, NetworkFault> {
        let mut bytes = Vec::new();
        self.into_reader().take(limit + 1).read_to_end(&mut bytes).map_err(|e| of_io(&e))?;
        if bytes.len() as u64 > limit {
            return Err(NetworkFault::Protocol(format!("the answer is longer than {limit} bytes")));
        }
        Ok(bytes)
    }
}

impl Http {
    pub(crate) fn new(config: &HubConfig) -> Http {
        Http {
            agent: OnceLock::new(),
            proxies: config.proxies.clone(),
            roots: Roots { certificates: config.certificates.clone(), extra: None },
            timeouts: config.timeouts.clone(),
            plain_tokens: config.token_over_http,
        }
    }

    /// The same with another proxy (for all addresses) or another bundle of certificates trusted
    /// besides.
    pub(crate) fn with(config: &HubConfig, proxy: Option<&str>, bundle: Option<PathBuf>) -> Http {
        let mut http = Http::new(config);
        if let Some(proxy) = proxy {
            http.proxies.http = Some(proxy.to_owned());
            http.proxies.https = Some(proxy.to_owned());
        }
        http.roots.extra = bundle;
        http
    }

    /// Sends a request and returns the head of the answer.
    pub(crate) fn send(&self, request: &Request) -> Result<Reply, NetworkFault> {
        let mut url = request.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            // A token is for the Hub and for the mirror that it was meant for.
            let authorization = request
                .authorization
                .as_deref()
                .filter(|_| url.same_origin(request.url) || is_hub(&url));
            if authorization.is_some() {
                self.keep_secret(&url)?;
            }
            let response = self.once(request, &url, authorization)?;
            let redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            // Servers write names of files into it as they are: what no address holds is encoded,
            // as browsers do.
            let location =
                response.headers().get("location").map(|value| encode_raw(value.as_bytes()));
            let next = location.filter(|_| redirect).map(|location| url.join(&location));
            let stays = |next: &Url| next.same_origin(request.url) || is_hub(next);
            let followed = match &next {
                None => false,
                Some(next) => request.follow == Follow::All || next.as_ref().is_some_and(stays),
            };
            let (Some(next), true) = (next, followed) else {
                let (parts, body) = response.into_parts();
                let elsewhere = !request.url.same_origin(&url);
                return Ok(Reply {
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    body,
                    url,
                    elsewhere,
                });
            };
            let next = next.ok_or_else(|| {
                NetworkFault::Protocol(
                    "a redirect leads to something that is no http address".to_owned(),
                )
            })?;
            if url.is_https() && !next.is_https() {
                return Err(NetworkFault::Protocol(format!(
                    "{} redirects from https to plain http",
                    url.host()
                )));
            }
            url = next;
        }
        Err(NetworkFault::Protocol(format!("more than {MOST_REDIRECTS} redirects")))
    }

    /// Fails where a token sent to `url` could be read on the way.
    fn keep_secret(&self, url: &Url) -> Result<(), NetworkFault> {
        if url.is_https() || self.plain_tokens {
            return Ok(());
        }
        if !url.is_loopback() {
            return Err(NetworkFault::PlainToken(format!(
                "{} is not encrypted and not on this machine",
                url.origin()
            )));
        }
        match self.proxy_for(url)? {
            // There `localhost` is another machine, too.
            Some(proxy) if !is_loopback(proxy.host()) => Err(NetworkFault::PlainToken(format!(
                "{} is not encrypted, and the proxy {} is not on this machine (NO_PROXY={} goes past it)",
                url.origin(),
                proxy.host(),
                url.host()
            ))),
            _ => Ok(()),
        }
    }

    fn once(
        &self,
        request: &Request,
        url: &Url,
        authorization: Option<&str>,
    ) -> Result<Response<Body>, NetworkFault> {
        let agent = self.agent.get_or_init(|| self.make_agent());
        let proxy = self.proxy_for(url)?;
        let proxied = proxy.is_some();
        let text = url.request_text();
        let builder = if request.head { agent.head(&text) } else { agent.get(&text) };
        let connect = request.connect.unwrap_or(self.timeouts.connect);
        let mut builder = builder
            .config()
            .proxy(proxy)
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect))
            .build()
            .header("user-agent", USER_AGENT);
        if let Some(value) = authorization {
            builder = builder.header("authorization", value);
        } else if let Some(user) = url.userinfo() {
            builder = builder.header("authorization", basic(user));
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        builder.call().map_err(|error| classify(&error, url.host(), proxied))
    }

    fn make_agent(&self) -> Agent {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_per_read(Some(self.timeouts.stall))
            .timeout_per_write(Some(self.timeouts.stall))
            .timeout_recv_response(Some(self.timeouts.answer))
            .build();
        // As `ureq` chains them, with two of ours: plain addresses are given to a proxy whole, and
        // certificates are judged by our own verifier.
        let connector = SocksConnector::default()
            .chain(PlainProxyConnector::new())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector::new(self.roots.clone()));
        Agent::with_parts(config, connector, SystemResolver)
    }

    /// The proxy that `url` is asked through.
    fn proxy_for(&self, url: &Url) -> Result<Option<Proxy>, NetworkFault> {
        self.proxies.for_url(url)
    }

    /// The proxy's host and port, if `url` is asked through one.
    pub(crate) fn proxy_host(&self, url: &Url) -> Result<Option<(String, u16)>, NetworkFault> {
        let proxy = self.proxy_for(url)?;
        Ok(proxy.map(|proxy| (proxy.host().to_owned(), proxy.port())))
    }
}

fn is_hub(url: &Url) -> bool {
    HUB_ORIGINS.iter().any(|origin| url.origin() == *origin)
}
