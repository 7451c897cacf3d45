//! GGUF vocabularies that are rebuilt as a `tokenizer.json`: BERT's word pieces, and BPE over raw
//! text (Gemma 4).

use super::Vocabulary;
use crate::json;
use crate::parts::Parts;
use crate::spm::PieceKind;
use scaffold_error::{Error, err};
use serde_json::{Map, Value, json};
use std::path::Path;

/// `[CLS]`, `[SEP]` and the unknown token of BERT's own vocabulary.
const CLS: u32 = 101;
const SEP: u32 = 102;
const UNK: u32 = 100;

fn build(file: &Value) -> Result<Parts, Error> {
    let path = Path::new("the GGUF vocabulary");
    let bytes = file.to_string();
    json::build(json::parse(bytes.as_bytes(), path)?, path, Some(bytes.as_bytes()))
}

/// The tokens that are recognized in text, as `tokenizer.json` lists them.
fn added_tokens(vocabulary: &Vocabulary<'_>) -> Vec<Value> {
    (0..vocabulary.tokens.len())
        .filter_map(|id| {
            let special = match vocabulary.kind(id) {
                PieceKind::Control | PieceKind::Unknown => true,
                PieceKind::UserDefined => false,
                _ => return None,
            };
            Some(json!({
                "id": id, "content": vocabulary.text(id), "special": special,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            }))
        })
        .collect()
}

fn token(vocabulary: &Vocabulary<'_>, id: u32) -> Result<String, Error> {
    if (id as usize) < vocabulary.tokens.len() {
        return Ok(vocabulary.text(id as usize));
    }
    Err(err!(
        Damaged,
        "the GGUF vocabulary is not usable: special token {id} is outside the {} tokens",
        vocabulary.tokens.len()
    ))
}

/// Word pieces. GGUF writes the beginning of a word as `▁word` and its continuation plainly, BERT
/// the beginning plainly and its continuation as `##word`.
pub(super) fn word_piece(vocabulary: &Vocabulary<'_>) -> Result<Parts, Error> {
    let cls = vocabulary.id("cls")?.or(vocabulary.id("bos")?).unwrap_or(CLS);
    let sep = vocabulary.id(super::SEP)?.unwrap_or(SEP);
    let unk = token(vocabulary, vocabulary.id(super::UNK)?.unwrap_or(UNK))?;
    let mut vocab = Map::new();
    for id in 0..vocabulary.tokens.len() {
        let text = vocabulary.text(id);
        // Names in brackets (`[unused7]`) are written as they are.
        let is_name = text.len() > 2 && text.starts_with('[') && text.ends_with(']');
        let name = match (vocabulary.kind(id), text.strip_prefix('▁')) {
            (PieceKind::Normal, Some(word)) => word.to_owned(),
            (PieceKind::Normal, None) if !is_name => format!("##{text}"),
            _ => text,
        };
        vocab.insert(name, json!(id));
    }
    let special = |id: u32| -> Result<Value, Error> {
        let name = token(vocabulary, id)?;
        Ok(json!({ "id": name, "ids": [id], "tokens": [name] }))
    };
    let (cls_name, sep_name) = (token(vocabulary, cls)?, token(vocabulary, sep)?);
    let place =
        |name: &str, type_id: u32| json!({ "SpecialToken": { "id": name, "type_id": type_id } });
    let sequence = |id: &str, type_id: u32| json!({ "Sequence": { "id": id, "type_id": type_id } });
    let mut specials = Map::new();
    specials.insert(cls_name.clone(), special(cls)?);
    specials.insert(sep_name.clone(), special(sep)?);
    build(&json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added_tokens(vocabulary),
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": vocabulary.flag("normalizer.strip_accents")?,
            "lowercase": vocabulary.flag("normalizer.lowercase")?.unwrap_or(true) },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [place(&cls_name, 0), sequence("A", 0), place(&sep_name, 0)],
            "pair": [place(&cls_name, 0), sequence("A", 0), place(&sep_name, 0), sequence("B", 1), place(&sep_name, 1)],
            "special_tokens": specials,
        },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": { "type": "WordPiece", "unk_token": unk, "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab },
    }))
}

/// BPE over the characters of the text, its spaces written as `▁`, with byte pieces for the rest.
pub(super) fn raw_bpe(vocabulary: &Vocabulary<'_>) -> Result<Parts, Error> {
    vocabulary.check_merges()?;
    let unk = token(vocabulary, vocabulary.id(super::UNK)?.unwrap_or(0))?;
    let vocab: Map<String, Value> =
        (0..vocabulary.tokens.len()).map(|id| (vocabulary.text(id), json!(id))).collect();
    let merges: Vec<Value> = vocabulary
        .merges
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(left, right)| json!([left, right]))
        .collect();
    let add_bos = vocabulary.flag("add_bos_token")?.unwrap_or(true);
    let bos = vocabulary.id("bos")?.filter(|_| add_bos);
    let mut single = Vec::new();
    let mut specials = Map::new();
    if let Some(id) = bos {
        let name = token(vocabulary, id)?;
        single.push(json!({ "SpecialToken": { "id": name, "type_id": 0 } }));
        specials.insert(name.clone(), json!({ "id": name, "ids": [id], "tokens": [name] }));
    }
    single.push(json!({ "Sequence": { "id": "A", "type_id": 0 } }));
    let mut pair = single.clone();
    pair.push(json!({ "Sequence": { "id": "B", "type_id": 1 } }));
    build(&json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added_tokens(vocabulary),
        "normalizer": { "type": "Replace", "pattern": { "String": " " }, "content": "▁" },
        "pre_tokenizer": { "type": "Split", "pattern": { "String": " " }, "behavior": "MergedWithPrevious", "invert": false },
        "post_processor": { "type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": specials },
        "decoder": { "type": "Sequence", "decoders": [
            { "type": "Replace", "pattern": { "String": "▁" }, "content": " " }, { "type": "ByteFallback" }, { "type": "Fuse" },
        ] },
        "model": { "type": "BPE", "dropout": null, "unk_token": unk, "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": true, "byte_fallback": true, "ignore_merges": false, "vocab": vocab, "merges": merges },
    }))
}
