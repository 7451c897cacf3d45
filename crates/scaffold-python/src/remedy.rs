//! What to do about an error or a notice, in the words of Python programs. The package brings the
//! command `scaffold`, so that what is done by a command is called as the command line calls it.

use scaffold::Remedy;

/// What to do.
pub(crate) fn words(remedy: &Remedy) -> String {
    let words = match remedy {
        Remedy::Pull(model) => return format!("fetch it: `scaffold pull {model}`"),
        Remedy::Login => "sign in with a token: `scaffold auth login`, or set HF_TOKEN",
        Remedy::TokenStatus => {
            "see which token is used and where it comes from: `scaffold auth status`"
        }
        Remedy::WhoAmI => "see which account the token belongs to: `scaffold auth whoami`",
        Remedy::ListModels => "see which models are here: `scaffold list`",
        Remedy::RemoveModels => "remove models that are not needed: `scaffold rm MODEL`",
        Remedy::Prune => "remove files that no model needs: `scaffold cache prune`",
        Remedy::GoOnline => "unset HF_HUB_OFFLINE, or pass offline=False",
        Remedy::Truncate => {
            "cut what is too long with truncate=True; what is cut off is then reported"
        }
        _ => return remedy.to_string(),
    };
    words.to_owned()
}
