//! Reports that are written to files.

use std::fs;

use serde_json::Value;

use crate::project::Project;

#[test]
fn a_diagnosis_is_written_to_files_by_their_endings() {
    let project = Project::new();
    let files = ["--report", "a.md", "--report", "a.html", "--report", "a.json"];
    let ran = project.run(&[&["doctor", "--offline", "--json"], &files[..]].concat());
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    let sections = printed["sections"].as_array().unwrap();
    let findings: Vec<&Value> =
        sections.iter().flat_map(|s| s["findings"].as_array().unwrap()).collect();
    let text = |name: &str| fs::read_to_string(project.path().join(name)).unwrap();
    let report: Value = serde_json::from_str(&text("a.json")).unwrap();
    let tests = report["tests"].as_array().unwrap();
    assert_eq!(tests.len(), findings.len());
    for (test, finding) in tests.iter().zip(findings) {
        assert_eq!(
            (&test["title"], test.get("remedy")),
            (&finding["subject"], finding.get("remedy"))
        );
    }
    let (markdown, html) = (text("a.md"), text("a.html"));
    assert!(markdown.starts_with("# Scaffold diagnosis\n"), "{markdown}");
    for needed in ["HF\\_HUB\\_OFFLINE", "**skipped, because ", "- to do: "] {
        assert!(markdown.contains(needed), "{needed}: {markdown}");
    }
    assert!(html.contains("<h1>Diagnosis</h1>") && html.contains("<dt>to do</dt>"), "{html}");
}

#[test]
fn a_report_in_an_unknown_form_is_refused_before_anything_is_looked_at() {
    let project = Project::new();
    for command in ["doctor", "selftest"] {
        let ran = project.run(&[command, "--offline", "--report", "a.pdf"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{command}: {}", ran.stderr);
        assert!(ran.stderr.contains(".md, .html, .json"), "{command}: {}", ran.stderr);
    }
}
