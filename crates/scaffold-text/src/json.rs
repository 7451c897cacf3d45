//! `tokenizer.json`: our own byte-level engine where the file describes one, the `tokenizers` crate
//! for everything else.

mod charsmap;
mod diagnose;
pub(crate) mod file;
mod pipeline;
mod rebuilt;

use crate::added::{AddedToken, AddedTokens, JsonAddedToken};
use crate::byte_level::build::Builder;
use crate::foreign::Foreign;
use crate::frame::Frame;
use crate::guard::guarded;
use crate::normalize::Normalizer;
use crate::parts::{Engine, Parts};
use crate::tokens::{Spelling, TokenKind, TokenTable};
use crate::unusable::{damaged, unusable};
pub(crate) use file::{File, LARGEST_ID, Model, Pair, Vocabulary};
use scaffold_error::{Error, Kind};
use std::path::Path;

fn beyond(path: &Path, place: &str, token: &str, id: u32) -> Error {
    let problem = format!("{token:?} in its `{place}` has the id {id}, beyond any vocabulary");
    unusable(Kind::Damaged, path, problem, "Download the file again, or mend that id")
}

/// Parses a `tokenizer.json`. `path` is for error messages.
pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<File, Error> {
    let file: File =
        serde_json::from_slice(bytes).map_err(|error| diagnose::unreadable(bytes, path, &error))?;
    file.check_ids(path)?;
    Ok(file)
}

/// The parts of a tokenizer. `bytes` are those of its file where nothing but the added tokens was
/// changed since.
pub(crate) fn build(file: File, path: &Path, bytes: Option<&[u8]>) -> Result<Parts, Error> {
    charsmap::check(file.normalizer.as_ref(), path)?;
    match file.byte_level() {
        Ok(Ok(parts)) => Ok(parts),
        Ok(Err(file)) => foreign(file, path, bytes),
        Err(error) => Err(damaged(path, error)),
    }
}

/// The frame that a file's post-processor puts around texts, where it is made of templates.
pub(crate) fn frame(file: &File) -> Option<Frame> {
    let post = file.post_processor.as_ref().filter(|post| !post.is_null())?;
    pipeline::post_processor(Some(post)).map(|post| post.frame)
}

impl File {
    /// Whether the tokenizer works on bytes.
    pub(crate) fn is_byte_level(&self) -> bool {
        pipeline::has_bytes(self.pre_tokenizer.as_ref())
            || pipeline::has_bytes(self.decoder.as_ref())
    }

    /// Refuses ids for which tables would have to be made that no memory holds.
    pub(crate) fn check_ids(&self, path: &Path) -> Result<(), Error> {
        if let Some(Vocabulary::Tokens(tokens)) = &self.model.vocab
            && let Some((name, id)) = tokens.iter().find(|(_, id)| *id > LARGEST_ID)
        {
            return Err(beyond(path, "model.vocab", name, *id));
        }
        match self.added_tokens.iter().find(|token| token.id > LARGEST_ID) {
            Some(token) => Err(beyond(path, "added_tokens", &token.content, token.id)),
            None => Ok(()),
        }
    }

    /// The parts of a byte-level tokenizer, or the file where it describes another kind.
    fn byte_level(mut self) -> Result<Result<Parts, Self>, Error> {
        let model = &mut self.model;
        let plain = model.dropout.is_none()
            && model.unk_token.is_none()
            && model.continuing_subword_prefix.as_deref().unwrap_or_default().is_empty()
            && model.end_of_word_suffix.as_deref().unwrap_or_default().is_empty();
        let is_bpe = matches!(model.kind.as_deref(), Some("BPE") | None);
        let is_map = matches!(model.vocab, Some(Vocabulary::Tokens(_)));
        let bytes = pipeline::decodes_bytes(self.decoder.as_ref());
        if !plain || !is_bpe || !is_map || !bytes || model.merges.is_none() {
            return Ok(Err(self));
        }
        let cuts = pipeline::pre_tokenizer(self.pre_tokenizer.as_ref())?;
        let post = pipeline::post_processor(self.post_processor.as_ref());
        let normalizer = pipeline::normalizer(self.normalizer.as_ref()).map(Normalizer::from_json);
        let (Some(cuts), Some(post), Ok(normalizer)) = (cuts, post, normalizer.transpose()) else {
            // Where the crate cannot read the file either, it is diagnosed there, part by part.
            return Ok(Err(self));
        };
        let (Some(Vocabulary::Tokens(vocabulary)), Some(merges)) =
            (model.vocab.take(), model.merges.take())
        else {
            return Ok(Err(self));
        };
        let added: Vec<AddedToken> =
            self.added_tokens.into_iter().map(JsonAddedToken::into_token).collect();
        let mut builder = Builder::new("the vocabulary", vocabulary.len(), merges.len());
        for (name, id) in &vocabulary {
            builder.token(*id, name);
        }
        for Pair(left, right) in &merges {
            builder.merge(left, right)?;
        }
        let listed = added.iter().map(|token| {
            let kind = if token.special { TokenKind::Control } else { TokenKind::Added };
            (token.id, crate::bpe::alphabet::token_bytes(&token.content), kind)
        });
        let (mut engine, mut tokens) = builder.build(cuts.splitter, Spelling::ByteLevel, listed);
        for token in &added {
            tokens.name(token.id, &token.content);
        }
        engine.whole_words = model.ignore_merges;
        engine.add_prefix_space = cuts.add_prefix_space;
        engine.trim = post.trim;
        engine.normalizer = normalizer;

        let normalizer = engine.normalizer.as_ref();
        let added = AddedTokens::new(added, |name| {
            normalizer.map_or_else(|| name.to_owned(), |n| n.apply_to_name(name))
        })?;
        Ok(Ok(Parts {
            engine: Engine::ByteLevel(Box::new(engine)),
            tokens,
            added,
            frame: post.frame,
        }))
    }
}

fn foreign(file: File, path: &Path, bytes: Option<&[u8]>) -> Result<Parts, Error> {
    // Reading the file runs what it describes, on its own tokens.
    let made = guarded(|| made(file, path, bytes));
    let engine = made.unwrap_or_else(|panic| Err(diagnose::broken(path, &panic)))?;
    Ok(Parts {
        added: engine.added()?,
        engine: Engine::Foreign(Box::new(engine)),
        tokens: TokenTable::new(Spelling::Raw),
        frame: Frame::default(),
    })
}

fn made(file: File, path: &Path, bytes: Option<&[u8]>) -> Result<Foreign, Error> {
    let added: Vec<tokenizers::AddedToken> =
        file.added_tokens.iter().map(|token| to_crate(&token.clone().into_token())).collect();
    let mut inner = match bytes {
        Some(bytes) => tokenizers::Tokenizer::from_bytes(bytes)
            .map_err(|error| diagnose::rejected(bytes, path, &*error))?,
        None => rebuilt::tokenizer(file).map_err(|error| damaged(path, error))?,
    };
    inner.add_tokens(added).map_err(|error| damaged(path, error))?;
    Ok(Foreign::new(inner))
}

fn to_crate(token: &AddedToken) -> tokenizers::AddedToken {
    tokenizers::AddedToken {
        content: token.content.clone(),
        single_word: token.single_word,
        lstrip: token.lstrip,
        rstrip: token.rstrip,
        normalized: token.normalized,
        special: token.special,
    }
}
