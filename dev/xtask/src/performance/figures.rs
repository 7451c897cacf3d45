//! What was measured, to be looked up.

use serde_json::Value;

/// All records.
pub(super) struct Figures {
    document: Value,
}

/// What one program did in one part of the comparison.
#[derive(Clone, Copy)]
pub(super) struct Record<'a>(&'a Value);

impl Figures {
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { document: serde_json::from_str(text)? })
    }

    /// A text that stands for all records.
    pub(super) fn text(&self, key: &str) -> &str {
        self.document[key].as_str().unwrap_or_default()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let list = self.document["records"].as_array();
        list.into_iter().flatten().map(Record)
    }

    /// What `program` did.
    pub(super) fn find(&self, part: &str, of: Record<'_>, program: &str) -> Option<Record<'_>> {
        self.records().find(|record| {
            record.part() == part
                && record.program() == program
                && record.model() == of.model()
                && record.threads() == of.threads()
                && record.text("level") == of.text("level")
        })
    }

    /// Scaffold's records of a part.
    pub(super) fn ours<'a>(&'a self, part: &'a str) -> impl Iterator<Item = Record<'a>> {
        self.records().filter(move |record| record.part() == part && record.program() == "scaffold")
    }
}

impl<'a> Record<'a> {
    pub(super) fn part(self) -> &'a str {
        self.text("part")
    }

    pub(super) fn program(self) -> &'a str {
        self.text("program")
    }

    pub(super) fn model(self) -> &'a str {
        self.text("model")
    }

    pub(super) fn threads(self) -> u64 {
        self.0["threads"].as_u64().unwrap_or(0)
    }

    pub(super) fn text(self, key: &str) -> &'a str {
        self.0[key].as_str().unwrap_or_default()
    }

    /// A number beside the values.
    pub(super) fn number(self, key: &str) -> Option<f64> {
        self.0[key].as_f64()
    }

    pub(super) fn value(self, key: &str) -> Option<f64> {
        self.values()[key].as_f64()
    }

    pub(super) fn values(self) -> &'a Value {
        &self.0["values"]
    }
}
