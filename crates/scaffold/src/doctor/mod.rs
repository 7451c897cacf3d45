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

use std::fmt;

use scaffold_error::Remedy;
use serde::{Serialize, Serializer};

use crate::config::Config;
use crate::locate::hub_client;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The findings, by what they are about.
    pub sections: Vec<Section>,
}

/// Findings about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// What they are about.
    pub title: &'static str,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do about it, one step after the other.
    #[serde(
        rename = "remedy",
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "in_a_line"
    )]
    pub remedies: Vec<Remedy>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Not looked at, for the reason that is given.
    Skipped,
    /// Something will not work as it should.
    Warning,
    /// Something does not work.
    Bad,
}

impl Verdict {
    /// The verdict in one word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Good => "ok",
            Verdict::Note => "note",
            Verdict::Skipped => "skipped",
            Verdict::Warning => "warning",
            Verdict::Bad => "problem",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Finding {
    fn new(subject: impl Into<String>, verdict: Verdict, seen: impl Into<String>) -> Finding {
        Finding { subject: subject.into(), verdict, seen: seen.into(), remedies: Vec::new() }
    }

    fn remedy(mut self, remedy: impl Into<Remedy>) -> Finding {
        self.remedies.push(remedy.into());
        self
    }
}

fn in_a_line<S: Serializer>(remedies: &[Remedy], serializer: S) -> Result<S::Ok, S::Error> {
    let words: Vec<String> = remedies.iter().map(Remedy::to_string).collect();
    serializer.serialize_str(&words.join("; "))
}

impl Diagnosis {
    /// The worst verdict.
    pub fn worst(&self) -> Verdict {
        let findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.map(|finding| finding.verdict).max().unwrap_or(Verdict::Good)
    }

    /// How many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.filter(|finding| finding.verdict == verdict).count()
    }
}

/// Looks at everything, and at what the configured model needs if it is here. Where the
/// configuration is offline, the network is left alone, and that is said.
pub fn examine(config: &Config) -> Diagnosis {
    let hub = hub_client(config);
    let network = network::examine(config, &hub);
    let reached = network
        .iter()
        .any(|finding| finding.subject == network::ANSWER && finding.verdict == Verdict::Good);
    Diagnosis {
        sections: vec![
            Section { title: "Machine", findings: machine::examine(config) },
            Section { title: "Settings", findings: settings::examine(config) },
            Section {
                title: "Models on this disk",
                findings: [cache::examine(config, &hub), model::examine(config, &hub)].concat(),
            },
            Section { title: "Hub", findings: network },
            Section { title: "Token", findings: access::examine(config, &hub, reached) },
        ],
    }
}

#[cfg(test)]
mod tests;
