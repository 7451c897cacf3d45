//! Which proxy an address is asked through, if any.

use std::net::IpAddr;

use ureq::Proxy;

use crate::config::Proxies;
use crate::fault::NetworkFault;
use crate::url::Url;

/// Schemes of proxies, and what `ureq` calls them. `socks` is what Ubuntu's settings and some VPN
/// programs write.
const SCHEMES: [(&str, &str); 7] = [
    ("http", "http"),
    ("https", "https"),
    ("socks", "socks5"),
    ("socks5", "socks5"),
    ("socks5h", "socks5h"),
    ("socks4", "socks4"),
    ("socks4a", "socks4a"),
];

impl Proxies {
    /// The proxy that `url` is asked through.
    pub(crate) fn for_url(&self, url: &Url) -> Result<Option<Proxy>, NetworkFault> {
        let configured = if url.is_https() { &self.https } else { &self.http };
        let excepted = |list: &str| is_excepted(list, url.host(), url.port());
        match configured {
            Some(text) if !self.no_proxy.as_deref().is_some_and(excepted) => parse(text).map(Some),
            _ => Ok(None),
        }
    }
}

fn parse(text: &str) -> Result<Proxy, NetworkFault> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let known = SCHEMES.iter().find(|(known, _)| scheme.eq_ignore_ascii_case(known));
    let Some((_, name)) = known else {
        // The rest of the address may hold a password.
        return Err(NetworkFault::Proxy(format!(
            "the configured proxy's address begins with `{scheme}://`; these are known: http, https, socks5, socks5h, socks4, socks4a"
        )));
    };
    Proxy::new(&format!("{name}://{rest}")).map_err(|_| {
        NetworkFault::Proxy(
            "the configured proxy address cannot be read; it looks like http://host:port or socks5://host:port"
                .to_owned(),
        )
    })
}

/// Whether `host:port` is on a `NO_PROXY` list of names, addresses and networks. A name also stands
/// for all names below it, an entry with a port for that port alone.
fn is_excepted(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    list.split([',', ' '])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || fits(entry, host, port))
}

fn fits(entry: &str, host: &str, port: u16) -> bool {
    let (name, wanted) = split_port(entry);
    if wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return in_network(name, address);
    }
    let name = name.trim_start_matches('*').trim_start_matches('.');
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.is_empty()
        && host.strip_suffix(&name).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// Splits `name:port`, `[address]:port`, `address`, `network/bits`.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|inside| inside.split_once(']'))
    {
        return (address, rest.strip_prefix(':').and_then(|p| p.parse().ok()));
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            // `::/0` has no port either.
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

/// Whether `address` is the one that `text` names, or lies in the network `address/bits`.
fn in_network(text: &str, address: IpAddr) -> bool {
    let (network, bits) = match text.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (text, Some(u32::MAX)),
    };
    let (Ok(network), Some(bits)) = (network.parse::<IpAddr>(), bits) else {
        return false;
    };
    let same_front = |a: u128, b: u128, width: u32| {
        let ignored = width - bits.min(width);
        a.checked_shr(ignored).unwrap_or(0) == b.checked_shr(ignored).unwrap_or(0)
    };
    match (network.to_canonical(), address.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same_front(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same_front(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_lists_names_and_what_is_below_them() {
        let list = "localhost, .corp.example,example.org:443 *.wild.net";
        for host in [
            "localhost",
            "a.corp.example",
            "corp.example",
            "example.org",
            "www.EXAMPLE.org",
            "x.wild.net",
            "www.example.org.",
        ] {
            assert!(is_excepted(list, host, 443), "{host}");
        }
        for host in ["notexample.org", "example.com", "localhost.evil"] {
            assert!(!is_excepted(list, host, 443), "{host}");
        }
        assert!(!is_excepted(list, "example.org", 8080));
        assert!(is_excepted("*", "anything", 80));
        assert!(!is_excepted("", "anything", 80));
    }

    #[test]
    fn no_proxy_lists_addresses_and_networks() {
        for (list, host) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("10.0.0.0/8", "10.200.3.4"),
            ("192.168.4.0/22", "192.168.7.255"),
            ("0.0.0.0/0", "8.8.8.8"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
            ("[::1]:8080", "[::1]"),
            ("fd00::/8", "[fd12:3456::1]"),
            ("::/0", "[2001:db8::1]"),
        ] {
            assert!(is_excepted(list, host, 8080), "{list} {host}");
        }
        for (list, host) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("192.168.4.0/22", "192.168.8.0"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("::1", "[::2]"),
            ("fd00::/8", "[fc00::1]"),
            ("10.0.0.0/99x", "10.0.0.1"),
            ("0.1", "10.0.0.1"),
        ] {
            assert!(!is_excepted(list, host, 8080), "{list} {host}");
        }
    }

    #[test]
    fn every_scheme_of_a_proxy_is_known_or_named() {
        for (text, port) in [
            ("proxy:3128", 3128),
            ("http://user:pass@proxy:3128", 3128),
            ("HTTPS://proxy:3129", 3129),
            ("socks://127.0.0.1:7891", 7891),
            ("socks5://[::1]:1080", 1080),
            ("socks5h://proxy", 1080),
            ("socks4a://proxy:1", 1),
        ] {
            assert_eq!(parse(text).unwrap().port(), port, "{text}");
        }
        for (text, part) in [("ftp://u:secret@h", "`ftp://`"), ("http://a b", "host:port")] {
            let fault = parse(text).unwrap_err().to_string();
            assert!(fault.contains(part) && !fault.contains("secret"), "{fault}");
        }
    }
}
