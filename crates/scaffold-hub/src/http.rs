//! Requests: proxies, certificates, redirects that do not carry the token along, and faults told apart.

mod fault;

use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Proxy};

use fault::classify;
pub(crate) use fault::of_io as classify_io;

use crate::config::{Certificates, HubConfig, Proxies, Timeouts};
use crate::error::NetworkFault;
use crate::tls;
use crate::url::Url;

const USER_AGENT: &str = concat!("scaffold/", env!("CARGO_PKG_VERSION"), "; rust");
const MOST_REDIRECTS: usize = 8;

/// Sends requests. The TLS set-up (reading the system's store takes a while) is done at the first of them.
pub(crate) struct Http {
    agent: OnceLock<Agent>,
    proxies: Proxies,
    certificates: Certificates,
    extra_bundle: Option<PathBuf>,
    timeouts: Timeouts,
}

/// What to ask for.
pub(crate) struct Request<'a> {
    pub(crate) url: &'a Url,
    pub(crate) head: bool,
    /// The whole value of an `Authorization` header, sent to `url`'s origin only.
    pub(crate) authorization: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Instead of the usual time for name resolution and connection.
    pub(crate) connect: Option<Duration>,
    /// Follow redirects; without, the redirect itself is the answer.
    pub(crate) follow: bool,
}

impl<'a> Request<'a> {
    pub(crate) fn get(url: &'a Url) -> Request<'a> {
        Request {
            url,
            head: false,
            authorization: None,
            headers: Vec::new(),
            connect: None,
            follow: true,
        }
    }

    pub(crate) fn bearer(mut self, token: Option<&crate::Token>) -> Request<'a> {
        self.authorization = token.map(|t| format!("Bearer {}", t.reveal()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Request<'a> {
        self.headers.push((name, value.into()));
        self
    }
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
        self.into_reader()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| fault::of_io(&e))?;
        if bytes.len() as u64 > limit {
            return Err(NetworkFault::Protocol(format!(
                "the answer is longer than {limit} bytes"
            )));
        }
        Ok(bytes)
    }
}

impl Http {
    pub(crate) fn new(config: &HubConfig) -> Http {
        Http {
            agent: OnceLock::new(),
            proxies: config.proxies.clone(),
            certificates: config.certificates.clone(),
            extra_bundle: None,
            timeouts: config.timeouts.clone(),
        }
    }

    /// The same with another proxy (for all addresses) or another bundle of certificates trusted besides.
    pub(crate) fn with(config: &HubConfig, proxy: Option<&str>, bundle: Option<PathBuf>) -> Http {
        let mut http = Http::new(config);
        if let Some(proxy) = proxy {
            http.proxies.http = Some(proxy.to_owned());
            http.proxies.https = Some(proxy.to_owned());
        }
        http.extra_bundle = bundle;
        http
    }

    /// Sends a request and returns the head of the answer.
    pub(crate) fn send(&self, request: &Request) -> Result<Reply, NetworkFault> {
        let mut url = request.url.clone();
        let mut authorization = request.authorization.as_deref();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.once(request, &url, authorization)?;
            let location = response
                .headers()
                .get("location")
                .and_then(|v| v.to_str().ok());
            let redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let (Some(location), true, true) = (location, redirect, request.follow) else {
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
            let next = url.join(location).ok_or_else(|| {
                NetworkFault::Protocol(
                    "a redirect leads to something that is no http address".to_owned(),
                )
            })?;
            // A token is for the host that it was meant for, and never for plain text after TLS.
            if !next.same_origin(request.url) {
                authorization = None;
            }
            if url.is_https() && !next.is_https() {
                return Err(NetworkFault::Protocol(format!(
                    "{} redirects from https to plain http",
                    url.host()
                )));
            }
            url = next;
        }
        Err(NetworkFault::Protocol(format!(
            "more than {MOST_REDIRECTS} redirects"
        )))
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
        let builder = if request.head {
            agent.head(&text)
        } else {
            agent.get(&text)
        };
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
        builder
            .call()
            .map_err(|error| classify(&error, url.host(), proxied))
    }

    fn make_agent(&self) -> Agent {
        Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .tls_config(tls::config(
                &self.certificates,
                self.extra_bundle.as_deref(),
            ))
            .timeout_per_read(Some(self.timeouts.stall))
            .timeout_per_write(Some(self.timeouts.stall))
            .timeout_recv_response(Some(self.timeouts.answer))
            .build()
            .new_agent()
    }

    /// The proxy that `url` is asked through.
    pub(crate) fn proxy_for(&self, url: &Url) -> Result<Option<Proxy>, NetworkFault> {
        let configured = if url.is_https() {
            &self.proxies.https
        } else {
            &self.proxies.http
        };
        let Some(text) = configured else {
            return Ok(None);
        };
        if self
            .proxies
            .no_proxy
            .as_deref()
            .is_some_and(|list| is_excepted(list, url.host()))
        {
            return Ok(None);
        }
        let text = if text.contains("://") {
            text.clone()
        } else {
            format!("http://{text}")
        };
        let fault = || {
            NetworkFault::Proxy(
                "the configured proxy address cannot be read; it looks like http://host:port"
                    .to_owned(),
            )
        };
        Proxy::new(&text).map(Some).map_err(|_| fault())
    }
}

/// Whether `host` is on a `NO_PROXY` list: a name also stands for all names below it.
fn is_excepted(list: &str, host: &str) -> bool {
    list.split(',')
        .map(|entry| {
            entry
                .trim()
                .trim_start_matches("*.")
                .trim_start_matches('.')
        })
        .any(|entry| {
            let entry = entry.split(':').next().unwrap_or(entry);
            entry == "*"
                || (!entry.is_empty()
                    && (host.eq_ignore_ascii_case(entry)
                        || host
                            .to_ascii_lowercase()
                            .strip_suffix(&entry.to_ascii_lowercase())
                            .is_some_and(|front| front.ends_with('.'))))
        })
}

/// The `Authorization` value for credentials that stand in an address.
fn basic(userinfo: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let decoded = crate::url::percent_decode(userinfo);
    let with_colon = if decoded.contains(':') {
        decoded
    } else {
        format!("{decoded}:")
    };
    let mut out = String::from("Basic ");
    for chunk in with_colon.as_bytes().chunks(3) {
        let word = u32::from_be_bytes([
            0,
            chunk[0],
            *chunk.get(1).unwrap_or(&0),
            *chunk.get(2).unwrap_or(&0),
        ]);
        for i in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * i)) as usize & 63] as char;
            out.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_lists_names_and_what_is_below_them() {
        let list = "localhost, .corp.example,example.org:443,*.wild.net";
        for host in [
            "localhost",
            "a.corp.example",
            "corp.example",
            "example.org",
            "www.EXAMPLE.org",
            "x.wild.net",
        ] {
            assert!(is_excepted(list, host), "{host}");
        }
        for host in ["notexample.org", "example.com", "localhost.evil"] {
            assert!(!is_excepted(list, host), "{host}");
        }
        assert!(is_excepted("*", "anything"));
        assert!(!is_excepted("", "anything"));
    }

    #[test]
    fn basic_credentials_are_base64() {
        assert_eq!(
            basic("Aladdin:open%20sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(basic("token"), "Basic dG9rZW46");
    }
}
