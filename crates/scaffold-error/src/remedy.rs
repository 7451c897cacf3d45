use std::fmt;

/// What to do about an error or a notice. A library cannot say it in the words of the command line,
/// of HTTP and of Python at once, so each door words what is done differently there; as text it
/// reads as the library's own callers need it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// The same at every door.
    Text(String),
    /// Fetch this model.
    Pull(String),
    /// Sign in with an access token.
    Login,
    /// Look which access token is used, and where it comes from.
    TokenStatus,
    /// Look whose access token it is.
    WhoAmI,
    /// Look which models are here.
    ListModels,
    /// Remove models.
    RemoveModels,
    /// Remove what no model needs any more.
    Prune,
    /// Allow the network, which was ruled out.
    GoOnline,
    /// Ask for texts that are too long to be cut.
    Truncate,
    /// Set a setting to one of some values.
    Set {
        /// The setting's name in the environment.
        key: &'static str,
        /// The values, as they are written.
        values: &'static str,
    },
}

impl Remedy {
    /// The same words at every door.
    pub fn text(words: impl Into<String>) -> Self {
        Remedy::Text(words.into())
    }
}

impl From<&str> for Remedy {
    fn from(words: &str) -> Self {
        Remedy::text(words)
    }
}

impl From<String> for Remedy {
    fn from(words: String) -> Self {
        Remedy::Text(words)
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remedy::Text(words) => f.write_str(words),
            Remedy::Pull(model) => write!(f, "fetch {model}"),
            Remedy::Login => f.write_str("sign in with an access token"),
            Remedy::TokenStatus => {
                f.write_str("see which access token is used and where it comes from")
            }
            Remedy::WhoAmI => f.write_str("see which account the access token belongs to"),
            Remedy::ListModels => f.write_str("see which models are here"),
            Remedy::RemoveModels => f.write_str("remove models that are not needed"),
            Remedy::Prune => f.write_str("remove files that no model needs"),
            Remedy::GoOnline => f.write_str("allow the network (HF_HUB_OFFLINE rules it out)"),
            Remedy::Truncate => {
                f.write_str("ask for it to be cut; what is cut off is then reported")
            }
            Remedy::Set { key, values } => write!(f, "set {key} to {values}"),
        }
    }
}

/// A sentence with what to do below it; steps that are taken in order have numbers.
pub(crate) fn listed(
    mut told: String,
    remedies: &[Remedy],
    in_order: bool,
    door: impl Fn(&Remedy) -> String,
) -> String {
    for (index, remedy) in remedies.iter().enumerate() {
        let before = match index {
            _ if in_order && remedies.len() > 1 => format!("{}.", index + 1),
            0 => "to do:".to_owned(),
            _ => "or:".to_owned(),
        };
        told += &["\n  ", &before, " ", &door(remedy)].concat();
    }
    told
}
