//! What to do about an error or a notice, in the words of the command line.

use scaffold::Remedy;

use crate::args;

/// What to do, with the command or the flag that does it.
pub(crate) fn words(remedy: &Remedy) -> String {
    let words = match remedy {
        Remedy::Pull(model) => return format!("fetch it: `scaffold pull {model}`"),
        Remedy::Set { key, values } => return set(key, values),
        Remedy::Login => "sign in with a token: `scaffold auth login`",
        Remedy::TokenStatus => {
            "see which token is used and where it comes from: `scaffold auth status`"
        }
        Remedy::WhoAmI => "see which account the token belongs to: `scaffold auth whoami`",
        Remedy::ListModels => "see which models are here: `scaffold list`",
        Remedy::RemoveModels => "remove models that are not needed: `scaffold rm MODEL`",
        Remedy::Prune => "remove files that no model needs: `scaffold cache prune`",
        Remedy::GoOnline => "unset HF_HUB_OFFLINE, or leave out --offline",
        Remedy::Truncate => {
            "cut what is too long with --truncate; what is cut off is then reported"
        }
        _ => return remedy.to_string(),
    };
    words.to_owned()
}

fn set(key: &str, values: &str) -> String {
    match args::flag_of(key) {
        Some(flag) => format!("set {key} to {values}, or pass {flag} with it"),
        None => format!("set {key} to {values}"),
    }
}
