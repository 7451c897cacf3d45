//! Classes over SentencePiece files: XLM-R, T5, XLNet, Llama, Gemma and their relatives.

use super::class::Source;
use super::languages::{MBART, MBART50, NLLB};
use super::pipeline::{
    Around, Pipeline, bert_frame, bpe, metaspace, place, plain, replace, replace_text, sequence,
    unigram,
};
use crate::config::{Named, TokenizerConfig};
use crate::json::Model;
use serde_json::{Value, json};

/// Special tokens without a role: those of the configuration, else those that the class gives.
fn extra(config: &TokenizerConfig, class: Vec<Named>) -> Vec<Named> {
    config.extra.clone().unwrap_or(class)
}

/// The tokens that the class is handed: the control and user-defined pieces of the model file, else
/// what the configuration names.
fn handed(config: &TokenizerConfig, source: &Source<'_>) -> Option<Vec<Named>> {
    source.pieces.map(<[Named]>::to_vec).or_else(|| config.additional.clone())
}

fn names<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Vec<Named> {
    tokens.into_iter().map(Named::new).collect()
}

fn prepend(config: &TokenizerConfig, without: &'static str) -> &'static str {
    match config.flag("add_prefix_space") {
        Some(false) => without,
        _ => "always",
    }
}

/// Words apart at white space, then `▁` in front of each.
fn words(scheme: &str) -> Value {
    let steps = vec![plain("WhitespaceSplit"), metaspace(scheme, true)];
    sequence("pre_tokenizer", &steps)
}

fn charsmap(source: &Source<'_>) -> Option<Value> {
    source.charsmap.map(|table| json!({ "type": "Precompiled", "precompiled_charsmap": table }))
}

fn strip(left: bool, right: bool) -> Value {
    json!({ "type": "Strip", "strip_left": left, "strip_right": right })
}

/// The table of replacements, then runs of spaces as one.
fn charsmap_and_spaces(source: &Source<'_>) -> Value {
    let mut steps: Vec<Value> = charsmap(source).into_iter().collect();
    steps.push(replace(" {2,}", " "));
    sequence("normalizer", &steps)
}

fn pipeline(
    config: &TokenizerConfig,
    source: &Source<'_>,
    scheme: &str,
    unknown: usize,
) -> Pipeline {
    Pipeline {
        pre_tokenizer: metaspace(scheme, true),
        decoder: metaspace(scheme, true),
        model: unigram(unknown),
        extra: extra(config, handed(config, source).unwrap_or_default()),
        ..Pipeline::default()
    }
}

pub(super) fn xlm_roberta(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let scheme = prepend(config, "never");
    Pipeline {
        normalizer: charsmap(source),
        pre_tokenizer: words(scheme),
        frame: Around::template("bos $A eos", "bos $A eos eos $B eos"),
        ..pipeline(config, source, scheme, 3)
    }
}

pub(super) fn camembert(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let unknown = config.role("unk").and_then(|name| place(source.vocabulary, name));
    let unused = || names(["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"]);
    let scheme = prepend(config, "never");
    Pipeline {
        normalizer: charsmap(source),
        pre_tokenizer: words(scheme),
        frame: Around::template("bos $A eos", "bos $A eos eos $B eos"),
        extra: extra(config, handed(config, source).unwrap_or_else(unused)),
        ..pipeline(config, source, scheme, unknown.unwrap_or(0))
    }
}

fn tidy() -> Vec<Value> {
    vec![replace(r"\s{2,}|[\n\r\t]", " "), plain("NFC"), strip(false, true)]
}

pub(super) fn barthez(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    Pipeline {
        normalizer: Some(sequence("normalizer", &tidy())),
        ..pipeline(config, source, prepend(config, "never"), 3)
    }
}

pub(super) fn t5(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let count = config.number("extra_ids").unwrap_or(100).min(10_000);
    let ids = (0..count).map(|n| Named::new(format!("<extra_id_{n}>")));
    let mut special = handed(config, source).unwrap_or_default();
    if !special.iter().any(|token| token.content.contains("<extra_id_")) {
        special.extend(ids);
    }
    Pipeline {
        normalizer: charsmap(source),
        pre_tokenizer: words("always"),
        frame: Around::template("$A =</s>", "$A =</s> $B =</s>"),
        extra: extra(config, special),
        ..pipeline(config, source, "always", 2)
    }
}

/// What XLNet's and ALBERT's normalizers begin with.
fn quotes(accents: bool, lowercase: bool) -> Vec<Value> {
    let mut steps = vec![replace_text("``", "\""), replace_text("''", "\"")];
    if !accents {
        steps.extend([plain("NFKD"), plain("StripAccents")]);
    }
    if lowercase {
        steps.push(plain("Lowercase"));
    }
    steps
}

pub(super) fn xlnet(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let mut steps = quotes(false, config.flag("do_lower_case").unwrap_or(false));
    steps.extend(charsmap(source));
    let ends = || names(["<eop>", "<eod>"]);
    let unknown = source.unknown.or(config.number("unk_id").map(|id| id as usize));
    Pipeline {
        normalizer: Some(sequence("normalizer", &steps)),
        pre_tokenizer: words("always"),
        frame: Around::template("$A:0 sep:0 cls:2", "$A:0 sep:0 $B:1 sep:1 cls:2"),
        extra: extra(config, handed(config, source).unwrap_or_else(ends)),
        ..pipeline(config, source, "always", unknown.unwrap_or(0))
    }
}

pub(super) fn albert(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let accents = config.flag("keep_accents").unwrap_or(false);
    let mut steps = quotes(accents, config.flag("do_lower_case").unwrap_or(true));
    steps.extend(charsmap(source));
    let scheme = prepend(config, "never");
    Pipeline {
        normalizer: Some(sequence("normalizer", &steps)),
        pre_tokenizer: words(scheme),
        frame: Around::Unless(Box::new(bert_frame())),
        ..pipeline(config, source, scheme, 1)
    }
}

pub(super) fn big_bird(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let unknown = config.role("unk").and_then(|name| unscored(source, name));
    Pipeline {
        normalizer: Some(sequence("normalizer", &[strip(false, false), replace(" {2,}", "▁")])),
        frame: bert_frame(),
        ..pipeline(config, source, prepend(config, "never"), unknown.unwrap_or(100))
    }
}

/// The place of a piece that has no score.
fn unscored(source: &Source<'_>, name: &str) -> Option<usize> {
    unscored_from(source, name, 0)
}

fn unscored_from(source: &Source<'_>, name: &str, from: usize) -> Option<usize> {
    match source.vocabulary {
        crate::json::Vocabulary::Scored(pieces) => pieces
            .iter()
            .enumerate()
            .skip(from)
            .find(|(_, (piece, score))| piece == name && *score == 0.0)
            .map(|(place, _)| place),
        crate::json::Vocabulary::Tokens(_) => None,
    }
}

fn source_language(config: &TokenizerConfig, default: &str) -> String {
    config.string("src_lang").unwrap_or(default).to_owned()
}

pub(super) fn mbart(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let language = source_language(config, "en_XX");
    let mut special = names(MBART);
    let more = handed(config, source).unwrap_or_default();
    special.extend(more.into_iter().filter(|token| !MBART.contains(&token.content.as_str())));
    Pipeline {
        pre_tokenizer: words("always"),
        frame: Around::template(&format!("$A eos ?{language}"), &format!("$A $B eos ?{language}")),
        extra: extra(config, special),
        ..pipeline(config, source, "always", 3)
    }
}

pub(super) fn mbart50(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let language = source_language(config, "en_XX");
    let mut special = handed(config, source).unwrap_or_default();
    special.extend(names(MBART.into_iter().chain(MBART50)));
    Pipeline {
        normalizer: Some(charsmap_and_spaces(source)),
        frame: Around::template(&format!("?{language} $A eos"), &format!("?{language} $A $B eos")),
        extra: extra(config, special),
        ..pipeline(config, source, "always", 3)
    }
}

pub(super) fn nllb(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let language = source_language(config, "eng_Latn");
    let (single, pair) = if config.flag("legacy_behaviour").unwrap_or(false) {
        (format!("$A eos ?{language}"), format!("$A $B eos ?{language}"))
    } else {
        (format!("?{language} $A eos"), format!("?{language} $A $B eos"))
    };
    Pipeline {
        normalizer: source.charsmap.map(|_| charsmap_and_spaces(source)),
        frame: Around::Template(single, pair),
        model: Model { unk_token: config.role("unk").map(str::to_owned), fuse_unk: true, ..bpe() },
        extra: extra(config, handed(config, source).unwrap_or_else(|| names(NLLB))),
        ..pipeline(config, source, "always", 0)
    }
}

pub(super) fn pegasus(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let sentence = config.string("mask_token_sent").unwrap_or("<mask_1>");
    let given = handed(config, source).unwrap_or_default();
    let mut special = Vec::new();
    if !given.iter().any(|token| token.content == sentence) {
        special.push(Named::new(sentence));
    }
    let offset = config.number("offset").unwrap_or(103).min(10_000);
    special.extend((2..offset).map(|n| Named::new(format!("<unk_{n}>"))));
    let unknown = config.role("unk").and_then(|name| unscored_from(source, name, 1));
    let normalizer = if source.charsmap.is_some() {
        charsmap_and_spaces(source)
    } else {
        sequence("normalizer", &[replace(r"\n", " "), replace(" {2,}", " ")])
    };
    Pipeline {
        normalizer: Some(normalizer),
        frame: Around::template("$A eos", "$A $B eos"),
        extra: extra(config, special),
        ..pipeline(config, source, "always", unknown.unwrap_or(usize::MAX))
    }
}

pub(super) fn rembert(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let mut steps = vec![replace_text("``", "\""), replace_text("''", "\""), replace(" {2,}", " ")];
    if !config.flag("keep_accents").unwrap_or(true) {
        steps.extend([plain("NFKD"), plain("StripAccents")]);
    }
    if config.flag("do_lower_case").unwrap_or(false) {
        steps.push(plain("Lowercase"));
    }
    steps.extend(charsmap(source));
    Pipeline {
        normalizer: Some(sequence("normalizer", &steps)),
        frame: Around::WithFile(
            "cls:0 $A:0 sep:0".to_owned(),
            "cls:0 $A:0 sep:0 $B:1 sep:1".to_owned(),
        ),
        ..pipeline(config, source, prepend(config, "never"), 2)
    }
}

pub(super) fn deberta_v2(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let mut steps = Vec::new();
    if config.flag("do_lower_case").unwrap_or(false) {
        steps.push(plain("Lowercase"));
    }
    steps.extend(tidy());
    let mut cuts = Vec::new();
    if config.flag("split_by_punct").unwrap_or(false) {
        cuts.push(json!({ "type": "Punctuation", "behavior": "Isolated" }));
    }
    let scheme = prepend(config, "first");
    cuts.push(metaspace(scheme, true));
    let named = config.role("unk").and_then(|name| unscored(source, name));
    let given = source.unknown.or(config.number("unk_id").map(|id| id as usize));
    Pipeline {
        normalizer: Some(sequence("normalizer", &steps)),
        pre_tokenizer: sequence("pre_tokenizer", &cuts),
        frame: bert_frame(),
        ..pipeline(config, source, scheme, named.or(given).unwrap_or(1))
    }
}

pub(super) fn xglm(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let mut special = handed(config, source).unwrap_or_default();
    for n in 0..7 {
        let word = Named::new(format!("<madeupword{n}>"));
        if !special.iter().any(|token| token.content == word.content) {
            special.push(word);
        }
    }
    Pipeline {
        normalizer: Some(charsmap_and_spaces(source)),
        frame: Around::template("eos $A", "eos $A eos eos $B"),
        extra: extra(config, special),
        ..pipeline(config, source, prepend(config, "never"), 3)
    }
}

pub(super) fn reformer(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    Pipeline {
        normalizer: source.charsmap.map(|_| charsmap_and_spaces(source)),
        model: Model { unk_token: config.role("unk").map(str::to_owned), fuse_unk: true, ..bpe() },
        ..pipeline(config, source, "always", 0)
    }
}

fn byte_fallback(unk_token: Option<&str>) -> Model {
    Model { unk_token: unk_token.map(str::to_owned), fuse_unk: true, byte_fallback: true, ..bpe() }
}

/// `▁` as spaces, byte pieces as their bytes, and the first space away where one was put there.
fn decoder(strips: bool) -> Value {
    let mut steps = vec![replace_text("▁", " "), plain("ByteFallback"), plain("Fuse")];
    if strips {
        steps.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
    }
    sequence("decoder", &steps)
}

pub(super) fn gemma(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    Pipeline {
        normalizer: Some(replace_text(" ", "▁")),
        pre_tokenizer: json!({ "type": "Split", "pattern": { "String": " " }, "behavior": "MergedWithPrevious", "invert": false }),
        decoder: decoder(false),
        model: byte_fallback(config.role("unk")),
        ..pipeline(config, source, "always", 0)
    }
}

pub(super) fn llama(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let prefix = config.flag("add_prefix_space").unwrap_or(true);
    let scheme = match (prefix, config.flag("legacy").unwrap_or(false)) {
        (false, _) => "never",
        (true, true) => "always",
        (true, false) => "first",
    };
    Pipeline {
        pre_tokenizer: metaspace(scheme, false),
        decoder: decoder(prefix),
        model: byte_fallback(None),
        ..pipeline(config, source, scheme, 0)
    }
}

pub(super) fn code_llama(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let prefix = config.flag("add_prefix_space").unwrap_or(true);
    let scheme = if prefix { "first" } else { "never" };
    let mut special = handed(config, source).unwrap_or_default();
    special.extend(names(["▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>", "<FILL_ME>"]));
    Pipeline {
        pre_tokenizer: metaspace(scheme, false),
        decoder: decoder(true),
        model: byte_fallback(config.role("unk")),
        extra: extra(config, special),
        ..pipeline(config, source, scheme, 0)
    }
}
