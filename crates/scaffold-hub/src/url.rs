//! The few operations on `http` and `https` addresses that a Hub client needs.
//!
//! What an address is and how references are resolved says RFC 3986, by `iri-string`; this adds
//! what servers write all the same, and what this client does not ask.

use std::borrow::Cow;
use std::fmt;

use iri_string::types::{UriAbsoluteStr, UriReferenceStr};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC};

/// An absolute `http` or `https` address without a fragment.
///
/// Shown without credentials and without the query, which on signed download links is a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url {
    scheme: Scheme,
    userinfo: Option<String>,
    host: String,
    port: Option<u16>,
    /// Starts with `/`; the query is included.
    target: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

impl Url {
    /// Parses an absolute address; `None` when it is not one that this client can ask. Names of
    /// hosts in other letters than ASCII are written as `xn--…`.
    pub(crate) fn parse(text: &str) -> Option<Url> {
        let plain = Plain::of(text)?;
        let address = UriAbsoluteStr::new(&plain.text).ok()?;
        let scheme = match address.scheme_str().to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let authority = address.authority_components()?;
        let port = match authority.port() {
            None | Some("") => None,
            Some(port) => Some(port.parse().ok()?).filter(|port| *port != scheme.default_port()),
        };
        let path = address.path_str();
        let mut target = if path.is_empty() { "/" } else { path }.to_owned();
        if let Some(query) = address.query_str() {
            target.push('?');
            target.push_str(query);
        }
        Some(Url {
            scheme,
            userinfo: plain.userinfo.map(str::to_owned),
            host: host(authority.host())?,
            port,
            target,
        })
    }

    /// Resolves a reference (`Location`, `href`) against this address. Another scheme (`mailto:`,
    /// `file:`) is nothing that we follow.
    pub(crate) fn join(&self, reference: &str) -> Option<Url> {
        let plain = Plain::of(reference)?;
        let reference = UriReferenceStr::new(&plain.text).ok()?;
        let base = self.request_text();
        let base = UriAbsoluteStr::new(&base).ok()?;
        let joined = Url::parse(&reference.resolve_against(base).to_string())?;
        let userinfo = match reference.authority_str() {
            Some(_) => plain.userinfo.map(str::to_owned),
            None => self.userinfo.clone(),
        };
        Some(Url { userinfo, ..joined })
    }

    /// The address with `path` (already percent-encoded, no leading slash) put after this one's
    /// path.
    pub(crate) fn below(&self, path: &str) -> Url {
        Url { target: format!("{}/{path}", self.path().trim_end_matches('/')), ..self.clone() }
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    /// The last component of the path, percent-decoded.
    pub(crate) fn file_name(&self) -> String {
        percent_decode(self.path().rsplit('/').next().unwrap_or(""))
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(self.scheme.default_port())
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Whether the host is this machine, by its name: what is sent there meets no network.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    pub(crate) fn userinfo(&self) -> Option<&str> {
        self.userinfo.as_deref()
    }

    /// Whether a credential for `self` may be shown to `other`: same scheme, host and port.
    pub(crate) fn same_origin(&self, other: &Url) -> bool {
        self.scheme == other.scheme && self.host == other.host && self.port() == other.port()
    }

    /// What goes on the wire: everything but the credentials.
    pub(crate) fn request_text(&self) -> String {
        format!("{}{}", self.origin(), self.target)
    }

    /// `scheme://host[:port]`.
    pub(crate) fn origin(&self) -> String {
        match self.port {
            Some(port) => format!("{}://{}:{port}", self.scheme.name(), self.host),
            None => format!("{}://{}", self.scheme.name(), self.host),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a host is this machine. A name counts that no resolver may lead elsewhere; others are
/// not asked about.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
    }
}

/// A host that can be asked for, in small letters. A name with escapes is none: no resolver undoes
/// them.
fn host(text: &str) -> Option<String> {
    let known = match text.strip_prefix('[') {
        Some(address) => {
            let address = address.strip_suffix(']')?;
            address.parse::<std::net::Ipv6Addr>().is_ok()
        }
        None => !text.is_empty() && !text.contains('%'),
    };
    known.then(|| text.to_ascii_lowercase())
}

/// An address or reference as RFC 3986 has it, made of what people and servers write.
struct Plain<'a> {
    /// Without the fragment and the credentials.
    text: String,
    /// The credentials as they stand there: passwords are often not encoded.
    userinfo: Option<&'a str>,
}

impl<'a> Plain<'a> {
    /// `None` where there are characters that mean one thing to one program and another to the
    /// next: spaces and other controls, backslashes (a slash to browsers), and all beyond ASCII.
    fn of(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text.bytes().any(|b| !b.is_ascii_graphic() || b == b'\\') {
            return None;
        }
        let text = text.split('#').next()?;
        let Some(start) = authority_start(text) else {
            return Some(Plain { text: escaped(text).into_owned(), userinfo: None });
        };
        let end = text[start..].find(['/', '?']).map_or(text.len(), |at| start + at);
        let (userinfo, host) = match text[start..end].rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, &text[start..end]),
        };
        Some(Plain { text: [&text[..start], host, &*escaped(&text[end..])].concat(), userinfo })
    }
}

/// Where the host begins in `//host` and `scheme://host`. Elsewhere two slashes are part of a path.
fn authority_start(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(2);
    }
    let first = text.find([':', '/', '?'])?;
    text[first..].starts_with("://").then_some(first + 3)
}

/// What stands raw in many a path and query and may not: brackets, braces, and a percent sign
/// without two digits.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(1..3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let odd = |at: usize, c: char| "\"<>[]^`{|}".contains(c) || c == '%' && !is_escape(&text[at..]);
    if !text.char_indices().any(|(at, c)| odd(at, c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if odd(at, c) {
            out.push_str(percent_encoding::percent_encode_byte(c as u8));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// What cannot stand in an address, but for brackets, which are those of a host or for
/// [`Url::join`] to encode.
const RAW: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same, for paths whose slashes stay.
const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');

/// A reference as servers send it, with every byte that cannot stand in an address percent-encoded.
pub(crate) fn encode_raw(reference: &[u8]) -> String {
    percent_encoding::percent_encode(reference.trim_ascii(), RAW).to_string()
}

/// Percent-encodes one part of an address, slashes included.
pub(crate) fn encode_part(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, RESERVED).to_string()
}

/// Percent-encodes a path.
pub(crate) fn encode_path(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, RESERVED_BUT_SLASH).to_string()
}

/// Undoes percent-encoding; malformed escapes are left as they are.
pub(crate) fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests;
