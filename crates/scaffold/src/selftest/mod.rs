//! The self-test: does this installation compute what it should, with the models that are here?
//!
//! [`run`] tests a language model, an embedding model and a cross-encoder, and returns a [`Report`]
//! that is written as Markdown, HTML or JSON. A model that is not on this disk is skipped and says
//! so; it never counts as passed.

mod answering;
mod clock;
mod embedding;
mod model;
mod ranking;

use std::time::Instant;

use scaffold_hub::Progress;

use crate::config::Config;
use crate::error::Error;
use crate::report::{Evidence, Finding, Report, Section, Verdict};

pub use clock::utc;

/// The verdicts on tests.
pub const WORDS: [&str; 5] = ["passed", "", "skipped", "", "failed"];

/// The embedding model that is tested where none is named.
pub const EMBEDDING_MODEL: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// The cross-encoder that is tested where none is named.
pub const CROSS_ENCODER: &str = "cross-encoder/ms-marco-MiniLM-L-6-v2";

/// What is tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The embedding model.
    pub embedding_model: String,
    /// The cross-encoder.
    pub cross_encoder: String,
    /// Fetch models that are not on this disk; otherwise they are skipped.
    pub fetch: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            embedding_model: EMBEDDING_MODEL.to_owned(),
            cross_encoder: CROSS_ENCODER.to_owned(),
            fetch: false,
        }
    }
}

/// Tests the configured language model and those of the plan. `progress` hears of downloads,
/// `heard` of each test as it ends.
pub fn run(
    config: &Config,
    plan: &Plan,
    progress: &mut dyn Progress,
    heard: &mut dyn FnMut(&Report, &Finding),
) -> Report {
    let started = Instant::now();
    let report =
        Report::new("Self-test", WORDS, vec![Section { title: "Tests", findings: Vec::new() }]);
    let mut run = Run { config, fetch: plan.fetch, progress, heard, report };
    answering::run(&mut run, &config.model.value);
    embedding::run(&mut run, &plan.embedding_model);
    ranking::run(&mut run, &plan.cross_encoder);
    Report { seconds: started.elapsed().as_secs_f64(), ..run.report }
}

/// A run as it goes on.
struct Run<'a> {
    config: &'a Config,
    fetch: bool,
    progress: &'a mut dyn Progress,
    heard: &'a mut dyn FnMut(&Report, &Finding),
    report: Report,
}

/// What a test is, before it is made.
#[derive(Clone, Copy)]
struct Spec {
    id: &'static str,
    title: &'static str,
    expected: &'static str,
}

/// What a test saw.
#[derive(Default)]
struct Seen {
    /// Whether it is what was expected.
    good: bool,
    text: String,
    evidence: Vec<Evidence>,
}

impl Run<'_> {
    /// Makes a test. An error is a failure, with its text as what was seen.
    fn test<T>(
        &mut self,
        spec: Spec,
        make: impl FnOnce(&mut Seen) -> Result<T, Error>,
    ) -> Option<T> {
        let started = Instant::now();
        let mut seen = Seen::default();
        let made = make(&mut seen);
        if let Err(error) = &made {
            seen.good = false;
            seen.text = error.to_string();
        }
        let verdict = if seen.good { Verdict::Good } else { Verdict::Bad };
        let seconds = started.elapsed().as_secs_f64();
        self.ended(spec, verdict, seen, seconds);
        made.ok()
    }

    fn skip(&mut self, specs: &[Spec], because: &str) {
        for spec in specs {
            let seen = Seen { text: because.to_owned(), ..Seen::default() };
            self.ended(*spec, Verdict::Skipped, seen, 0.0);
        }
    }

    fn ended(&mut self, spec: Spec, verdict: Verdict, seen: Seen, seconds: f64) {
        let test = Finding {
            id: spec.id,
            expected: spec.expected.to_owned(),
            seconds: Some(seconds),
            evidence: seen.evidence,
            ..Finding::new(spec.title, verdict, seen.text)
        };
        (self.heard)(&self.report, &test);
        self.report.sections[0].findings.push(test);
    }
}

fn fact(name: &str, value: impl Into<String>) -> Evidence {
    Evidence::Fact { name: name.to_owned(), value: value.into() }
}

#[cfg(test)]
mod tests;
