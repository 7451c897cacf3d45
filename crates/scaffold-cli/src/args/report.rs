//! The flag that writes reports to files.

use std::path::{Path, PathBuf};

use clap::Args;
use scaffold::report::{Form, Report};

use crate::failure::Usage;
use crate::{out, outfile};

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Write a report to this file, by its ending: .md, .html or .json; may be given more than once
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
}

impl ReportArgs {
    /// The files, and how each is written.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<(&Path, Form)>> {
        self.report.iter().map(|path| Ok((path.as_path(), form(path)?))).collect()
    }
}

/// Writes a report to each file.
pub(crate) fn write(report: &Report, files: &[(&Path, Form)]) -> anyhow::Result<()> {
    for (path, form) in files {
        outfile::write(path, report.write(*form))?;
        out::say(format_args!("report: {}", path.display()));
    }
    Ok(())
}

fn form(path: &Path) -> anyhow::Result<Form> {
    Form::of_name(path).ok_or_else(|| {
        Usage(format!(
            "--report {}: the file's ending says how it is written\n  accepted: .md, .html, .json",
            path.display()
        ))
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_known_by_their_endings() {
        let message = form("report.pdf".as_ref()).unwrap_err().to_string();
        assert!(message.contains(".md, .html, .json"), "{message}");
    }
}
