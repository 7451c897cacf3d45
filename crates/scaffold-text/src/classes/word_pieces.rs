//! BERT and its relatives: `vocab.txt`, a word piece a line.

use super::class::Source;
use super::pipeline::{Around, Pipeline, bert_frame};
use crate::config::TokenizerConfig;
use crate::json::{File, Model, Vocabulary};
use crate::unusable::damaged;
use scaffold_error::Error;
use serde_json::json;
use std::path::Path;

/// Reads a `vocab.txt`: the id of a piece is the number of its line, from 0.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<File, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| damaged(path, format!("it is not text: {error}")))?;
    let tokens =
        text.lines().zip(0u32..).map(|(line, id)| (line.trim_end().to_owned(), id)).collect();
    Ok(File {
        model: Model {
            kind: Some("WordPiece".to_owned()),
            vocab: Some(Vocabulary::Tokens(tokens)),
            ..Model::default()
        },
        ..File::default()
    })
}

fn pipeline(config: &TokenizerConfig, lowercase: bool, frame: Around) -> Pipeline {
    Pipeline {
        normalizer: Some(json!({
            "type": "BertNormalizer",
            "clean_text": config.flag("clean_text").unwrap_or(true),
            "handle_chinese_chars": config.flag("tokenize_chinese_chars").unwrap_or(true),
            "strip_accents": config.flag("strip_accents"),
            "lowercase": lowercase,
        })),
        pre_tokenizer: json!({ "type": "BertPreTokenizer" }),
        decoder: json!({ "type": "WordPiece", "prefix": "##", "cleanup": true }),
        frame,
        model: Model {
            kind: Some("WordPiece".to_owned()),
            unk_token: config.role("unk").map(str::to_owned),
            continuing_subword_prefix: Some("##".to_owned()),
            ..Model::default()
        },
        extra: config.extra.clone().unwrap_or_default(),
        ..Pipeline::default()
    }
}

fn lowercase(config: &TokenizerConfig) -> bool {
    config.flag("do_lower_case").unwrap_or(true)
}

pub(super) fn bert(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    let config = without_clean_text(config);
    pipeline(&config, lowercase(&config), bert_frame())
}

/// DPR's classes never pass `do_lower_case` on.
pub(super) fn dpr(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    pipeline(&without_clean_text(config), true, bert_frame())
}

pub(super) fn funnel(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    let frame = Around::template("cls:2 $A:0 sep:0", "cls:2 $A:0 sep:0 $B:1 sep:1");
    pipeline(config, lowercase(config), frame)
}

pub(super) fn mpnet(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    let frame =
        Around::Roberta { sep: "sep", cls: "cls", trim_offsets: true, add_prefix_space: false };
    let config = without_clean_text(config);
    pipeline(&config, lowercase(&config), frame)
}

pub(super) fn splinter(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    let config = without_clean_text(config);
    let question = config
        .named
        .iter()
        .find(|(name, _)| name == "question_token")
        .map_or("[QUESTION]", |(_, token)| token.content.as_str());
    let pair = if config.string("padding_side") == Some("left") {
        format!("cls:0 $A:0 sep:0 $B:1 ={question} =. sep:1")
    } else {
        format!("cls:0 $A:0 ={question} =. sep:0 $B:1 sep:1")
    };
    let frame = Around::template("cls:0 $A:0 sep:0", &pair);
    pipeline(&config, lowercase(&config), frame)
}

/// Only Funnel's class knows the setting.
fn without_clean_text(config: &TokenizerConfig) -> TokenizerConfig {
    let mut config = config.clone();
    config.settings.remove("clean_text");
    config
}
