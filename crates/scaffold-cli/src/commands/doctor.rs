//! `scaffold doctor`

use std::fmt::Write as _;

use clap::Args;
use scaffold::config::{Flag, Key};
use scaffold::doctor;
use scaffold::report::{Finding, Report, Verdict};
use serde_json::json;

use crate::args::{ComputeArgs, ProjectArgs, ReportArgs, report};
use crate::failure::Exit;
use crate::{layout, out, remedy};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold doctor                   machine, settings, models on this disk, the way to the Hub, the token
  scaffold doctor starter           the same, and what this model needs of memory
  scaffold doctor --offline         without the network
  scaffold doctor --report report.html  the same as a file, to keep or send
  scaffold doctor --json | jq '.sections[].findings[] | select(.verdict == \"bad\")'

Exit code 1 if something does not work. Nothing is changed and nothing is fetched.")]
pub(crate) struct DoctorArgs {
    /// A model, in place of the configured one (LLM_MODEL), to say what it needs of memory if it is
    /// here
    model: Option<String>,
    /// Print {\"sections\": [{\"title\": …, \"findings\": [{\"subject\": …, \"verdict\": …, …}]}]}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(crate) fn run(args: &DoctorArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let files = args.report.files()?;
    let named = args.model.iter().map(|value| Flag {
        key: Key::Model,
        name: "MODEL",
        value: value.clone(),
    });
    let config = project.load(named.chain(args.compute.flags()).collect())?;
    let diagnosis = doctor::examine(&config);
    report::write(&diagnosis, &files)?;
    if args.json {
        out::json(&json!({ "sections": diagnosis.sections }))?;
    } else {
        out::text(&text(&diagnosis))?;
    }
    Ok(if diagnosis.failed() { Exit::Refused } else { Exit::Done })
}

fn text(diagnosis: &Report) -> String {
    let mut text = String::new();
    for section in &diagnosis.sections {
        text.push_str(section.title);
        text.push('\n');
        let rows: Vec<Vec<String>> =
            section.findings.iter().map(|finding| row(diagnosis, finding)).collect();
        // One finding after the other, each with its remedy below.
        let lines = layout::table(&rows, layout::stdout_width());
        for (lines, finding) in lines.iter().zip(&section.findings) {
            text.push_str(lines);
            for remedy in &finding.remedies {
                for line in remedy::words(remedy).lines() {
                    text.push_str("            to do: ");
                    text.push_str(line.trim());
                    text.push('\n');
                }
            }
        }
        text.push('\n');
    }
    let (bad, warnings) = (diagnosis.count(Verdict::Bad), diagnosis.count(Verdict::Warning));
    let skipped = diagnosis.count(Verdict::Skipped);
    let verdict = match (bad, warnings) {
        (0, 0) => "Everything that was looked at is as it should be".to_owned(),
        (0, _) => format!("Nothing is broken; {}", counted(warnings, "warning")),
        _ => [counted(bad, "problem"), counted(warnings, "warning")].join(", "),
    };
    text.push_str(&verdict);
    if skipped > 0 {
        let _ = write!(text, " ({skipped} not looked at)");
    }
    text.push_str(".\n");
    text
}

fn row(diagnosis: &Report, finding: &Finding) -> Vec<String> {
    let (mark, word) = (finding.verdict.mark(), diagnosis.word(finding.verdict));
    let seen = finding.seen.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    vec![format!("  {mark} {word}"), finding.subject.clone(), seen]
}

fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use scaffold::report::Section;

    use super::*;

    #[test]
    fn every_finding_has_a_line_and_its_remedy_below() {
        let finding = |subject, verdict| Finding::new(subject, verdict, "seen\n  more");
        let findings = vec![
            finding("address", Verdict::Good),
            finding("name", Verdict::Bad).remedy("check the network"),
        ];
        let diagnosis = Report::new("a", doctor::WORDS, vec![Section { title: "Hub", findings }]);
        assert_eq!(
            text(&diagnosis),
            "Hub\n  ✓ ok       address  seen more\n  ✗ problem  name     seen more\n            to do: check the network\n\n1 problem, 0 warnings.\n"
        );
    }
}
