//! What a diagnosis or a run of the system test found, and the forms in which it is written.

mod escape;
mod heat_map;
mod html;
mod markdown;
mod timing_chart;

use std::time::SystemTime;

use scaffold_error::{Error, Remedy};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::machine::Machine;
use crate::selftest::utc;

/// What was looked at or tested, and how it is.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What kind of report it is.
    #[serde(skip)]
    pub title: &'static str,
    /// The verdicts in one word, by [`Verdict`]; empty where there is none.
    #[serde(skip)]
    pub words: [&'static str; 5],
    /// The form of this structure, for programs that read the JSON.
    pub format: u32,
    /// When it was begun, in UTC (ISO 8601).
    pub started: String,
    /// How long it took.
    pub seconds: f64,
    /// The program's version.
    pub version: String,
    /// Where it was made.
    pub machine: Machine,
    /// The models that were tested.
    pub models: Vec<Model>,
    /// The findings, by what they are about.
    #[serde(rename = "tests", serialize_with = "as_tests")]
    pub sections: Vec<Section>,
}

/// Findings about one thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// What they are about.
    pub title: &'static str,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at or tested.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// A short name of a test, which stays the same between versions.
    #[serde(skip)]
    pub id: &'static str,
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub verdict: Verdict,
    /// What had to be seen, in words and numbers.
    #[serde(skip)]
    pub expected: String,
    /// What was seen, or why it was not looked at.
    pub seen: String,
    /// What to do about it, one step after the other.
    #[serde(
        rename = "remedy",
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "in_a_line"
    )]
    pub remedies: Vec<Remedy>,
    /// How long a test took.
    #[serde(skip)]
    pub seconds: Option<f64>,
    /// What shows it.
    #[serde(skip)]
    pub evidence: Vec<Evidence>,
}

/// How something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    #[default]
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
    /// The verdict as a mark.
    pub fn mark(self) -> char {
        ['✓', '·', '–', '!', '✗'][self as usize]
    }

    /// Its name in files.
    fn name(self) -> &'static str {
        ["passed", "note", "skipped", "warning", "failed"][self as usize]
    }
}

impl Finding {
    /// What was seen of something, and how it is.
    pub fn new(subject: impl Into<String>, verdict: Verdict, seen: impl Into<String>) -> Finding {
        Finding { subject: subject.into(), verdict, seen: seen.into(), ..Finding::default() }
    }

    /// What an error says about something, with what to do about it.
    pub fn of_error(subject: impl Into<String>, verdict: Verdict, error: &Error) -> Finding {
        let finding = Finding::new(subject, verdict, error.sentence());
        error.remedies().iter().cloned().fold(finding, Finding::remedy)
    }

    /// The same with this to do about it.
    pub fn remedy(mut self, remedy: impl Into<Remedy>) -> Finding {
        self.remedies.push(remedy.into());
        self
    }

    /// How long it took; where that is not known, what was seen.
    fn brief(&self) -> String {
        self.seconds.map_or_else(|| self.seen.clone(), |seconds| format!("{seconds:.2} s"))
    }

    /// What there is to say about it, as name and value, but for its verdict.
    fn facts(&self) -> impl Iterator<Item = (&str, String)> {
        let seen = if self.verdict == Verdict::Skipped { "" } else { &self.seen };
        let facts = [("expected", self.expected.clone()), ("seen", seen.to_owned())];
        let remedies = self.remedies.iter().map(|remedy| ("to do", remedy.to_string()));
        let shown = self.evidence.iter().filter_map(|one| match one {
            Evidence::Fact { name, value } => Some((name.as_str(), value.clone())),
            _ => None,
        });
        facts.into_iter().filter(|(_, value)| !value.is_empty()).chain(remedies).chain(shown)
    }
}

fn in_a_line<S: Serializer>(remedies: &[Remedy], serializer: S) -> Result<S::Ok, S::Error> {
    let words: Vec<String> = remedies.iter().map(Remedy::to_string).collect();
    serializer.serialize_str(&words.join("; "))
}

/// A finding as it stands in a report for programs.
struct Test<'a>(&'a Finding);

impl Serialize for Test<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Finding { id, subject, verdict, expected, seen, seconds, evidence, .. } = self.0;
        let (mut outcome, mut seen) = (json!({ "result": verdict.name() }), seen.as_str());
        if *verdict == Verdict::Skipped {
            outcome["because"] = json!(std::mem::take(&mut seen));
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("title", subject)?;
        map.serialize_entry("outcome", &outcome)?;
        map.serialize_entry("expected", expected)?;
        map.serialize_entry("seen", seen)?;
        if let Some(remedy) = json!(self.0).get("remedy") {
            map.serialize_entry("remedy", remedy)?;
        }
        map.serialize_entry("seconds", &seconds.unwrap_or_default())?;
        map.serialize_entry("evidence", evidence)?;
        map.end()
    }
}

fn as_tests<S: Serializer>(sections: &[Section], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(sections.iter().flat_map(|section| &section.findings).map(Test))
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

impl Model {
    /// The files as rows of a table.
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |f: &ModelFile| vec![f.name.clone(), f.bytes.to_string(), f.sha256.clone()];
        self.files.iter().map(row).collect()
    }
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
    /// use scaffold::report::Form;
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
    /// A report on this machine with these findings, begun now.
    pub fn new(title: &'static str, words: [&'static str; 5], sections: Vec<Section>) -> Report {
        Report {
            title,
            words,
            format: 1,
            started: utc(SystemTime::now()),
            seconds: 0.0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: Machine::look(),
            models: Vec::new(),
            sections,
        }
    }

    /// The report as text.
    pub fn write(&self, form: Form) -> String {
        match form {
            Form::Markdown => markdown::write(self),
            Form::Html => html::write(self),
            // A report holds only strings, numbers and lists of them.
            Form::Json => serde_json::to_string_pretty(self).unwrap_or_default() + "\n",
        }
    }

    /// All findings.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.sections.iter().flat_map(|section| &section.findings)
    }

    /// How many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings().filter(|finding| finding.verdict == verdict).count()
    }

    /// The verdicts that such a report can give, each with its word and how often it does.
    fn counts(&self) -> Vec<(Verdict, &'static str, usize)> {
        use Verdict::{Bad, Good, Note, Skipped, Warning};
        let counts = [Good, Bad, Warning, Note, Skipped].map(|v| (v, self.word(v), self.count(v)));
        counts.into_iter().filter(|(_, word, _)| !word.is_empty()).collect()
    }

    /// A verdict in one word.
    pub fn word(&self, verdict: Verdict) -> &'static str {
        self.words[verdict as usize]
    }

    /// The verdict on a finding, with the reason where it was not looked at.
    pub fn outcome(&self, finding: &Finding) -> String {
        let word = self.word(finding.verdict);
        match finding.verdict {
            Verdict::Skipped => format!("{word}, because {}", finding.seen),
            _ => word.to_owned(),
        }
    }

    /// What a table of the findings tells of each beside its verdict.
    fn detail(&self) -> &'static str {
        if self.findings().any(|finding| finding.seconds.is_some()) { "Time" } else { "Seen" }
    }

    /// Whether something does not work.
    pub fn failed(&self) -> bool {
        self.count(Verdict::Bad) > 0
    }

    /// The result in one sentence.
    pub fn summary(&self) -> String {
        let counts = self.counts();
        let counts: Vec<String> = counts.iter().map(|(_, word, n)| format!("{n} {word}")).collect();
        counts.join(", ")
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
