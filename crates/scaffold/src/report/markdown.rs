//! The report as Markdown.

use std::fmt::Write as _;

use super::{Evidence, Finding, Model, Report, Verdict, machine_facts};

/// Writing to a `String` cannot fail.
const INFALLIBLE: &str = "writing to a string";

pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    writeln!(out, "# Scaffold {}\n", report.title.to_lowercase()).expect(INFALLIBLE);
    writeln!(out, "**{}**\n", report.summary()).expect(INFALLIBLE);
    table(
        &mut out,
        &["", ""],
        &[
            vec!["started".to_owned(), report.started.clone()],
            vec!["took".to_owned(), format!("{:.1} s", report.seconds)],
            vec!["scaffold".to_owned(), report.version.clone()],
        ],
    );
    writeln!(out, "## Tests\n").expect(INFALLIBLE);
    let rows: Vec<Vec<String>> = report
        .findings()
        .map(|test| vec![test.subject.clone(), mark(report, test), test.brief()])
        .collect();
    table(&mut out, &["test", "result", &report.detail().to_lowercase()], &rows);
    for test in report.findings() {
        section(&mut out, report, test);
    }
    if !report.models.is_empty() {
        writeln!(out, "## Models\n").expect(INFALLIBLE);
    }
    for one in &report.models {
        model(&mut out, one);
    }
    writeln!(out, "## Machine\n").expect(INFALLIBLE);
    let facts: Vec<Vec<String>> = machine_facts(&report.machine)
        .into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect();
    table(&mut out, &["", ""], &facts);
    // One line end at the end.
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn mark(report: &Report, finding: &Finding) -> String {
    let (mark, word) = (finding.verdict.mark(), report.word(finding.verdict));
    let bold = if finding.verdict == Verdict::Bad { "**" } else { "" };
    format!("{mark} {bold}{word}{bold}")
}

fn section(out: &mut String, report: &Report, finding: &Finding) {
    writeln!(out, "### {}\n", inline(&finding.subject)).expect(INFALLIBLE);
    writeln!(out, "- result: **{}**", inline(&report.outcome(finding))).expect(INFALLIBLE);
    for (name, value) in finding.facts() {
        writeln!(out, "- {}: {}", inline(name), inline(&value)).expect(INFALLIBLE);
    }
    out.push('\n');
    for one in &finding.evidence {
        evidence(out, one);
    }
}

fn evidence(out: &mut String, evidence: &Evidence) {
    match evidence {
        Evidence::Fact { .. } => {}
        Evidence::Table { title, columns, rows } => {
            writeln!(out, "{}:\n", inline(title)).expect(INFALLIBLE);
            let heads: Vec<&str> = columns.iter().map(String::as_str).collect();
            table(out, &heads, rows);
        }
        Evidence::Similarities { title, labels, values } => {
            writeln!(out, "{}:\n", inline(title)).expect(INFALLIBLE);
            let numbers: Vec<String> = (1..=labels.len()).map(|n| n.to_string()).collect();
            let mut heads = vec!["", ""];
            heads.extend(numbers.iter().map(String::as_str));
            let rows: Vec<Vec<String>> = labels
                .iter()
                .zip(values)
                .zip(&numbers)
                .map(|((label, row), number)| {
                    let mut cells = vec![number.clone(), label.clone()];
                    cells.extend(row.iter().map(|value| format!("{value:.4}")));
                    cells
                })
                .collect();
            table(out, &heads, &rows);
        }
        Evidence::Timing { title, milliseconds } => {
            let shown: Vec<String> = milliseconds.iter().map(|ms| format!("{ms:.1}")).collect();
            writeln!(out, "{} (milliseconds): {}\n", inline(title), shown.join(", "))
                .expect(INFALLIBLE);
        }
        Evidence::Text { title, text } => {
            writeln!(out, "{}:\n", inline(title)).expect(INFALLIBLE);
            for line in text.lines() {
                writeln!(out, "> {}", inline(line)).expect(INFALLIBLE);
            }
            out.push('\n');
        }
    }
}

fn model(out: &mut String, model: &Model) {
    writeln!(out, "### {}: {}\n", inline(&model.role), inline(&model.name)).expect(INFALLIBLE);
    match &model.source {
        Some(source) => writeln!(out, "- from: {}", inline(source)).expect(INFALLIBLE),
        None => writeln!(out, "- not here").expect(INFALLIBLE),
    }
    if let Some(revision) = &model.revision {
        writeln!(out, "- revision: {}", inline(revision)).expect(INFALLIBLE);
    }
    for (name, value) in &model.facts {
        writeln!(out, "- {}: {}", inline(name), inline(value)).expect(INFALLIBLE);
    }
    out.push('\n');
    if !model.files.is_empty() {
        table(out, &["file", "bytes", "SHA-256"], &model.rows());
    }
}

fn table(out: &mut String, heads: &[&str], rows: &[Vec<String>]) {
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.collect();
        writeln!(out, "| {} |", cells.join(" | ")).expect(INFALLIBLE);
    };
    line(&mut heads.iter().map(|head| inline(head)));
    line(&mut heads.iter().map(|_| "---".to_owned()));
    for row in rows {
        line(&mut row.iter().map(|cell| {
            // What is bold in this writer's own cells stays so.
            let own = cell.strip_prefix("✗ **").and_then(|word| word.strip_suffix("**"));
            let own = own.is_some_and(|word| word.bytes().all(|b| b.is_ascii_lowercase()));
            if own { cell.clone() } else { inline(cell) }
        }));
    }
    out.push('\n');
}

/// A text on one line that Markdown shows as it is.
fn inline(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => {
                shown.push('\\');
                shown.push(c);
            }
            '\n' | '\r' | '\t' => shown.push(' '),
            c if c.is_control() => shown.push('�'),
            c => shown.push(c),
        }
    }
    shown
}
