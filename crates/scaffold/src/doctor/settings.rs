//! The effective configuration, with the place of everything that was set.

use super::{Finding, Verdict};
use crate::config::{Config, Key, Source};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let set = config
        .rows()
        .into_iter()
        .filter(|row| row.source != Source::Default || row.key == Key::Model);
    let mut findings: Vec<Finding> = set
        .map(|row| {
            let seen = format!("{} ({})", row.text(), row.source);
            Finding::new(row.key.name(), Verdict::Good, seen)
        })
        .collect();
    findings.extend(config.notices.iter().map(|notice| {
        let seen = notice.to_string();
        Finding::new("not used", Verdict::Warning, seen).remedy("correct it there, or remove it")
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::config;

    #[test]
    fn what_was_set_is_shown_with_its_place_and_secrets_are_masked() {
        let token = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH";
        let findings = examine(&config(&[("LLM_TEMPERATURE", "0.2"), ("HF_TOKEN", token)]));
        let text = format!("{findings:?}");
        assert!(text.contains("0.2 (environment variable LLM_TEMPERATURE)"), "{text}");
        assert!(text.contains("LLM_MODEL") && !text.contains(token), "{text}");
    }
}
