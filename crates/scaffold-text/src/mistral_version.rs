//! The versions of Mistral's instruction format.

/// The versions of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// `[INST]` is text (Mistral 7B up to Instruct v0.2, Mixtral 8x7B).
    V1,
    /// `[INST]` is a token; tools and their results are part of the last turn only.
    V2,
    /// Calls of tools and their results have ids (Mistral 7B Instruct v0.3, Mixtral 8x22B, Nemo).
    V3,
    /// The system prompt has tokens of its own (Mistral Large 2411).
    V7,
    /// Tools are written in ways that are not known here.
    Later,
}

impl Version {
    /// By the name in `tekken.json`, or the end of a SentencePiece file's name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let digits: String =
            name.trim_start_matches('v').chars().take_while(char::is_ascii_digit).collect();
        Some(match digits.parse::<u32>().ok()? {
            1 => Version::V1,
            2 => Version::V2,
            3..=6 => Version::V3,
            7..=10 => Version::V7,
            _ => Version::Later,
        })
    }
}
