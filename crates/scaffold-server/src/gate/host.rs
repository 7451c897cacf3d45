//! The `Host` header.

use std::net::IpAddr;

/// Whether a `Host` header can be one of a program on this machine that means this machine: an
/// address, which nobody can have resolved, or a name that is always this machine's.
pub(crate) fn is_of_this_machine(host: &str) -> bool {
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
    name.is_empty()
        || name == "localhost"
        || name.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok()
}

/// `host` of `host:port`, with the brackets of an address of IPv6.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::is_of_this_machine;

    #[test]
    fn names_of_strangers_are_told_from_this_machines() {
        for host in [
            "localhost",
            "LOCALHOST:11434",
            "app.localhost:1",
            "127.0.0.1:11434",
            "[::1]:80",
            "::1",
            "",
        ] {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:11434",
            "127.0.0.1.evil.example",
            "notlocalhost",
        ] {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }
}
