//! Which kind of trouble a transport error is.

use std::io;

use ureq::{Error, Timeout};

use crate::fault::NetworkFault;
use crate::tls::TrustProblem;

/// Sorts a transport error by what the user can do about it.
pub(super) fn classify(error: &Error, host: &str, proxied: bool) -> NetworkFault {
    match error {
        Error::HostNotFound if proxied => {
            NetworkFault::Proxy(format!("neither the proxy nor {host} could be found by name"))
        }
        Error::HostNotFound => NetworkFault::NameNotFound,
        Error::ConnectProxyFailed(answer) => {
            NetworkFault::Proxy(format!("the proxy refused the connection: {}", answer.trim()))
        }
        Error::InvalidProxyUrl => {
            NetworkFault::Proxy("the proxy's address cannot be used".to_owned())
        }
        Error::Timeout(Timeout::Resolve | Timeout::Connect) if proxied => {
            NetworkFault::Proxy("the proxy does not answer".to_owned())
        }
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => NetworkFault::ConnectTimeout,
        Error::Timeout(_) => NetworkFault::Stalled,
        Error::ConnectionFailed if proxied => {
            NetworkFault::Proxy("the proxy cannot be reached".to_owned())
        }
        Error::ConnectionFailed => NetworkFault::Refused,
        Error::Io(e) if proxied && e.kind() == io::ErrorKind::ConnectionRefused => {
            NetworkFault::Proxy("nothing listens at the proxy's address".to_owned())
        }
        Error::Io(e) if is_lookup(e) && proxied => {
            NetworkFault::Proxy("the proxy's host name could not be found".to_owned())
        }
        Error::Io(e) if proxied && is_of_socks(e) => {
            NetworkFault::Proxy(format!("the SOCKS proxy refused the connection: {e}"))
        }
        Error::Io(e) => match of_io(e) {
            // Whichever end broke it: one that does not speak the proxy's protocol does, too.
            NetworkFault::Broken(what) if proxied => {
                NetworkFault::Broken(format!("{what}, on the way through the proxy"))
            }
            fault => fault,
        },
        Error::Other(inner) if inner.downcast_ref::<TrustProblem>().is_some() => {
            NetworkFault::TrustStore(inner.to_string())
        }
        Error::Rustls(_) | Error::Tls(_) | Error::Pem(_) => of_tls(&error.to_string()),
        other => NetworkFault::Protocol(other.to_string()),
    }
}

/// As [`classify`], for errors that come while a body is read.
pub(crate) fn of_io(error: &io::Error) -> NetworkFault {
    if let Some(inner) = error.get_ref() {
        if let Some(ureq) = inner.downcast_ref::<Error>() {
            return classify(ureq, "", false);
        }
        let text = inner.to_string();
        if looks_like_tls(&text) {
            return of_tls(&text);
        }
    }
    if is_lookup(error) {
        return NetworkFault::NameNotFound;
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => NetworkFault::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => NetworkFault::Stalled,
        _ => NetworkFault::Broken(error.to_string()),
    }
}

/// The standard library has no kind of its own for a name that could not be resolved; this text is
/// its own on every platform.
fn is_lookup(error: &io::Error) -> bool {
    error.to_string().contains("failed to lookup address information")
}

fn looks_like_tls(text: &str) -> bool {
    ["certificate", "Certificate", "UnknownIssuer", "HandshakeFailure"]
        .iter()
        .any(|word| text.contains(word))
}

/// What `ureq` says when a SOCKS proxy declines or does not speak SOCKS; there is no kind of its
/// own for it.
fn is_of_socks(error: &io::Error) -> bool {
    const WORDS: [&str; 19] = [
        // The proxy hung up: it does not speak this version.
        "failed to fill whole buffer",
        "invalid response version",
        "invalid response code",
        "invalid reserved byte",
        "unsupported address type",
        "no acceptable auth methods",
        "unknown auth method",
        "password authentication failed",
        "request rejected",
        "SOCKS",
        "not allowed by ruleset",
        "network unreachable",
        "host unreachable",
        "connection refused",
        "TTL expired",
        "command not supported",
        "address kind not supported",
        "unknown error",
        "invalid password",
    ];
    let text = error.to_string();
    // Errors of the system have their number after them.
    error.raw_os_error().is_none()
        && WORDS.iter().any(|word| text.starts_with(word) || text.ends_with(word))
}

/// A certificate whose dates do not fit is the local clock's fault more often than the server's.
fn of_tls(text: &str) -> NetworkFault {
    if ["expired", "Expired", "not valid yet", "NotValidYet"].iter().any(|word| text.contains(word))
    {
        return NetworkFault::Clock(text.to_owned());
    }
    let text = text.strip_prefix("invalid peer certificate: ").unwrap_or(text);
    if text.contains("not valid for name") || text.contains("NotValidForName") {
        return NetworkFault::OtherHost(text.to_owned());
    }
    if text.contains("CaUsedAsEndEntity") {
        return NetworkFault::Certificate(
            "it is self-signed, and not itself among the certificates that are trusted".to_owned(),
        );
    }
    NetworkFault::Certificate(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_and_clocks_are_told_apart() {
        // As rustls words them.
        let kind = |text: &str| {
            let wrapped = io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
            assert_eq!(of_io(&wrapped), of_tls(text));
            of_tls(text)
        };
        let issuer = kind("invalid peer certificate: UnknownIssuer");
        assert!(matches!(issuer, NetworkFault::Certificate(_)), "{issuer:?}");
        for text in [
            "invalid peer certificate: Expired",
            "invalid peer certificate: certificate expired: verification time 1 (UNIX), but certificate is not valid after 0",
            "invalid peer certificate: certificate not valid yet: verification time 0 (UNIX), but certificate is not valid before 1",
        ] {
            assert!(matches!(kind(text), NetworkFault::Clock(_)), "{text}");
        }
    }

    #[test]
    fn names_that_do_not_resolve_are_no_broken_connections() {
        let lookup =
            io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(classify(&Error::Io(lookup), "h", false), NetworkFault::NameNotFound);
        let refused = || Error::Io(io::ErrorKind::ConnectionRefused.into());
        assert_eq!(classify(&refused(), "h", false), NetworkFault::Refused);
        assert!(matches!(classify(&refused(), "h", true), NetworkFault::Proxy(_)));
    }
}
