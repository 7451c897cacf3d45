//! The system test: does this installation compute what it should, with the models that are here?
//!
//! [`run`] tests a language model, an embedding model and a cross-encoder, and returns a [`Report`]
//! that is written as Markdown, HTML or JSON. A model that is not on this disk is skipped and says
//! so; it never counts as passed.

mod answering;
mod clock;
mod embedding;
mod model;
mod ranking;
pub mod report;

use std::time::{Instant, SystemTime};

use scaffold_hub::Progress;

use crate::config::Config;
use crate::error::Error;
use crate::machine::Machine;

pub use clock::utc;
pub use report::{Evidence, Form, Model, ModelFile, Outcome, Report, Test};

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
    heard: &mut dyn FnMut(&Test),
) -> Report {
    let started = (SystemTime::now(), Instant::now());
    let mut run =
        Run { config, fetch: plan.fetch, progress, heard, models: Vec::new(), tests: Vec::new() };
    answering::run(&mut run, &config.model.value);
    embedding::run(&mut run, &plan.embedding_model);
    ranking::run(&mut run, &plan.cross_encoder);
    Report {
        format: 1,
        started: utc(started.0),
        seconds: started.1.elapsed().as_secs_f64(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: Machine::look(),
        models: run.models,
        tests: run.tests,
    }
}

/// A run as it goes on.
struct Run<'a> {
    config: &'a Config,
    fetch: bool,
    progress: &'a mut dyn Progress,
    heard: &'a mut dyn FnMut(&Test),
    models: Vec<Model>,
    tests: Vec<Test>,
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
        let outcome = if seen.good { Outcome::Passed } else { Outcome::Failed };
        let seconds = started.elapsed().as_secs_f64();
        self.ended(spec, outcome, seen, seconds);
        made.ok()
    }

    fn skip(&mut self, specs: &[Spec], because: &str) {
        for spec in specs {
            let outcome = Outcome::Skipped(because.to_owned());
            self.ended(*spec, outcome, Seen::default(), 0.0);
        }
    }

    fn ended(&mut self, spec: Spec, outcome: Outcome, seen: Seen, seconds: f64) {
        let test = Test {
            id: spec.id,
            title: spec.title.to_owned(),
            outcome,
            expected: spec.expected.to_owned(),
            seen: seen.text,
            seconds,
            evidence: seen.evidence,
        };
        (self.heard)(&test);
        self.tests.push(test);
    }
}

fn fact(name: &str, value: impl Into<String>) -> Evidence {
    Evidence::Fact { name: name.to_owned(), value: value.into() }
}

#[cfg(test)]
mod tests;
