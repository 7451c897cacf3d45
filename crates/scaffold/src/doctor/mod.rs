//! A diagnosis of this installation: the machine, the settings, the cache, the token, the way to
//! the Hub.
//!
//! Every finding has a verdict, and those that are not good have a remedy. Nothing is changed and
//! nothing is fetched.

mod access;
mod cache;
mod machine;
mod model;
mod network;
mod settings;

use std::time::Instant;

use crate::config::Config;
use crate::locate::hub_client;
use crate::report::{Finding, Report, Section, Verdict};

/// The verdicts of a diagnosis.
pub const WORDS: [&str; 5] = ["ok", "note", "skipped", "warning", "problem"];

/// Looks at everything, and at what the configured model needs if it is here. Where the
/// configuration is offline, the network is left alone, and that is said.
pub fn examine(config: &Config) -> Report {
    let (started, report) = (Instant::now(), Report::new("Diagnosis", WORDS, Vec::new()));
    let hub = hub_client(config);
    let network = network::examine(config, &hub);
    let reached = network
        .iter()
        .any(|finding| finding.subject == network::ANSWER && finding.verdict == Verdict::Good);
    let sections = vec![
        Section { title: "Machine", findings: machine::examine(config) },
        Section { title: "Settings", findings: settings::examine(config) },
        Section {
            title: "Models on this disk",
            findings: [cache::examine(config, &hub), model::examine(config, &hub)].concat(),
        },
        Section { title: "Hub", findings: network },
        Section { title: "Token", findings: access::examine(config, &hub, reached) },
    ];
    Report { seconds: started.elapsed().as_secs_f64(), sections, ..report }
}

#[cfg(test)]
mod tests;
