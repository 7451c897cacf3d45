//! A tokenizer of the `tokenizers` crate from parts that no file holds.

use super::file::{File, Model, Pair, Vocabulary};
use ahash::AHashMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokenizers::ModelWrapper;
use tokenizers::models::bpe::BPE;
use tokenizers::models::unigram::Unigram;
use tokenizers::models::wordpiece::WordPiece;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn part<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>, Failure> {
    match value.filter(|value| !value.is_null()) {
        Some(value) => Ok(Some(serde_json::from_value(value)?)),
        None => Ok(None),
    }
}

/// The tokenizer, without its added tokens.
pub(super) fn tokenizer(file: File) -> Result<tokenizers::Tokenizer, Failure> {
    let mut tokenizer = tokenizers::Tokenizer::new(model(file.model)?);
    tokenizer.with_normalizer(part::<tokenizers::NormalizerWrapper>(file.normalizer)?)?;
    tokenizer.with_pre_tokenizer(part::<tokenizers::PreTokenizerWrapper>(file.pre_tokenizer)?);
    tokenizer.with_post_processor(part::<tokenizers::PostProcessorWrapper>(file.post_processor)?);
    tokenizer.with_decoder(part::<tokenizers::DecoderWrapper>(file.decoder)?);
    Ok(tokenizer)
}

fn model(model: Model) -> Result<ModelWrapper, Failure> {
    let merges = model.merges.unwrap_or_default();
    match (model.kind.as_deref(), model.vocab) {
        (Some("Unigram"), Some(Vocabulary::Scored(pieces))) => {
            Ok(Unigram::from(pieces, model.unk_id, model.byte_fallback)?.into())
        }
        (Some("WordPiece"), Some(Vocabulary::Tokens(tokens))) => {
            let mut builder = WordPiece::builder().vocab(map(tokens));
            if let Some(unknown) = model.unk_token {
                builder = builder.unk_token(unknown);
            }
            if let Some(prefix) = model.continuing_subword_prefix {
                builder = builder.continuing_subword_prefix(prefix);
            }
            Ok(builder.build()?.into())
        }
        (Some("BPE"), Some(Vocabulary::Tokens(tokens))) => {
            let merges = merges.into_iter().map(|Pair(left, right)| (left, right));
            let mut builder = BPE::builder()
                .vocab_and_merges(map(tokens), merges.collect())
                .fuse_unk(model.fuse_unk)
                .byte_fallback(model.byte_fallback)
                .ignore_merges(model.ignore_merges);
            if let Some(unknown) = model.unk_token {
                builder = builder.unk_token(unknown);
            }
            if let Some(suffix) = model.end_of_word_suffix {
                builder = builder.end_of_word_suffix(suffix);
            }
            Ok(builder.build()?.into())
        }
        (kind, _) => Err(format!("a model of the type {kind:?} cannot be made of it").into()),
    }
}

fn map(tokens: Vec<(String, u32)>) -> AHashMap<String, u32> {
    tokens.into_iter().collect()
}
