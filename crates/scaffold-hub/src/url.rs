//! The few operations on `http` and `https` addresses that a Hub client needs.

use std::fmt;

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
    /// Parses an absolute address; `None` when it is not one that this client can ask.
    pub(crate) fn parse(text: &str) -> Option<Url> {
        let text = text.trim();
        if text.bytes().any(|b| b <= b' ' || b == 0x7f || b >= 0x80) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let rest = rest.split('#').next()?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (userinfo, host_port) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        let (host, port) = split_port(host_port)?;
        let target = match target.chars().next() {
            None => "/".to_owned(),
            Some('?') => format!("/{target}"),
            Some(_) => target.to_owned(),
        };
        Some(Url { scheme, userinfo, host: host.to_ascii_lowercase(), port, target })
    }

    /// Resolves a reference (`Location`, `href`) against this address.
    pub(crate) fn join(&self, reference: &str) -> Option<Url> {
        let reference = reference.trim().split('#').next().unwrap_or("");
        let lower = reference.to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            return Url::parse(reference);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return Url::parse(&format!("{}://{rest}", self.scheme.name()));
        }
        if reference.bytes().any(|b| b <= b' ' || b == 0x7f || b >= 0x80) {
            return None;
        }
        let path = self.path();
        let target = if reference.is_empty() {
            self.target.clone()
        } else if reference.starts_with('/') {
            reference.to_owned()
        } else if reference.starts_with('?') {
            format!("{path}{reference}")
        } else {
            // Another scheme (`mailto:`, `file:`) is nothing that we follow.
            let first = reference.split(['/', '?']).next().unwrap_or("");
            if first.contains(':') {
                return None;
            }
            let directory = &path[..=path.rfind('/').unwrap_or(0)];
            format!("{directory}{reference}")
        };
        Some(Url { target: without_dots(&target), ..self.clone() })
    }

    /// The address with `path` (already percent-encoded, no leading slash) put behind this one's
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

fn split_port(host_port: &str) -> Option<(&str, Option<u16>)> {
    let bracket = host_port.rfind(']').unwrap_or(0);
    let (host, port) = match host_port[bracket..].rfind(':') {
        Some(i) => {
            let (host, port) = host_port.split_at(bracket + i);
            let port = &port[1..];
            (host, if port.is_empty() { None } else { Some(port.parse().ok()?) })
        }
        None => (host_port, None),
    };
    (!host.is_empty()).then_some((host, port))
}

fn without_dots(target: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut parts: Vec<&str> = Vec::new();
    let last_is_directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let mut out = format!("/{}", parts.join("/"));
    if last_is_directory && !out.ends_with('/') {
        out.push('/');
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    out
}

/// A reference as servers send it, with every byte that cannot stand in an address percent-encoded.
pub(crate) fn encode_raw(reference: &[u8]) -> String {
    let mut out = String::with_capacity(reference.len());
    for &byte in reference.trim_ascii() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push_str(&crate::digest::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}

/// Percent-encodes everything but RFC 3986's unreserved characters and those in `keep`.
pub(crate) fn percent_encode(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push_str(&crate::digest::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}

/// Undoes percent-encoding; malformed escapes are left as they are.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escape = (bytes[i] == b'%')
            .then(|| bytes.get(i + 1..i + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = escape {
            out.push(byte);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, reference: &str) -> Option<String> {
        Some(Url::parse(base)?.join(reference)?.request_text())
    }

    #[test]
    fn joins_as_browsers_do() {
        let base = "https://a.b:8/x/y/?q=1";
        for (reference, want) in [
            ("../../p/f.whl#sha256=00", "https://a.b:8/p/f.whl"),
            ("f.whl", "https://a.b:8/x/y/f.whl"),
            ("/f", "https://a.b:8/f"),
            ("//c.d/f", "https://c.d/f"),
            ("http://c.d", "http://c.d/"),
            ("?z=1", "https://a.b:8/x/y/?z=1"),
            ("../../../../f", "https://a.b:8/f"),
        ] {
            assert_eq!(joined(base, reference).as_deref(), Some(want), "{reference}");
        }
        assert_eq!(joined(base, "file:///etc/passwd"), None);
        assert_eq!(joined(base, "a b"), None);
    }

    #[test]
    fn shows_neither_credentials_nor_signatures() {
        let url = Url::parse("https://user:secret@h/p?Signature=secret").unwrap();
        assert_eq!(format!("{url} {url:?}"), "https://h/p https://h/p");
        assert_eq!(url.userinfo(), Some("user:secret"));
        assert_eq!(url.request_text(), "https://h/p?Signature=secret");
    }

    #[test]
    fn origins_differ_by_scheme_host_and_port() {
        let u = |s| Url::parse(s).unwrap();
        assert!(u("https://h/a").same_origin(&u("https://H:443/b")));
        for other in ["http://h/", "https://h:444/", "https://h.evil/"] {
            assert!(!u("https://h/").same_origin(&u(other)), "{other}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for host in
            ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.8.7", "[::1]", "[::ffff:127.0.0.1]"]
        {
            let url = Url::parse(&format!("http://{host}:8080/x")).unwrap();
            assert!(url.is_loopback(), "{host}");
        }
        for host in
            ["localhost.example", "127.0.0.1.example", "0.0.0.0", "10.0.0.1", "[::2]", "127.1"]
        {
            let url = Url::parse(&format!("http://{host}:8080/x")).unwrap();
            assert!(!url.is_loopback(), "{host}");
        }
    }

    #[test]
    fn hosts_may_be_ip6() {
        let url = Url::parse("http://[::1]:8080/x").unwrap();
        assert_eq!((url.host(), url.port), ("[::1]", Some(8080)));
        for bad in ["", "ftp://h/", "http://", "http://h:99999/", "http://h/ü", "nothing"] {
            assert!(Url::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn raw_references_become_addresses() {
        for (raw, want) in [
            ("/a b/ü.gguf?x=%20", "/a%20b/%C3%BC.gguf?x=%20"),
            (" https://h/模 ", "https://h/%E6%A8%A1"),
            ("/a[1]{2}", "/a[1]%7B2%7D"),
        ] {
            assert_eq!(encode_raw(raw.as_bytes()), want);
        }
        // Latin-1, as old servers write it.
        assert_eq!(encode_raw(b"/\xfc"), "/%FC");
    }

    #[test]
    fn percent_coding_round_trips() {
        let odd = "a b/ü%?#.gguf";
        let coded = percent_encode(odd, b"/");
        assert_eq!(coded, "a%20b/%C3%BC%25%3F%23.gguf");
        assert_eq!(percent_decode(&coded), odd);
        assert_eq!(percent_decode("100%"), "100%");
    }
}
