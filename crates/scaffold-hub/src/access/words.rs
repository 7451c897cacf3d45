//! Each refusal in words: what happened, what it means, what to do.

use super::{Diagnosis, Refusal};

const AGAIN: &str = "Run the same command again";

pub(super) fn what(r: &Refusal) -> String {
    let s = &r.subject;
    match &r.diagnosis {
        Diagnosis::TokenRejected => "The Hub does not accept the access token (401).".into(),
        Diagnosis::GatedWithoutToken => format!("{s} is gated, and no access token was sent."),
        Diagnosis::AccessNotGranted => {
            format!("{s} is gated, and this account has no access to it.")
        }
        Diagnosis::AwaitingReview => {
            format!("{s} is gated, and the request for access waits for its authors.")
        }
        Diagnosis::AccessDeclined => {
            format!("{s} is gated, and its authors have declined the request for access.")
        }
        Diagnosis::TokenOlderThanAccess { .. } => {
            format!("{s} is gated, and this token is refused although its permissions would do.")
        }
        Diagnosis::WrongTokenType { role } => {
            format!("{s} refuses this token, which is a classic `{role}` token.")
        }
        Diagnosis::MissingPermission => {
            format!("{s} is gated, and this token has no permission to read gated repositories.")
        }
        Diagnosis::RepositoryNotSelected { .. } => {
            format!("This token is limited to certain repositories, and {s} is not one of them.")
        }
        Diagnosis::NotFoundOrPrivate { signed_in: true, .. } => {
            format!("{s} does not exist, or is private and this token cannot see it.")
        }
        Diagnosis::NotFoundOrPrivate { signed_in: false, .. } => {
            format!("{s} does not exist, or is private (no access token was sent).")
        }
        Diagnosis::RevisionNotFound { revision, .. } => {
            format!("{s} has no branch, tag or commit `{revision}`.")
        }
        Diagnosis::FileNotFound { file, .. } => format!("{s} has no file `{file}`."),
        Diagnosis::Disabled => format!("The Hub has disabled {s}."),
        Diagnosis::Forbidden => format!("The Hub forbids access to {s} (403)."),
        Diagnosis::Blocked { status } => {
            format!("Something between here and {s} answered in its place (status {status}).")
        }
        Diagnosis::RateLimited { wait: Some(wait), .. } => format!(
            "{s} is receiving too many requests and asks to wait {} s (429).",
            wait.as_secs()
        ),
        Diagnosis::RateLimited { wait: None, .. } => {
            format!("{s} is receiving too many requests (429).")
        }
        Diagnosis::ServerTrouble { status } => {
            format!("{s} has trouble of its own (status {status}).")
        }
        Diagnosis::NoNetwork { detail } => format!("{s} cannot be reached: {detail}."),
        Diagnosis::Proxy { detail } => {
            format!("{s} cannot be reached through the proxy: {detail}.")
        }
        Diagnosis::Certificate { detail } => {
            format!("The certificate of {s} is not trusted on this machine: {detail}.")
        }
        Diagnosis::OtherHost { detail } => {
            format!("The certificate that {s} shows is for another host: {detail}.")
        }
        Diagnosis::TrustStore { detail } => {
            format!(
                "{s} was not asked, because the certificates to trust cannot be read: {detail}."
            )
        }
        Diagnosis::Clock { detail } => {
            format!("The certificate of {s} is not valid at this machine's time: {detail}.")
        }
        Diagnosis::PlainToken { detail } => {
            format!("{s} was not asked, so that the access token stays secret: {detail}.")
        }
        Diagnosis::Unsteady { detail } => format!("The connection to {s} does not hold: {detail}."),
    }
}

pub(super) fn meaning(r: &Refusal) -> String {
    match &r.diagnosis {
        Diagnosis::TokenRejected => "It was mistyped, has been revoked, or has expired.".into(),
        Diagnosis::GatedWithoutToken => "Its authors want readers to accept conditions first, so the Hub must know who asks.".into(),
        Diagnosis::AccessNotGranted => "The token is fine; the account behind it has not accepted the model's conditions, or is not on its list yet.".into(),
        Diagnosis::AwaitingReview => "Most requests are answered at once, some take hours or days.".into(),
        Diagnosis::AccessDeclined => "Only the authors can change that.".into(),
        Diagnosis::TokenOlderThanAccess { created } => {
            let when = created.as_ref().map(|c| format!(" (it was made on {c})")).unwrap_or_default();
            format!("Most often the token is older than the grant{when}, or the grant went to another account.")
        }
        Diagnosis::WrongTokenType { .. } => "Gated repositories and some organisations want a fine-grained token.".into(),
        Diagnosis::MissingPermission => "A fine-grained token may do only what was ticked when it was made.".into(),
        Diagnosis::RepositoryNotSelected { selected } => format!("It was made for {}.", selected.join(", ")),
        Diagnosis::NotFoundOrPrivate { .. } => "The Hub gives the same answer in both cases, so that nobody learns which private repositories exist.".into(),
        Diagnosis::RevisionNotFound { candidates, .. } | Diagnosis::FileNotFound { candidates, .. } if !candidates.is_empty() => {
            format!("It has: {}.", candidates.join(", "))
        }
        Diagnosis::RevisionNotFound { .. } | Diagnosis::FileNotFound { .. } => "The repository itself is there.".into(),
        Diagnosis::Disabled => "That happens to repositories that broke its rules. Nobody can download it at present.".into(),
        Diagnosis::Forbidden => "The account or the token may not read it.".into(),
        Diagnosis::Blocked { .. } => "A firewall, a proxy or the login page of a network does that.".into(),
        Diagnosis::RateLimited { signed_in: false, .. } => "Requests without an access token have the lowest limit.".into(),
        Diagnosis::RateLimited { .. } => "The limit is counted per account and per address.".into(),
        Diagnosis::ServerTrouble { .. } => "Nothing is wrong on this side.".into(),
        Diagnosis::NoNetwork { .. } => "There is no way from this machine to that host.".into(),
        Diagnosis::Proxy { .. } => "The proxy comes from HTTPS_PROXY, HTTP_PROXY or ALL_PROXY.".into(),
        Diagnosis::Certificate { .. } => "A company network that opens TLS connections signs them with a root of its own, which must be in the system's store.".into(),
        Diagnosis::OtherHost { .. } => "Either the address has the wrong host (HF_ENDPOINT), or something else answers in its place: a login page, a proxy, a server that was moved.".into(),
        Diagnosis::TrustStore { .. } => "Without them no server can be told from one that only pretends to be it.".into(),
        Diagnosis::Clock { .. } => "A wrong clock is the usual cause.".into(),
        Diagnosis::PlainToken { .. } => "Whoever carries a request over plain HTTP can read the token in it and use it. Nothing was sent.".into(),
        Diagnosis::Unsteady { .. } => "It was tried several times.".into(),
    }
}

pub(super) fn steps(r: &Refusal) -> Vec<String> {
    let page = format!("{}/{}", r.endpoint, r.subject);
    let tokens = format!("{}/settings/tokens", r.endpoint);
    let accept = format!(
        "Open {page} while signed in, press \"Request access\" (or \"Agree\") and accept the conditions"
    );
    let fine_grained = format!(
        "At {tokens} make a new token of the type \"Fine-grained\" with \"Read access to contents of all public gated repos you can access\" ticked, AFTER access was granted"
    );
    let login = "Sign in with it: `scaffold auth login`".to_owned();
    let steps = match &r.diagnosis {
        Diagnosis::TokenRejected => vec![
            "See which token is used and where it comes from: `scaffold auth status`".into(),
            format!("Make a new one at {tokens} (it starts with `hf_` and has about 37 characters; copy it at once)"),
            login,
        ],
        Diagnosis::GatedWithoutToken => vec![accept, fine_grained, login, AGAIN.into()],
        Diagnosis::AccessNotGranted => vec![
            "See which account the token belongs to: `scaffold auth whoami`".into(),
            accept,
            "Wait for the grant (usually at once; some authors answer within hours, by e-mail)".into(),
            format!("If the page says that you have access already, the token may be older than the grant: {}", lower_first(&fine_grained)),
        ],
        Diagnosis::AwaitingReview => vec![format!("Watch {page}; an e-mail comes with the answer"), fine_grained, login],
        Diagnosis::AccessDeclined => vec!["Choose another model".into()],
        Diagnosis::TokenOlderThanAccess { .. } => vec![
            format!("Check at {page} that the account of `scaffold auth whoami` has access"),
            format!("Delete the old token at {tokens}"),
            fine_grained,
            login,
        ],
        Diagnosis::WrongTokenType { .. } => vec![accept, fine_grained, login],
        Diagnosis::MissingPermission => vec![
            format!("At {tokens} edit the token and tick \"Read access to contents of all public gated repos you can access\""),
            "Or make a new one with it, then `scaffold auth login`".into(),
        ],
        Diagnosis::RepositoryNotSelected { .. } => vec![
            format!("At {tokens} edit the token: add {} under \"Repositories permissions\", or choose all repositories", r.subject),
            AGAIN.into(),
        ],
        Diagnosis::NotFoundOrPrivate { signed_in, candidates } => {
            let mut steps = vec!["Check the spelling: organisation/name, upper and lower case".to_owned()];
            if !candidates.is_empty() {
                steps[0] = format!("Did you mean {}?", candidates.join(", "));
            }
            steps.push(if *signed_in {
                "If it is private: see with `scaffold auth whoami` whether the account and the token's permissions fit".into()
            } else {
                "If it is private: `scaffold auth login` with a token of an account that may see it".into()
            });
            steps
        }
        Diagnosis::RevisionNotFound { .. } => vec![format!("Leave the revision out, or choose one from {page}/tree/main")],
        Diagnosis::FileNotFound { .. } => vec![format!("Choose a file from {page}/tree/main")],
        Diagnosis::Disabled => vec!["Choose another model, or look at its page for the reason".into()],
        Diagnosis::Forbidden => vec![format!("Open {page} while signed in and see what it says"), "Check the token: `scaffold auth whoami`".into()],
        Diagnosis::Blocked { .. } => vec![
            "Open the address in a browser of this machine: is there a login page?".into(),
            "In a company network, ask for huggingface.co and *.hf.co to be allowed, or set HF_ENDPOINT to a mirror inside".into(),
        ],
        Diagnosis::RateLimited { signed_in, .. } => {
            let mut steps = vec!["Wait, then run the same command again: finished files are kept".to_owned()];
            if !signed_in {
                steps.push("Sign in for a higher limit: `scaffold auth login`".into());
            }
            steps
        }
        Diagnosis::ServerTrouble { .. } => vec!["Look at https://status.huggingface.co".into(), format!("{AGAIN} later: what has arrived is kept")],
        Diagnosis::NoNetwork { .. } => vec![
            "Check the network, VPN and DNS".into(),
            "Behind a proxy, set HTTPS_PROXY=http://host:port".into(),
            "Behind a mirror, set HF_ENDPOINT to its address".into(),
            "Models that are here already (`scaffold list`) run without any network".into(),
        ],
        Diagnosis::Proxy { .. } => vec![
            "Check the address in HTTPS_PROXY (http://user:password@host:port) and that the proxy allows this host".into(),
            "If no proxy is needed for it, add the host to NO_PROXY or unset HTTPS_PROXY".into(),
        ],
        Diagnosis::Certificate { .. } => vec![
            "Install the network's root certificate in the system's store".into(),
            "Or point SSL_CERT_FILE at a PEM file that contains it (or the server's own certificate, if it is self-signed)".into(),
        ],
        Diagnosis::OtherHost { .. } => vec![
            "Write the address with the name that the certificate has, or have it made anew with this host as subjectAltName".into(),
            "On a network with a login page, log in first".into(),
        ],
        Diagnosis::TrustStore { .. } => vec![
            "Correct SSL_CERT_FILE (a file in PEM form) or SSL_CERT_DIR, or unset both to use the system's store".into(),
        ],
        Diagnosis::Clock { .. } => vec!["Set date and time (`date` shows what this machine believes)".into(), AGAIN.into()],
        Diagnosis::PlainToken { .. } => vec![
            format!("Set HF_ENDPOINT to an address that begins with https://, if {} has one", r.subject),
            "Or go without the token: leave HF_TOKEN unset and set HF_HUB_DISABLE_IMPLICIT_TOKEN=1".into(),
            "Or, on a network that you trust, set SCAFFOLD_TOKEN_OVER_HTTP=send in the environment".into(),
        ],
        Diagnosis::Unsteady { .. } => vec![format!("{AGAIN}: it goes on where it stopped")],
    };
    steps
        .into_iter()
        .map(|step| if step.ends_with(['?', '.', ',']) { step } else { format!("{step}.") })
        .collect()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
