//! Makes docs/performance.md of its template and of what dev/compare/compare.py measured.
//!
//! A line `{{name arguments}}` of the template becomes a table or a sentence; everything else
//! stays.

mod figures;
mod tables;

use std::fs;

use crate::tree::{File, root};
use figures::Figures;

const TEMPLATE: &str = "docs/performance/template.md";
const FIGURES: &str = "docs/performance/results.json";
const DOCUMENT: &str = "docs/performance.md";

/// Writes the document.
pub(crate) fn write() -> Result<(), String> {
    let read = |path| fs::read_to_string(root().join(path)).map_err(|e| format!("{path}: {e}"));
    let text = made(&read(TEMPLATE)?, &read(FIGURES)?)?;
    fs::write(root().join(DOCUMENT), text).map_err(|e| format!("{DOCUMENT}: {e}"))
}

/// A rule: the document is what is made of the template and the figures.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let text = |path| files.iter().find(|file| file.path == path);
    let (Some(template), Some(figures), Some(document)) =
        (text(TEMPLATE), text(FIGURES), text(DOCUMENT))
    else {
        return vec![format!("{TEMPLATE}, {FIGURES} or {DOCUMENT} is not there")];
    };
    match made(&template.text, &figures.text) {
        Err(problem) => vec![problem],
        Ok(text) if text == document.text => Vec::new(),
        Ok(_) => vec![format!(
            "{DOCUMENT} is not what its template and figures make: `cargo run -p xtask -- performance` writes it"
        )],
    }
}

/// The document.
fn made(template: &str, figures: &str) -> Result<String, String> {
    let figures = Figures::parse(figures).map_err(|e| format!("{FIGURES}: {e}"))?;
    let mut text = String::new();
    for line in template.lines() {
        match line.strip_prefix("{{").and_then(|l| l.strip_suffix("}}")) {
            None => text.push_str(line),
            Some(name) => {
                let part = tables::part(name, &figures)
                    .ok_or_else(|| format!("{TEMPLATE}: {{{{{name}}}}} is not known"))?;
                text.push_str(part.trim_end());
            }
        }
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &str = r#"{"machine": "two cores", "versions": "llama.cpp 1", "scaffold": "scaffold 0.1.0", "records": [
        {"part": "speed", "model": "1.1B Q4_0", "threads": 2, "program": "scaffold", "command": "scaffold bench FILE",
         "rounds": 5, "others_share": 0.01, "load_before": 0.1, "date": "2026-01-02",
         "values": {"prefill_tok_s": 400.0, "decode_tok_s": 30.0, "prefill_share": 0.5, "decode_share": 0.8,
                    "roof_gb_s": 20.0, "roof_int8_gmac_s": 700.0, "roof_fma_gmac_s": 190.0}},
        {"part": "speed", "model": "1.1B Q4_0", "threads": 2, "program": "llama.cpp", "command": "llama-bench -m FILE",
         "rounds": 5, "others_share": 0.02, "load_before": 0.1, "date": "2026-01-02",
         "values": {"prefill_tok_s": 100.0, "decode_tok_s": 20.0}},
        {"part": "start", "model": "1.1B Q4_0", "threads": 2, "program": "scaffold", "command": "scaffold run FILE",
         "rounds": 5, "others_share": 0.02, "load_before": 0.1, "date": "2026-01-02",
         "values": {"seconds": 0.5, "peak_rss_mib": 700}}]}"#;

    #[test]
    fn tables_stand_where_the_template_says() {
        let text = made("# Title\n{{speed}}\n{{start}}\nThe end\n", RESULTS).unwrap();
        assert!(text.starts_with("# Title\n| model"), "{text}");
        let row = "| 1.1B Q4_0 | 2 | 400 | 50 % | 100 | **4.0×** | 30.0 | 80 % | 20.0 | **1.5×** |";
        assert!(text.contains(row), "{text}");
        // What was not measured is a dash.
        assert!(text.contains("| 1.1B Q4_0 | 0.50 s | – | 700 MiB | – |"), "{text}");
        assert!(text.ends_with("The end\n"));
    }

    #[test]
    fn levels_stand_beside_what_was_built_for_them() {
        let record = |level: &str, program: &str, prefill: f64| {
            format!(
                r#"{{"part": "levels", "level": "{level}", "model": "starter", "threads": 2, "program": "{program}",
                "values": {{"prefill_tok_s": {prefill}, "decode_tok_s": 10.0}}}}"#
            )
        };
        let records = [
            record("scalar", "scaffold", 40.0),
            record("avx2", "scaffold", 800.0),
            record("avx2", "llama.cpp", 200.0),
        ];
        let figures = format!(r#"{{"records": [{}]}}"#, records.join(","));
        let text = made("{{levels}}\n", &figures).unwrap();
        assert!(text.contains("| starter | 2 | `scalar` | 40.0 | – | – |"), "{text}");
        assert!(text.contains("| starter | 2 | `avx2` | 800 | 200 | **4.0×** |"), "{text}");
    }

    #[test]
    fn unknown_names_are_told() {
        let problem = made("{{speeed}}\n", RESULTS).unwrap_err();
        assert!(problem.contains("{{speeed}}"), "{problem}");
    }

    #[test]
    fn every_part_can_be_made_without_figures() {
        for name in tables::NAMES {
            assert!(
                made(&format!("{{{{{name}}}}}\n"), r#"{"machine": "", "records": []}"#).is_ok()
            );
        }
    }
}
