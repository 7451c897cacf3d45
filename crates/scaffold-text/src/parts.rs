//! What a tokenizer is made of, whatever file it was read from.

use crate::added::AddedTokens;
use crate::byte_level::ByteLevel;
use crate::foreign::Foreign;
use crate::frame::Frame;
use crate::spm::SentencePiece;
use crate::tokens::TokenTable;

/// What cuts text into tokens.
#[derive(Debug)]
pub(crate) enum Engine {
    ByteLevel(Box<ByteLevel>),
    SentencePiece(Box<SentencePiece>),
    /// Everything that only the `tokenizers` crate can do.
    Foreign(Box<Foreign>),
}

/// The parts of a tokenizer, before special tokens are known by their roles.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) tokens: TokenTable,
    pub(crate) added: AddedTokens,
    pub(crate) frame: Frame,
}
