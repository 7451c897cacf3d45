use super::*;
use crate::selftest;

/// A report with every kind of outcome and evidence, and with texts that try to break out of each
/// form.
fn sample() -> Report {
    let test = |id, title: &str, verdict, seen: &str| Finding {
        id,
        expected: "what must be <seen>".to_owned(),
        seconds: Some(1.25),
        ..Finding::new(title, verdict, seen)
    };
    let labels = [
        "What is sustainability?",
        "How do we measure environmental impact?",
        "Describe economic growth patterns.",
    ];
    let mut report = Report {
        started: "2025-01-01T00:00:00Z".to_owned(),
        seconds: 12.5,
        machine: Machine {
            system: "linux x86_64".to_owned(),
            processor: Some("Some CPU".to_owned()),
            level: "avx512-vnni".to_owned(),
            physical_cores: Some(2),
            threads: 2,
            memory: Some(16 << 30),
            memory_limit: Some((8 << 30, "/sys/fs/cgroup/memory.max".to_owned())),
            ..Machine::default()
        },
        models: vec![
            Model {
                role: "embedding model".to_owned(),
                name: "sentence-transformers/all-MiniLM-L6-v2".to_owned(),
                source: Some("the Hub".to_owned()),
                revision: Some("c9745ed1d9f207416be6d2e6f8de32d1f16199bf".to_owned()),
                files: vec![ModelFile {
                    name: "model.safetensors".to_owned(),
                    bytes: 90_868_376,
                    sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
                        .to_owned(),
                }],
                facts: vec![("weights".to_owned(), "F32".to_owned())],
            },
            Model {
                role: "cross-encoder".to_owned(),
                name: "cross-encoder/ms-marco-MiniLM-L-6-v2".to_owned(),
                source: None,
                revision: None,
                files: Vec::new(),
                facts: Vec::new(),
            },
        ],
        ..Report::new(
            "System test",
            selftest::WORDS,
            vec![Section { title: "Tests", findings: Vec::new() }],
        )
    };
    report.sections[0].findings = vec![
        Finding {
            evidence: vec![
                Evidence::Fact { name: "norm".to_owned(), value: "1.000000".to_owned() },
                Evidence::Similarities {
                    title: "Cosine similarity".to_owned(),
                    labels: labels.map(str::to_owned).to_vec(),
                    values: vec![
                        vec![1.0, 0.4467, 0.3103],
                        vec![0.4467, 1.0, 0.2490],
                        vec![0.3103, 0.2490, 1.0],
                    ],
                },
            ],
            ..test("similarity", "Similarity of three sentences", Verdict::Good, "a | b")
        },
        Finding {
            evidence: vec![
                Evidence::Timing {
                    title: "Time of each token".to_owned(),
                    milliseconds: (0..64).map(|i| 11.0 + f64::from(i * 7 % 13) * 0.2).collect(),
                },
                Evidence::Text {
                    title: "Answer".to_owned(),
                    text: "</blockquote><script>alert(1)</script>\n# not a heading".to_owned(),
                },
                Evidence::Table {
                    title: "Runs".to_owned(),
                    columns: vec!["run".to_owned(), "tokens".to_owned()],
                    rows: vec![vec!["first".to_owned(), "64".to_owned()]],
                },
            ],
            ..test("generation", "Generation", Verdict::Bad, "a | b")
        },
        test("cross-encoder", "Ranking", Verdict::Skipped, "the model is not here"),
    ];
    report
}

#[test]
fn a_failed_test_is_a_failed_report_and_a_skipped_one_is_not_passed() {
    let mut report = sample();
    assert_eq!(report.summary(), "1 passed, 1 failed, 1 skipped");
    assert!(report.failed());
    report.sections[0].findings.retain(|test| test.verdict != Verdict::Bad);
    assert!(!report.failed());
    assert_eq!(report.summary(), "1 passed, 0 failed, 1 skipped");
}

#[test]
fn every_form_says_what_was_expected_seen_and_why_something_was_skipped() {
    let report = sample();
    for form in [Form::Markdown, Form::Html, Form::Json] {
        let text = report.write(form);
        for needed in [
            "1 passed, 1 failed, 1 skipped",
            "0.4467",
            "the model is not here",
            "Some CPU",
            "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
            "53aa51172d142c89",
            "90868376",
        ] {
            // The JSON has the results, not the sentence about them.
            let left_out = form == Form::Json && needed.contains("passed,");
            assert!(left_out || text.contains(needed), "{form:?}: {needed}");
        }
        assert!(text.ends_with('\n'));
    }
}

#[test]
fn the_html_is_one_file_and_no_text_breaks_out_of_it() {
    let html = sample().write(Form::Html);
    for never in ["<script", "http://", "https://", "<link", "<img", "url(", "<seen>"] {
        assert!(!html.contains(never), "{never}");
    }
    assert!(html.contains("&lt;script&gt;"));
    assert!(html.contains("prefers-color-scheme: dark"));
    assert_eq!(html.matches("<svg").count(), 2);
    assert_eq!(html.matches("role=\"img\"").count(), 2);
    for element in ["article", "section", "figure", "dl", "table", "svg", "g", "div"] {
        let opened = html.matches(&format!("<{element}>")).count()
            + html.matches(&format!("<{element} ")).count();
        assert_eq!(opened, html.matches(&format!("</{element}>")).count(), "{element}");
    }
}

#[test]
fn the_markdown_keeps_texts_inside_their_cells() {
    let markdown = sample().write(Form::Markdown);
    assert!(markdown.contains("- seen: a \\| b"));
    assert!(markdown.contains("\\<script\\>"));
    assert!(markdown.contains("> \\# not a heading"));
    assert!(markdown.contains("| Generation | ✗ **failed** | 1.25 s |"));
}

#[test]
fn the_json_is_read_back_with_its_results() {
    let value: serde_json::Value = serde_json::from_str(&sample().write(Form::Json)).unwrap();
    assert_eq!(value["format"], 1);
    assert_eq!(value["tests"][0]["outcome"]["result"], "passed");
    assert_eq!(value["tests"][2]["outcome"]["because"], "the model is not here");
    assert_eq!(value["tests"][0]["evidence"][1]["kind"], "similarities");
    assert_eq!(value["models"][0]["files"][0]["bytes"], 90_868_376);
}

#[test]
fn plots_of_nothing_and_of_one_step_are_still_plots() {
    for milliseconds in [vec![], vec![0.0], vec![3.5], vec![1.0; 1000]] {
        let mut out = String::new();
        timing_chart::write(&mut out, "t", &milliseconds);
        assert!(!out.contains("NaN") && !out.contains("inf"), "{out}");
    }
    let mut out = String::new();
    heat_map::write(&mut out, "t", &[], &[]);
    assert!(out.contains("</svg>"));
}
