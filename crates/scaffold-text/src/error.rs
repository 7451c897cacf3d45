//! What can go wrong, each with what it means and what to do.

use std::path::PathBuf;

/// An error of a tokenizer or a chat template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A file could not be read from disk.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A directory without any tokenizer file that this crate reads.
    #[error(
        "{} holds no tokenizer: looked for {}. Download the model's tokenizer files, or use a GGUF file, which carries its vocabulary",
        dir.display(), looked_for.join(", ")
    )]
    NoTokenizer {
        /// The directory.
        dir: PathBuf,
        /// The names that would have been read.
        looked_for: Vec<&'static str>,
    },
    /// A tokenizer file that is there but cannot be used.
    #[error("{} cannot be used as a tokenizer: {problem}. {advice}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it, and where.
        problem: String,
        /// What to do about it.
        advice: String,
    },
    /// Bytes of a SentencePiece model that are not one.
    #[error("not a SentencePiece model: {problem} (at byte {at})")]
    BadSentencePiece {
        /// What is wrong.
        problem: String,
        /// Where, in bytes from the start.
        at: usize,
    },
    /// A `tekken.json`, tiktoken file or vocabulary whose content contradicts itself.
    #[error("{what} is not usable: {problem}")]
    BadVocabulary {
        /// Which vocabulary.
        what: String,
        /// What is wrong, naming the offending entry.
        problem: String,
    },
    /// A splitting pattern that does not compile.
    #[error(
        "the tokenizer's splitting pattern `{pattern}` cannot be compiled: {detail}. The file is damaged, or its pattern needs a regular-expression feature that is not supported"
    )]
    BadSplitPattern {
        /// The pattern.
        pattern: String,
        /// The compiler's words.
        detail: String,
    },
    /// A GGUF vocabulary of a kind that is not known.
    #[error("`tokenizer.ggml.model` is {name:?}, which is not a known kind of vocabulary (known: {})", known.join(", "))]
    UnknownVocabulary {
        /// The kind in the file.
        name: String,
        /// The kinds that are read.
        known: Vec<&'static str>,
    },
    /// A GGUF file that names a pre-tokenizer which is not in the table.
    #[error(
        "`tokenizer.ggml.pre` is {name:?}, which is not a known pre-tokenizer: text would be cut in other places than in training, so this is refused. Use the model's own tokenizer.json, or a GGUF with one of: {}",
        known.join(", ")
    )]
    UnknownPreTokenizer {
        /// The name in the file.
        name: String,
        /// The names in the table.
        known: Vec<&'static str>,
    },
    /// The tokenizer refused a text.
    #[error("the text cannot be encoded: {detail}")]
    Encode {
        /// The tokenizer's words.
        detail: String,
    },
    /// The tokenizer refused to make text of tokens.
    #[error(
        "tokens that end in {} cannot be turned into text: {detail}. The decoder that the tokenizer's file describes does \
         not go together with its vocabulary: fetch the model's tokenizer files again, or use another copy of the model",
        last(tokens)
    )]
    Decode {
        /// The tokens.
        tokens: Vec<u32>,
        /// The tokenizer's words.
        detail: String,
    },
    /// An id outside the vocabulary.
    #[error("token id {id} is outside the vocabulary of {size} tokens")]
    UnknownId {
        /// The id.
        id: u32,
        /// Number of tokens.
        size: usize,
    },
    /// A chat template that cannot be parsed.
    #[error("the chat template {name:?} has a syntax error in line {line}: {detail}")]
    TemplateSyntax {
        /// Which of the model's templates.
        name: String,
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        detail: String,
    },
    /// The template itself refused the conversation (`raise_exception`).
    #[error("the model's chat template refuses this conversation: {message}")]
    TemplateRefused {
        /// The template's own words.
        message: String,
    },
    /// A template failed while it ran.
    #[error("the chat template {name:?} failed in line {line}: {detail}")]
    TemplateFailed {
        /// Which of the model's templates.
        name: String,
        /// Line, from 1, or 0 where it is not known.
        line: usize,
        /// What happened.
        detail: String,
    },
    /// A template that does not end, or nests without end.
    #[error(
        "the chat template {name:?} was stopped because {limit}: it is too costly for this conversation, or never ends. Shorten the conversation, or pass another template"
    )]
    TemplateTooCostly {
        /// Which of the model's templates.
        name: String,
        /// The limit that was reached.
        limit: String,
    },
    /// No template in the model, and no known format for its family.
    #[error(
        "the model has no chat template and its family's format is not known ({looked_at}). Pass a template (a `chat_template.jinja` file in the model's directory), or use plain text generation"
    )]
    NoTemplate {
        /// What was looked at to find the family.
        looked_at: String,
    },
    /// A named template that the model does not have.
    #[error("the model has no chat template named {name:?}; it has: {}", available.join(", "))]
    UnknownTemplate {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// A conversation that cannot be rendered as asked.
    #[error("message {index} ({role}): {problem}")]
    BadMessage {
        /// Which message, from 0.
        index: usize,
        /// Its role.
        role: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A request to continue the last message that the template makes impossible.
    #[error("the last message cannot be continued: {problem}")]
    CannotContinue {
        /// Why.
        problem: String,
    },
}

/// The last of many tokens.
fn last(tokens: &[u32]) -> String {
    format!("{:?}", &tokens[tokens.len().saturating_sub(8)..])
}

/// Something that was done in another way than might be expected, to be told to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A file was passed over and another one used.
    FileReplaced {
        /// The file that was passed over.
        wanted: String,
        /// Why.
        reason: String,
        /// The file in use.
        used: String,
    },
    /// The slow tokenizer was asked for, but the model ships only `tokenizer.json`.
    NoSlowTokenizer {
        /// The file in use.
        used: String,
    },
    /// The model has no chat template; its family's known format is used.
    FallbackFormat {
        /// The format's name.
        format: &'static str,
        /// What it was recognized by.
        because: String,
    },
    /// A GGUF vocabulary without the name of its pre-tokenizer.
    NoPreTokenizer {
        /// The one in use.
        used: &'static str,
    },
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Notice::FileReplaced { wanted, reason, used } => {
                write!(f, "{wanted} is not used ({reason}); the tokenizer is read from {used}")
            }
            Notice::NoSlowTokenizer { used } => write!(
                f,
                "the slow tokenizer was asked for, but the model ships none; the tokenizer is read from {used}"
            ),
            Notice::FallbackFormat { format, because } => write!(
                f,
                "the model has no chat template; its prompts are written in the {format} format, recognized by {because}"
            ),
            Notice::NoPreTokenizer { used } => write!(
                f,
                "the GGUF file does not name its pre-tokenizer; {used:?} is used, and tokens may differ from training"
            ),
        }
    }
}
