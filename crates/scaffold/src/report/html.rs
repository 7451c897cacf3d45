//! The report as one HTML file that opens without a network: styles and plots are inside.

use std::fmt::Write as _;

use super::escape::escape;
use super::{Evidence, Finding, Model, Report, Verdict, heat_map, machine_facts, timing_chart};

pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Scaffold {}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        report.title.to_lowercase(),
        escape(&report.summary())
    );
    header(&mut out, report);
    overview(&mut out, report);
    out.push_str(
        "<section aria-labelledby=\"details\">\n<h2 id=\"details\">What was tested</h2>\n",
    );
    for (index, finding) in report.findings().enumerate() {
        details(&mut out, report, &anchor(index, finding), finding);
    }
    if !report.models.is_empty() {
        out.push_str(
            "</section>\n<section aria-labelledby=\"models\">\n<h2 id=\"models\">Models</h2>\n",
        );
    }
    for one in &report.models {
        model(&mut out, one);
    }
    out.push_str("</section>\n<section aria-labelledby=\"machine\">\n<h2 id=\"machine\">Machine</h2>\n<article>\n<dl>\n");
    for (name, value) in machine_facts(&report.machine) {
        pair(&mut out, name, &value);
    }
    out.push_str("</dl>\n</article>\n</section>\n</main>\n</body>\n</html>\n");
    out
}

fn header(out: &mut String, report: &Report) {
    let _ = write!(
        out,
        "<header class=\"{}\">\n<h1>{}</h1>\n<p class=\"sub\">Scaffold {} · {} · {:.1} s</p>\n<ul class=\"counts\">\n",
        if report.failed() { "failed" } else { "passed" },
        report.title,
        escape(&report.version),
        escape(&report.started),
        report.seconds
    );
    for (verdict, word, count) in report.counts() {
        let _ = writeln!(out, "<li class=\"{}\"><b>{count}</b> {word}</li>", verdict.name());
    }
    out.push_str("</ul>\n</header>\n");
}

fn overview(out: &mut String, report: &Report) {
    let detail = report.detail();
    let class = if detail == "Time" { " class=\"number\"" } else { "" };
    let _ = write!(
        out,
        "<section aria-labelledby=\"tests\">\n<h2 id=\"tests\">Result</h2>\n<div class=\"scroll\"><table>\n\
         <thead><tr><th scope=\"col\">Test</th><th scope=\"col\">Result</th><th scope=\"col\"{class}>{detail}</th></tr></thead>\n<tbody>\n"
    );
    for (index, finding) in report.findings().enumerate() {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td>{}</td><td{class}>{}</td></tr>",
            anchor(index, finding),
            escape(&finding.subject),
            badge(report, finding),
            escape(&finding.brief())
        );
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// Where a finding stands in the file.
fn anchor(index: usize, finding: &Finding) -> String {
    if finding.id.is_empty() { format!("finding-{index}") } else { finding.id.to_owned() }
}

/// The result as a mark and a word: the colour is not all there is.
fn badge(report: &Report, finding: &Finding) -> String {
    let (class, mark) = (finding.verdict.name(), finding.verdict.mark());
    let word = report.word(finding.verdict);
    format!("<span class=\"badge {class}\"><span aria-hidden=\"true\">{mark}</span> {word}</span>")
}

fn details(out: &mut String, report: &Report, anchor: &str, finding: &Finding) {
    let _ = write!(
        out,
        "<article id=\"{anchor}\">\n<h3>{} {}</h3>\n<dl>\n",
        escape(&finding.subject),
        badge(report, finding)
    );
    if finding.verdict == Verdict::Skipped {
        pair(out, "skipped, because", &finding.seen);
    }
    for (name, value) in finding.facts() {
        pair(out, name, &value);
    }
    out.push_str("</dl>\n");
    for one in &finding.evidence {
        evidence(out, one);
    }
    out.push_str("</article>\n");
}

fn evidence(out: &mut String, evidence: &Evidence) {
    match evidence {
        Evidence::Fact { .. } => {}
        Evidence::Table { title, columns, rows } => table(out, title, columns, rows),
        Evidence::Similarities { title, labels, values } => {
            heat_map::write(out, title, labels, values);
        }
        Evidence::Timing { title, milliseconds } => timing_chart::write(out, title, milliseconds),
        Evidence::Text { title, text } => {
            let _ = writeln!(
                out,
                "<figure><figcaption>{}</figcaption><blockquote>{}</blockquote></figure>",
                escape(title),
                escape(text)
            );
        }
    }
}

fn table(out: &mut String, title: &str, columns: &[String], rows: &[Vec<String>]) {
    let _ = write!(
        out,
        "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr>",
        escape(title)
    );
    for (index, column) in columns.iter().enumerate() {
        let class = rows.first().and_then(|row| row.get(index)).map_or("", |cell| class_of(cell));
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(column));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td{}>{}</td>", class_of(cell), escape(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

/// Numbers stand to the right, hashes in letters of one width.
fn class_of(cell: &str) -> &'static str {
    if cell.len() >= 40 && cell.bytes().all(|b| b.is_ascii_hexdigit()) {
        " class=\"hash\""
    } else if cell.parse::<f64>().is_ok() {
        " class=\"number\""
    } else {
        ""
    }
}

fn model(out: &mut String, model: &Model) {
    let _ =
        write!(out, "<article>\n<h3>{}: {}</h3>\n<dl>\n", escape(&model.role), escape(&model.name));
    pair(out, "from", model.source.as_deref().unwrap_or("not here"));
    if let Some(revision) = &model.revision {
        pair(out, "revision", revision);
    }
    for (name, value) in &model.facts {
        pair(out, name, value);
    }
    out.push_str("</dl>\n");
    if !model.files.is_empty() {
        let columns = ["File", "Bytes", "SHA-256"].map(str::to_owned);
        table(out, "Files", &columns, &model.rows());
    }
    out.push_str("</article>\n");
}

fn pair(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
}

/// Colours are given twice, for light and dark; each pair of text and ground has a contrast of 4.5
/// or more.
const STYLE: &str = include_str!("report.css");
