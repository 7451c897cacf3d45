//! `scaffold selftest`

use clap::Args;
use scaffold::config::{Flag, Key};
use scaffold::report::{Finding, Form, Report, Verdict};
use scaffold::selftest::{self, Plan};

use crate::args::{ComputeArgs, ProjectArgs, ReportArgs, report};
use crate::failure::Exit;
use crate::progress::Display;
use crate::{interrupt, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold selftest --model starter                      what is on this disk is tested, the rest is skipped
  scaffold selftest --model starter --fetch              models that are missing are fetched first
  scaffold selftest --model starter --report report.html one file with plots, which needs no network
  scaffold selftest --report report.md --report report.json

Exit code 1 if a test failed. A test whose model is not here is skipped, with the reason; it never counts as passed.")]
pub(crate) struct SelftestArgs {
    /// The language model; otherwise the configured one [LLM_MODEL]
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The embedding model
    #[arg(long, value_name = "MODEL", default_value = selftest::EMBEDDING_MODEL)]
    embedding_model: String,
    /// The cross-encoder
    #[arg(long, value_name = "MODEL", default_value = selftest::CROSS_ENCODER)]
    cross_encoder: String,
    /// Fetch models that are not on this disk
    #[arg(long)]
    fetch: bool,
    #[command(flatten)]
    report: ReportArgs,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(crate) fn run(args: &SelftestArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let files = args.report.files()?;
    let mut flags = args.compute.flags();
    flags.extend(args.model.clone().map(|value| Flag { key: Key::Model, name: "--model", value }));
    let config = project.load(flags)?;
    config.chosen_device()?;
    interrupt::install()?;
    let plan = Plan {
        embedding_model: args.embedding_model.clone(),
        cross_encoder: args.cross_encoder.clone(),
        fetch: args.fetch,
    };
    let mut heard = |report: &Report, test: &Finding| out::say(line(report, test));
    // Listening to Ctrl-C is for downloads; where there are none, it ends the program as usual.
    let report = if args.fetch {
        selftest::run(&config, &plan, &mut Display::new(), &mut heard)
    } else {
        selftest::run(&config, &plan, &mut scaffold::hub::Silent, &mut heard)
    };
    report::write(&report, &files)?;
    if args.json {
        out::piece(&report.write(Form::Json))?;
    } else {
        out::line(&report.summary())?;
    }
    Ok(if report.failed() { Exit::Refused } else { Exit::Done })
}

fn line(report: &Report, test: &Finding) -> String {
    let mut line = format!("{} {}: {}", test.verdict.mark(), test.subject, report.outcome(test));
    if test.verdict != Verdict::Skipped && !test.seen.is_empty() {
        line = format!("{line}\n    {}", test.seen.replace('\n', "\n    "));
    }
    if test.verdict == Verdict::Bad {
        line = format!("{line}\n    expected: {}", test.expected);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_test_says_what_was_expected() {
        let report = Report::new("a", selftest::WORDS, Vec::new());
        let mut test = Finding::new("A thing works", Verdict::Bad, "2");
        test.expected = "1".to_owned();
        assert_eq!(line(&report, &test), "✗ A thing works: failed\n    2\n    expected: 1");
        test.verdict = Verdict::Skipped;
        test.seen = "it is not here".to_owned();
        assert_eq!(line(&report, &test), "– A thing works: skipped, because it is not here");
    }
}
