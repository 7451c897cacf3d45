//! What can go wrong with embeddings and rankings.

use std::io;
use std::path::PathBuf;

/// Why there is no embedding or no score.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}\n  to do: check that the file is whole and that this user may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
    /// A small file that is not small.
    #[error("{} has {bytes} bytes; such a file has {most} at most, so this is something else\n  to do: fetch the repository again", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        most: u64,
    },
    /// A JSON file that is not what its name says.
    #[error("{}: {source}\n  what it means: the repository's description of its embeddings is damaged, or of a kind that this version does not know", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A module without its configuration.
    #[error("{} is missing, although modules.json names its module\n  to do: fetch the repository again with all its directories", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A module's path that leaves the repository.
    #[error("{}: the module path {module:?} leads out of the repository; nothing was read there", path.display())]
    PathLeadsOut {
        /// The file that names it.
        path: PathBuf,
        /// The path.
        module: String,
    },
    /// The chain does not begin with a transformer.
    #[error("{}: the first module must be a Transformer{}\n  what it means: static and sparse embeddings are not computed here", path.display(),
        if found.is_empty() { ", and the list is empty".to_owned() } else { format!(", not {found}") })]
    NoTransformer {
        /// The file.
        path: PathBuf,
        /// The class that stands there; empty if none does.
        found: String,
    },
    /// The chain's second module is not its only pooling.
    #[error("{}: the module after the Transformer must be the only Pooling (there are {poolings})\n  what it means: the model gives a vector for each token, or is of a kind that this version does not know", path.display())]
    NoPooling {
        /// The file.
        path: PathBuf,
        /// How many there are.
        poolings: usize,
    },
    /// A module of a kind that is not computed here.
    #[error("{}: module {position} is a {class}, which this version does not compute\n  accepted: {known}", path.display())]
    UnknownModule {
        /// The file.
        path: PathBuf,
        /// Its place in the chain, from 0.
        position: usize,
        /// Its class.
        class: String,
        /// The kinds that are computed.
        known: &'static str,
    },
    /// A pooling mode that does not exist.
    #[error("{}: there is no pooling mode `{mode}`\n  accepted: {}", path.display(), known)]
    UnknownPooling {
        /// The file.
        path: PathBuf,
        /// The mode.
        mode: String,
        /// The modes that there are.
        known: String,
    },
    /// An activation that is not computed here.
    #[error("{}: the activation {class} is not computed here\n  accepted: {known}", path.display())]
    UnknownActivation {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
        /// The classes that are.
        known: String,
    },
    /// A module that works on something other than the sentence's embedding.
    #[error("{}: the module works on `{name}`; here modules work on `sentence_embedding`\n  what it means: the model gives a vector for each token, or more than one vector", path.display())]
    OtherFeature {
        /// The file.
        path: PathBuf,
        /// The feature's name.
        name: String,
    },
    /// A similarity function that does not exist.
    #[error("{place}: there is no similarity function `{name}`\n  accepted: {}", known)]
    UnknownSimilarity {
        /// Who names it.
        place: String,
        /// The name.
        name: String,
        /// The functions that there are.
        known: String,
    },
    /// A prompt that the repository does not have.
    #[error("the model has no prompt `{name}`\n  accepted: {}", listed(known))]
    UnknownPrompt {
        /// The name that was asked for.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// The repository's default is not among its prompts.
    #[error("{}: the default prompt is `{name}`, which is not among the prompts ({})\n  to do: name a prompt, or ask for none", path.display(), listed(known))]
    UnknownDefaultPrompt {
        /// The file.
        path: PathBuf,
        /// The default.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// A text that is longer than the model takes.
    #[error("text {index} has {tokens} tokens, and the model takes {limit} ({})\n  to do: shorten or split the text, or ask for it to be cut (--truncate); what is cut off is then reported", place.display())]
    TooLong {
        /// Its place among the texts, from 0.
        index: usize,
        /// Its tokens, with the special ones.
        tokens: usize,
        /// The most that there may be.
        limit: usize,
        /// The file that sets the limit.
        place: PathBuf,
    },
    /// A text that comes to no token at all.
    #[error(
        "text {index} is empty, and this model's tokenizer puts nothing around a text: there is nothing to compute\n  to do: leave the text out"
    )]
    NoTokens {
        /// Its place among the texts, from 0.
        index: usize,
    },
    /// More dimensions than there are.
    #[error(
        "the model's embeddings have {width} dimensions; {asked} cannot be kept\n  accepted: 1 to {width}"
    )]
    Dimensions {
        /// What was asked for.
        asked: usize,
        /// What there is.
        width: usize,
    },
    /// A model that writes text.
    #[error(
        "{place} is a {family} model, which writes text; embeddings and rankings need an encoder\n  to do: take a model such as sentence-transformers/all-MiniLM-L6-v2 (embeddings) or cross-encoder/ms-marco-MiniLM-L-6-v2 (ranking)"
    )]
    NotAnEncoder {
        /// The model.
        place: String,
        /// Its family.
        family: &'static str,
    },
    /// A single file where a directory is needed.
    #[error("{} is a single file; how a model makes embeddings stands in the files beside its weights\n  to do: name the directory or repository with config.json, safetensors weights and modules.json", path.display())]
    NotADirectory {
        /// The file.
        path: PathBuf,
    },
    /// An encoder without a classification head.
    #[error(
        "{model} has no classification head (its architecture is not one \"…ForSequenceClassification\"), so it cannot score pairs of texts\n  to do: take a cross-encoder such as cross-encoder/ms-marco-MiniLM-L-6-v2, or use this model for embeddings"
    )]
    NoHead {
        /// The model.
        model: String,
    },
    /// A classifier with several labels where a ranking needs one.
    #[error("{model} gives {} scores for a pair ({}); a ranking needs one\n  to do: take a model with one label", labels.len(), labels.join(", "))]
    SeveralLabels {
        /// The model.
        model: String,
        /// Its labels.
        labels: Vec<String>,
    },
    /// Weights that Python pickled.
    #[error("{} is a pickle, which runs code when it is read; it was not opened\n  to do: convert it to model.safetensors", path.display())]
    Pickled {
        /// The file.
        path: PathBuf,
    },
    /// A tensor that is missing or has another shape.
    #[error("{} has no tensor {name} of the shape {shape:?}\n  what it means: the module's weights and its config.json do not belong together", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// The shape that the configuration asks for.
        shape: Vec<usize>,
    },
    /// A module that does not fit the one before it.
    #[error(
        "{what} takes vectors of {said} numbers, and those before it have {found}\n  what it means: the repository's modules do not belong together"
    )]
    Width {
        /// The module.
        what: String,
        /// What its configuration says.
        said: usize,
        /// What comes in.
        found: usize,
    },
}

impl EmbedError {
    /// Whether the model, a file in it or a text was refused; otherwise the disk is in the way.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(self, EmbedError::Read { .. })
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "none: the repository has no prompts".to_owned()
    } else {
        names.join(", ")
    }
}
