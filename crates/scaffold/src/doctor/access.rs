//! The access token: where it comes from, whether the Hub knows it, and what it may do.

use scaffold_hub::{self as hub, Hub, Refusal, Remedy, TokenKind, WhoAmI};

use super::{Finding, Verdict};
use crate::config::Config;

/// `reached`: whether the Hub can be asked.
pub(super) fn examine(config: &Config, hub: &Hub, reached: bool) -> Vec<Finding> {
    let status = hub.auth_status();
    if let Some(bad) = &status.bad {
        return vec![Finding::of_error("token", Verdict::Bad, bad)];
    }
    let Some(source) = status.source else {
        let remedy = "only models behind a gate and private ones need one: make it at https://huggingface.co/settings/tokens";
        let finding = Finding::new("token", Verdict::Note, "none was found");
        return vec![finding.remedy(remedy).remedy(Remedy::Login)];
    };
    let mut findings = vec![Finding::new("token", Verdict::Good, format!("from {source}"))];
    if config.offline.value || !reached {
        findings.push(
            Finding::new("validity", Verdict::Skipped, "not asked: the Hub is not reached")
                .remedy("run this again once it is; the section above says what is in the way"),
        );
        return findings;
    }
    match hub.whoami() {
        Ok(who) => findings.extend(known(&who)),
        Err(error) => findings.push(unknown(&error)),
    }
    findings
}

fn known(who: &WhoAmI) -> Vec<Finding> {
    let name = who.token_name.as_deref().unwrap_or("without a name");
    let seen = format!("the Hub knows it: token `{name}` of {}", who.name);
    let advice = who.gated_advice();
    let good = match &who.kind {
        TokenKind::FineGrained { reads_gated, repositories, .. } => {
            *reads_gated || !repositories.is_empty()
        }
        TokenKind::Classic { .. } | TokenKind::Other(_) => true,
    };
    let verdict = if good { Verdict::Good } else { Verdict::Warning };
    let mut findings = vec![
        Finding::new("validity", Verdict::Good, seen),
        Finding::new("gated models", verdict, advice),
    ];
    if let TokenKind::FineGrained { scopes, .. } = &who.kind
        && !scopes.is_empty()
    {
        findings.push(Finding::new("scopes", Verdict::Good, scopes.join(", ")));
    }
    findings
}

fn unknown(error: &hub::Error) -> Finding {
    let finding = Finding::new("validity", Verdict::Bad, first_line(&error.to_string()));
    match error.cause::<Refusal>() {
        Some(refusal) => refusal.steps().into_iter().fold(finding, Finding::remedy),
        None => finding.remedy(
            "try again; if it stays, make a new token at https://huggingface.co/settings/tokens",
        ),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::config;

    fn found(variables: &[(&str, &str)]) -> Vec<Finding> {
        let config = config(variables);
        examine(&config, &Hub::new(config.hub.clone()), false)
    }

    #[test]
    fn no_token_is_no_problem_and_a_wrong_one_is() {
        assert_eq!(found(&[])[0].verdict, Verdict::Note);
        let bad = found(&[("HF_TOKEN", "hf_your_actual_token_here")]);
        assert_eq!(bad[0].verdict, Verdict::Bad);
        assert!(bad[0].seen.contains("placeholder"), "{bad:?}");
    }

    #[test]
    fn a_token_that_cannot_be_asked_about_is_said_to_be_so() {
        let token = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH";
        let findings = found(&[("HF_TOKEN", token)]);
        assert!(findings[0].seen.contains("HF_TOKEN"), "{findings:?}");
        assert_eq!(findings[1].verdict, Verdict::Skipped);
        assert!(!format!("{findings:?}").contains(token));
    }

    #[test]
    fn a_fine_grained_token_without_the_permission_is_a_warning() {
        let who = WhoAmI {
            name: "me".to_owned(),
            token_name: Some("laptop".to_owned()),
            token_created: None,
            kind: TokenKind::FineGrained {
                reads_gated: false,
                repositories: Vec::new(),
                owners: Vec::new(),
                scopes: vec!["repo.content.read".to_owned()],
            },
            organisations: Vec::new(),
        };
        let findings = known(&who);
        assert_eq!(findings[1].verdict, Verdict::Warning);
        assert!(findings[2].seen.contains("repo.content.read"));
    }
}
