use super::*;
use crate::config::Inputs;

/// The configuration of an environment with these variables, whose home is an empty directory.
pub(super) fn config(variables: &[(&str, &str)]) -> Config {
    let home = std::env::temp_dir().join("scaffold-doctor-test-home");
    let variable = |name: &str| {
        let set = variables.iter().find(|(key, _)| *key == name);
        match set {
            Some((_, value)) => Some((*value).into()),
            None if name == "HOME" => Some(home.clone().into()),
            None => None,
        }
    };
    Config::load(Inputs { variable: &variable, project: None, file: None, flags: Vec::new() })
        .unwrap()
}

#[test]
fn offline_every_section_has_its_findings_and_none_asks_the_network() {
    let diagnosis = examine(&config(&[("HF_HUB_OFFLINE", "1")]));
    let titles: Vec<&str> = diagnosis.sections.iter().map(|section| section.title).collect();
    assert_eq!(titles, ["Machine", "Settings", "Models on this disk", "Hub", "Token"]);
    assert!(diagnosis.sections.iter().all(|section| !section.findings.is_empty()));
    assert_eq!(diagnosis.count(Verdict::Bad), 0, "{diagnosis:#?}");
    for finding in diagnosis.findings() {
        if finding.verdict >= Verdict::Warning {
            assert!(!finding.remedies.is_empty(), "{finding:?}");
        }
    }
}

#[test]
fn the_worst_verdict_counts() {
    let finding = |verdict| Finding::new("x", verdict, "y");
    let mut diagnosis = Report::new("a", WORDS, Vec::new());
    assert!(!diagnosis.failed());
    diagnosis.sections.push(Section {
        title: "a",
        findings: vec![finding(Verdict::Skipped), finding(Verdict::Bad), finding(Verdict::Note)],
    });
    assert!(diagnosis.failed());
    assert_eq!(diagnosis.count(Verdict::Note), 1);
}
