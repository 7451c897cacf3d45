//! Why a text names no model.

/// Why a text names no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a model name: {problem}. Write `org/name` (a Hugging Face repository), `org/name@revision`, `org/name:Q4_K_M` (a GGUF quantization), `org/name/file.gguf`, a path such as `./model`, or `ollama:llama3.2`"
)]
pub struct NameError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub problem: NameProblem,
}

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Nothing was written.
    #[error("it is empty")]
    Empty,
    /// Too many parts between slashes, and not a `.gguf` file.
    #[error("it has more than one `/`, and does not end in `.gguf`")]
    TooManyParts,
    /// A part with a character that the Hub does not allow.
    #[error("`{part}` contains {found:?}; repository names have letters, digits, `-`, `_` and `.`")]
    Character {
        /// The organisation or name.
        part: String,
        /// The offending character.
        found: char,
    },
    /// A part that the Hub does not allow for another reason.
    #[error("the part `{part}` {why}")]
    BadPart {
        /// The organisation, name, revision or tag.
        part: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// `@` or `:` with nothing after it.
    #[error("nothing follows the `{0}`")]
    NothingAfter(char),
    /// A data set or a space instead of a model.
    #[error("it names a {0}, and only models can be run")]
    NotAModel(&'static str),
    /// An address of another site.
    #[error(
        "it is an address, but not one of huggingface.co, hf.co or the mirror that HF_ENDPOINT names"
    )]
    OtherSite,
}
