//! Each refusal in words: what happened, what it means, what to do.

use scaffold_error::Remedy;

use super::{Diagnosis, Refusal};

const AGAIN: &str = "run the same command again";

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

pub(super) fn steps(r: &Refusal) -> Vec<Remedy> {
    let page = format!("{}/{}", r.endpoint, r.subject);
    let tokens = format!("{}/settings/tokens", r.endpoint);
    let accept = || {
        Remedy::Text(format!(
            "open {page} while signed in, press \"Request access\" (or \"Agree\") and accept the conditions"
        ))
    };
    let make = format!(
        "at {tokens} make a new token of the type \"Fine-grained\" with \"Read access to contents of all public gated repos you can access\" ticked, AFTER access was granted"
    );
    let fine_grained = || Remedy::text(make.clone());
    let text = |text: &str| Remedy::text(text);
    match &r.diagnosis {
        Diagnosis::TokenRejected => vec![
            Remedy::TokenStatus,
            Remedy::Text(format!(
                "make a new one at {tokens} (it starts with `hf_` and has about 37 characters; copy it at once)"
            )),
            Remedy::Login,
        ],
        Diagnosis::GatedWithoutToken => vec![accept(), fine_grained(), Remedy::Login, text(AGAIN)],
        Diagnosis::AccessNotGranted => vec![
            Remedy::WhoAmI,
            accept(),
            text(
                "wait for the grant (usually at once; some authors answer within hours, by e-mail)",
            ),
            Remedy::Text(format!(
                "if the page says that you have access already, the token may be older than the grant: {make}"
            )),
        ],
        Diagnosis::AwaitingReview => vec![
            Remedy::Text(format!("watch {page}; an e-mail comes with the answer")),
            fine_grained(),
            Remedy::Login,
        ],
        Diagnosis::AccessDeclined => vec![text("choose another model")],
        Diagnosis::TokenOlderThanAccess { .. } => vec![
            Remedy::WhoAmI,
            Remedy::Text(format!("check at {page} that this account has access")),
            Remedy::Text(format!("delete the old token at {tokens}")),
            fine_grained(),
            Remedy::Login,
        ],
        Diagnosis::WrongTokenType { .. } => vec![accept(), fine_grained(), Remedy::Login],
        Diagnosis::MissingPermission => vec![
            Remedy::Text(format!(
                "at {tokens} edit the token and tick \"Read access to contents of all public gated repos you can access\""
            )),
            text("or make a new one with it, and sign in with that"),
            Remedy::Login,
        ],
        Diagnosis::RepositoryNotSelected { .. } => vec![
            Remedy::Text(format!(
                "at {tokens} edit the token: add {} under \"Repositories permissions\", or choose all repositories",
                r.subject
            )),
            text(AGAIN),
        ],
        Diagnosis::NotFoundOrPrivate { signed_in, candidates } => {
            let spelling = match candidates.as_slice() {
                [] => "check the spelling: organisation/name, upper and lower case".to_owned(),
                near => format!("did you mean {}?", near.join(", ")),
            };
            let (private, look) = if *signed_in {
                (
                    "if it is private, this account must be one that may see it, and the token's permissions must fit",
                    Remedy::WhoAmI,
                )
            } else {
                (
                    "if it is private, it takes the token of an account that may see it",
                    Remedy::Login,
                )
            };
            vec![Remedy::Text(spelling), text(private), look]
        }
        Diagnosis::RevisionNotFound { .. } => vec![Remedy::Text(format!(
            "leave the revision out, or choose one from {page}/tree/main"
        ))],
        Diagnosis::FileNotFound { .. } => {
            vec![Remedy::Text(format!("choose a file from {page}/tree/main"))]
        }
        Diagnosis::Disabled => {
            vec![text("choose another model, or look at its page for the reason")]
        }
        Diagnosis::Forbidden => vec![
            Remedy::Text(format!("open {page} while signed in and see what it says")),
            Remedy::WhoAmI,
        ],
        Diagnosis::Blocked { .. } => vec![
            text("open the address in a browser of this machine: is there a login page?"),
            text(
                "in a company network, ask for huggingface.co and *.hf.co to be allowed, or set HF_ENDPOINT to a mirror inside",
            ),
        ],
        Diagnosis::RateLimited { signed_in, .. } => {
            let wait = text("wait, then run the same command again: finished files are kept");
            let signed_out = (!signed_in).then_some(Remedy::Login);
            [wait].into_iter().chain(signed_out).collect()
        }
        Diagnosis::ServerTrouble { .. } => vec![
            text("look at https://status.huggingface.co"),
            Remedy::Text(format!("{AGAIN} later: what has arrived is kept")),
        ],
        Diagnosis::NoNetwork { .. } => vec![
            text("check the network, VPN and DNS"),
            text("behind a proxy, set HTTPS_PROXY=http://host:port"),
            text("behind a mirror, set HF_ENDPOINT to its address"),
            text("use a model that is here already, which needs no network"),
            Remedy::ListModels,
        ],
        Diagnosis::Proxy { .. } => vec![
            text(
                "check the address in HTTPS_PROXY (http://user:password@host:port) and that the proxy allows this host",
            ),
            text("if no proxy is needed for it, add the host to NO_PROXY or unset HTTPS_PROXY"),
        ],
        Diagnosis::Certificate { .. } => vec![
            text("install the network's root certificate in the system's store"),
            text(
                "or point SSL_CERT_FILE at a PEM file that contains it (or the server's own certificate, if it is self-signed)",
            ),
        ],
        Diagnosis::OtherHost { .. } => vec![
            text(
                "write the address with the name that the certificate has, or have it made anew with this host as subjectAltName",
            ),
            text("on a network with a login page, log in first"),
        ],
        Diagnosis::TrustStore { .. } => vec![text(
            "correct SSL_CERT_FILE (a file in PEM form) or SSL_CERT_DIR, or unset both to use the system's store",
        )],
        Diagnosis::Clock { .. } => {
            vec![text("set date and time (`date` shows what this machine believes)"), text(AGAIN)]
        }
        Diagnosis::PlainToken { .. } => vec![
            Remedy::Text(format!(
                "set HF_ENDPOINT to an address that begins with https://, if {} has one",
                r.subject
            )),
            text(
                "or go without the token: leave HF_TOKEN unset and set HF_HUB_DISABLE_IMPLICIT_TOKEN=1",
            ),
            text(
                "or, on a network that you trust, set SCAFFOLD_TOKEN_OVER_HTTP=send in the environment",
            ),
        ],
        Diagnosis::Unsteady { .. } => {
            vec![Remedy::Text(format!("{AGAIN}: it goes on where it stopped"))]
        }
    }
}
