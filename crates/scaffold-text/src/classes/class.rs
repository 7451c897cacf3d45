//! What a tokenizer class is: the files that it reads, and what it makes of them.

use super::pipeline::Pipeline;
use crate::config::{Named, TokenizerConfig};
use crate::json::Vocabulary;

/// A vocabulary, and what its file says beside it.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    /// SentencePiece's table of replacements, in base64.
    pub(super) charsmap: Option<&'a str>,
    /// The unknown piece that a SentencePiece file names.
    pub(super) unknown: Option<usize>,
    /// The control and user-defined pieces of a SentencePiece file.
    pub(super) pieces: Option<&'a [Named]>,
}

/// The files that a class reads where there is no `tokenizer.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// `vocab.txt`
    Words,
    /// `vocab.json` and `merges.txt`
    Pairs,
    /// A SentencePiece file of one of these names, whose pieces are laid out for the model.
    Pieces(&'static [&'static str], Layout),
    /// None that this program reads, and why.
    Unread(&'static str),
}

impl Files {
    /// What is read, for the error that it is missing.
    pub(crate) fn wanted(self) -> String {
        match self {
            Files::Words => "which is read from vocab.txt".to_owned(),
            Files::Pairs => "which is read from vocab.json and merges.txt".to_owned(),
            Files::Pieces(names, _) => format!("which is read from {}", names.join(" or ")),
            Files::Unread(why) => format!("whose original files are not read: {why}"),
        }
    }
}

/// Where the pieces of a SentencePiece file stand in the model's vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    AsTheyStand,
    /// fairseq's: four tokens in place of the file's first three, and `<mask>` at the end.
    Fairseq,
    /// The same with tokens that are not used before and among them.
    Camembert,
    /// fairseq's with codes of languages before `<mask>`.
    Mbart,
    Mbart50,
    /// fairseq's first four, then the file's other pieces in order.
    Nllb,
    /// `<extra_id_99>` to `<extra_id_0>` at the end.
    ExtraIds,
    /// 105 tokens in place of the file's first two.
    Pegasus,
}

/// A tokenizer class.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// The names of the class, without `Fast` at their end.
    pub(super) names: &'static [&'static str],
    pub(crate) files: Files,
    /// What the class calls the special tokens where the configuration does not.
    pub(super) roles: &'static [(&'static str, &'static str)],
    /// `<mask>` takes the space before it with it.
    pub(super) mask_strips: bool,
    /// A SentencePiece file becomes a vocabulary of merges.
    pub(super) merges: bool,
    /// `tokenizer.json` is taken as it stands, but for tokens and frame.
    pub(super) keeps_file: bool,
    pub(super) pipeline: Make,
}

/// Makes the parts of a tokenizer.
pub(super) type Make = fn(&TokenizerConfig, &Source<'_>) -> Pipeline;
