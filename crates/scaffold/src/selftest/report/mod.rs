//! What a run of the system test found, and the three forms in which it is written.

mod escape;
mod heat_map;
mod html;
mod markdown;
mod timing_chart;

use std::fmt;

use serde::Serialize;

use crate::machine::Machine;

/// What a run of the system test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The form of this structure, for programs that read the JSON.
    pub format: u32,
    /// When the run began, in UTC (ISO 8601).
    pub started: String,
    /// How long it took.
    pub seconds: f64,
    /// The program's version.
    pub version: String,
    /// Where it ran.
    pub machine: Machine,
    /// What was tested.
    pub models: Vec<Model>,
    /// Every test, in the order of the run.
    pub tests: Vec<Test>,
}

/// A model that was tested, or that was to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// What it was tested as, for example `embedding model`.
    pub role: String,
    /// Its name, as it was given.
    pub name: String,
    /// Where its files came from; `None` where it is not here.
    pub source: Option<String>,
    /// The repository's revision, where there is one.
    pub revision: Option<String>,
    /// The files that were read.
    pub files: Vec<ModelFile>,
    /// More about it, in words: number formats, sizes.
    pub facts: Vec<(String, String)>,
}

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFile {
    /// Its name within the model.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal, or why there is none.
    pub sha256: String,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Test {
    /// A short name that stays the same between versions.
    pub id: &'static str,
    /// What it is about.
    pub title: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What had to be seen, in words and numbers.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// How long it took.
    pub seconds: f64,
    /// What shows it.
    pub evidence: Vec<Evidence>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "result", content = "because")]
pub enum Outcome {
    /// What was seen is what was expected.
    Passed,
    /// It is not.
    Failed,
    /// The test was not made, for this reason.
    Skipped(String),
}

impl Outcome {
    /// The outcome in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Skipped(_) => "skipped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Skipped(because) => write!(f, "skipped, because {because}"),
            other => f.write_str(other.word()),
        }
    }
}

/// What shows that a test ended as it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Evidence {
    /// One value.
    Fact {
        /// What it is.
        name: String,
        /// The value, with its unit.
        value: String,
    },
    /// Rows of values.
    Table {
        /// What it shows.
        title: String,
        /// The heads of the columns.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<Vec<String>>,
    },
    /// How alike some texts are: a square matrix.
    Similarities {
        /// What it shows.
        title: String,
        /// The texts.
        labels: Vec<String>,
        /// One row for each text.
        values: Vec<Vec<f32>>,
    },
    /// How long each of some equal steps took.
    Timing {
        /// What it shows.
        title: String,
        /// Milliseconds, in order.
        milliseconds: Vec<f64>,
    },
    /// A text that was written.
    Text {
        /// What it is.
        title: String,
        /// The text.
        text: String,
    },
}

/// A form in which a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Markdown.
    Markdown,
    /// One HTML file that needs nothing else.
    Html,
    /// JSON.
    Json,
}

impl Form {
    /// The form that a file's name asks for.
    ///
    /// ```
    /// use scaffold::selftest::report::Form;
    /// assert_eq!(Form::of_name("a/report.html".as_ref()), Some(Form::Html));
    /// assert_eq!(Form::of_name("report.pdf".as_ref()), None);
    /// ```
    pub fn of_name(path: &std::path::Path) -> Option<Form> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "md" | "markdown" => Some(Form::Markdown),
            "html" | "htm" => Some(Form::Html),
            "json" => Some(Form::Json),
            _ => None,
        }
    }
}

impl Report {
    /// The report as text.
    pub fn write(&self, form: Form) -> String {
        match form {
            Form::Markdown => markdown::write(self),
            Form::Html => html::write(self),
            // A report holds only strings, numbers and lists of them.
            Form::Json => serde_json::to_string_pretty(self).unwrap_or_default() + "\n",
        }
    }

    /// How many tests passed, failed and were skipped.
    pub fn counts(&self) -> [usize; 3] {
        let count =
            |word: &str| self.tests.iter().filter(|test| test.outcome.word() == word).count();
        [count("passed"), count("failed"), count("skipped")]
    }

    /// Whether a test failed.
    pub fn failed(&self) -> bool {
        self.counts()[1] > 0
    }

    /// The result in one sentence.
    pub fn summary(&self) -> String {
        let [passed, failed, skipped] = self.counts();
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// What there is to say about the machine, as name and value.
fn machine_facts(machine: &Machine) -> Vec<(&'static str, String)> {
    use crate::machine::bytes_text;
    let mut facts = vec![(
        "system",
        match &machine.system_version {
            Some(version) => format!("{} ({version})", machine.system),
            None => machine.system.clone(),
        },
    )];
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("processor", machine.processor.clone());
    add("instruction set", Some(machine.level.clone()));
    add(
        "cores",
        Some(match machine.physical_cores {
            Some(cores) => format!("{cores}, {} threads", machine.threads),
            None => format!("{} threads", machine.threads),
        }),
    );
    add("processor limit", machine.processor_limit.map(|share| format!("{share:.2}")));
    add("memory", machine.memory.map(bytes_text));
    add("memory available", machine.memory_available.map(bytes_text));
    add(
        "memory limit",
        machine
            .memory_limit
            .as_ref()
            .map(|(bytes, file)| format!("{} ({file})", bytes_text(*bytes))),
    );
    add("load", machine.load.map(|load| format!("{load:.2}")));
    facts
}

#[cfg(test)]
mod tests;
