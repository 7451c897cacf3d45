//! A tokenizer as the vocabulary of a GGUF file.
//!
//! A GGUF file does not hold the pipeline of a `tokenizer.json`: it names a kind of vocabulary and a
//! pre-tokenizer, and whoever reads it knows what the names mean. So which name is right is found by
//! trying: the vocabulary is read back as it would be from the file, and has to cut the same texts
//! into the same tokens. Where no name does, nothing is written.

use std::path::Path;

use scaffold_error::{Error, err};
use serde_json::Value;

use super::Tokenizer;
use super::from_gguf::{GgufKeys, pre};
use crate::encoding::EncodeOptions;
use crate::spm::{Algorithm, PieceKind, proto};
use crate::tokens::TokenKind;

/// What the file holds of a tokenizer, under `tokenizer.ggml`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GgufVocabulary {
    /// The kind of vocabulary: `gpt2` for byte-level merges, `llama` for SentencePiece's.
    pub model: String,
    /// The pre-tokenizer, where the kind has one.
    pub pre: Option<String>,
    /// The tokens by id.
    pub tokens: Vec<String>,
    /// What kind each token is of: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 a byte.
    pub kinds: Vec<i32>,
    /// The score of each token; none where merges say the order.
    pub scores: Vec<f32>,
    /// The merges, each as its two parts with a space between; none where scores say the order.
    pub merges: Vec<String>,
    /// The ids of tokens with a role: `bos_token_id` and the like.
    pub ids: Vec<(&'static str, u32)>,
    /// What is put around a text: `add_bos_token` and the like.
    pub flags: Vec<(&'static str, bool)>,
}

/// Texts that tokenizers are told apart by: scripts, digits, spaces, contractions, code.
const PROBES: [&str; 24] = [
    "Hello, World! It's a test; we'll see what they've DONE'S.",
    "the quick brown fox jumps over the lazy dog",
    " leading and trailing spaces  ",
    "tabs\tand\nnew\n\nlines\r\n\r\n  then   three    four     five",
    "1 12 123 1234 12345 3.14159 1,000,000 0x1F 2026-11-27",
    "fn main() { println!(\"{:?}\", vec![1u8; 0x10]); } // end",
    "    if (a<=b && c!=d) {\n\t\treturn a->b[0]++;\n    }",
    "ÀÉÎÕÜ àéîõü ß Œ æ ñ Ÿ naïve façade Ångström",
    "e\u{301}a\u{308}o\u{302} composed é ä ô",
    "Привет, мир! Как дела? ЁЛКА",
    "γειά σου Κόσμε",
    "你好,世界。今天是星期五，123个人。",
    "こんにちは世界、カタカナとひらがな",
    "안녕하세요 세계 여러분",
    "مرحبا بالعالم ١٢٣",
    "שלום עולם",
    "नमस्ते दुनिया १२३",
    "ไทยไม่มีช่องว่าง",
    "🙂👍🏽👨‍👩‍👧‍👦 ❤️ ✨🚀",
    "https://example.org/a?b=c&d=%20#frag user@example.com",
    "!!! ... ??? --- ___ *** ((())) [[[]]] {{{}}} <<<>>>",
    "can't won't I'm you're he'd she'll we've CAN'T WON'T I'M",
    "\u{a0}no\u{2009}break\u{3000}spaces\u{200b}zero",
    "ǅ ℌ ﬁ ½ ² ™ ¼ € £ ¥ § ¶ • … – — “quoted” ‘single’",
];

impl GgufVocabulary {
    /// The vocabulary of a directory's tokenizer, for a model whose embedding has so many rows.
    ///
    /// # Errors
    /// The tokenizer is of a kind that GGUF files do not hold, or none of their pre-tokenizers cuts
    /// text as it does.
    pub fn of(dir: &Path, tokenizer: &Tokenizer, rows: usize) -> Result<Self, Error> {
        let json = dir.join(scaffold_files::TOKENIZER_JSON);
        let pieces = dir.join(scaffold_files::TOKENIZER_MODEL);
        let mut vocabulary = if json.is_file() {
            let bytes = std::fs::read(&json).map_err(Error::io("read", &json))?;
            let value: Value = serde_json::from_slice(&bytes)
                .map_err(|error| err!(Damaged, "it is no JSON: {error}").in_file(&json))?;
            of_json(&value, tokenizer)?
        } else if pieces.is_file() {
            let bytes = std::fs::read(&pieces).map_err(Error::io("read", &pieces))?;
            of_pieces(&bytes)?
        } else {
            return Err(other_kind(tokenizer.source()));
        };
        vocabulary.fill(rows);
        vocabulary.name_roles(tokenizer);
        vocabulary.proven(tokenizer)
    }

    /// Rows of the embedding that no token has.
    fn fill(&mut self, rows: usize) {
        for id in 0..self.tokens.len().max(rows) {
            if id == self.tokens.len() {
                self.tokens.push(String::new());
                self.kinds.push(PieceKind::Unused.number());
                if !self.scores.is_empty() {
                    self.scores.push(-1e4);
                }
            }
            if self.tokens[id].is_empty() && self.kinds[id] == PieceKind::Unused.number() {
                self.tokens[id] = format!("[PAD{id}]");
            }
        }
    }

    fn name_roles(&mut self, tokenizer: &Tokenizer) {
        let special = tokenizer.special_tokens();
        let roles = [
            ("bos_token_id", &special.bos),
            ("eos_token_id", &special.eos),
            ("unknown_token_id", &special.unk),
            ("padding_token_id", &special.pad),
        ];
        for (role, token) in roles {
            let id = token.as_deref().and_then(|token| tokenizer.token_to_id(token));
            self.ids.extend(id.map(|id| (role, id)));
        }
        let with_special = EncodeOptions::default();
        let ends = tokenizer.encode("a", &with_special).ok().and_then(|e| e.ids.last().copied());
        let eos = self.id("eos_token_id");
        self.flags.push(("add_bos_token", tokenizer.adds_bos()));
        self.flags.push(("add_eos_token", eos.is_some() && ends == eos));
    }

    fn id(&self, name: &str) -> Option<u32> {
        self.ids.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
    }

    /// With the names under which it reads back as it was.
    fn proven(self, tokenizer: &Tokenizer) -> Result<Self, Error> {
        let names: Vec<Option<&str>> = match self.model.as_str() {
            "gpt2" => pre::kinds().map(Some).collect(),
            _ => vec![None],
        };
        let mut nearest: Option<(usize, String)> = None;
        for name in names {
            for spaced in [false, true] {
                let mut tried = self.clone();
                tried.pre = name.map(str::to_owned);
                tried.flags.push(("add_space_prefix", spaced));
                let difference = match tried.read_back() {
                    Ok(back) => difference(tokenizer, &back, self.tokens.len() as u32),
                    Err(error) => Some((0, error.to_string())),
                };
                let Some((same, text)) = difference else {
                    return Ok(tried);
                };
                if nearest.as_ref().is_none_or(|(most, _)| same > *most) {
                    nearest = Some((same, text));
                }
            }
        }
        let (_, text) = nearest.unwrap_or_default();
        Err(err!(
            Unsupported,
            "no vocabulary of a GGUF file cuts text as the model's tokenizer does ({text}): a file would give other tokens \
             than the model was trained with"
        ))
    }

    /// The tokenizer that a file with this vocabulary has.
    ///
    /// # Errors
    /// It contradicts itself.
    fn read_back(&self) -> Result<Tokenizer, Error> {
        let short = |key: &str| key.trim_start_matches("tokenizer.ggml.").to_owned();
        let (back, _) = Tokenizer::from_gguf(&GgufKeys {
            text: &|key| {
                Ok(match short(key).as_str() {
                    "model" => Some(self.model.clone()),
                    "pre" => self.pre.clone(),
                    _ => None,
                })
            },
            id: &|key| Ok(self.id(&short(key))),
            flag: &|key| {
                let key = short(key);
                Ok(self.flags.iter().find(|(known, _)| *known == key).map(|(_, flag)| *flag))
            },
            texts: &|key| Ok((short(key) == "merges").then(|| self.merges.clone())),
            bytes: &|key| {
                let tokens = || self.tokens.iter().map(|token| token.as_bytes().to_vec()).collect();
                Ok((short(key) == "tokens").then(tokens))
            },
            f32s: &|key| Ok((short(key) == "scores").then(|| self.scores.clone())),
            i32s: &|key| Ok((short(key) == "token_type").then(|| self.kinds.clone())),
        })?;
        Ok(back)
    }
}

/// The number of probes that two tokenizers cut alike, and the first that they do not.
/// among `tokens`: what has an id beyond them has no row in the model.
fn difference(one: &Tokenizer, other: &Tokenizer, tokens: u32) -> Option<(usize, String)> {
    let tokens = tokens.min(one.vocab_size() as u32);
    for id in 0..tokens {
        let (a, b) = (one.token_bytes(id), other.token_bytes(id));
        if a.is_some() && a != b {
            return Some((0, format!("token {id} is {a:?} and would be {b:?}")));
        }
        let (a, b) = (one.kind(id), other.kind(id));
        if (a == TokenKind::Control) != (b == TokenKind::Control) {
            return Some((0, format!("token {id} is {a:?} and would be {b:?}")));
        }
    }
    let mut special: Vec<String> = (0..tokens)
        .filter(|id| matches!(one.kind(*id), TokenKind::Control | TokenKind::Added))
        .take(64)
        .filter_map(|id| one.id_to_piece(id))
        .collect();
    special.push(String::new());
    let chat = special.join(" a");
    let mut same = 0;
    let mut first = None;
    let probes = PROBES.iter().map(|text| (*text, EncodeOptions::default()));
    for (text, options) in probes.chain([(chat.as_str(), EncodeOptions::RENDERED)]) {
        let of = |tokenizer: &Tokenizer| tokenizer.encode(text, &options).map(|e| e.ids).ok();
        if of(one) == of(other) {
            same += 1;
        } else if first.is_none() {
            let text: String = text.chars().take(60).collect();
            first = Some(format!("it differs on {text:?}"));
        }
    }
    first.map(|text| (same, text))
}

fn other_kind(what: &str) -> Error {
    err!(
        Unsupported,
        "the model's tokenizer ({what}) is of a kind that is not written into GGUF files; byte-level merges and SentencePiece's are"
    )
}

impl PieceKind {
    /// The number that GGUF files have for it.
    fn number(self) -> i32 {
        match self {
            Self::Normal => 1,
            Self::Unknown => 2,
            Self::Control => 3,
            Self::UserDefined => 4,
            Self::Unused => 5,
            Self::Byte => 6,
        }
    }
}

/// Out of a `tokenizer.json`.
fn of_json(value: &Value, tokenizer: &Tokenizer) -> Result<GgufVocabulary, Error> {
    let model = &value["model"];
    let kind = model["type"].as_str().unwrap_or("BPE");
    let (Some(vocab), Some(merges), "BPE") =
        (model["vocab"].as_object(), model["merges"].as_array(), kind)
    else {
        return Err(other_kind(kind));
    };
    let is_pieces = model["byte_fallback"] == true;
    let mut vocabulary = GgufVocabulary {
        model: if is_pieces { "llama" } else { "gpt2" }.to_owned(),
        ..GgufVocabulary::default()
    };
    let mut set = |id: &Value, token: &str, kind: PieceKind| {
        let id = id.as_u64().filter(|id| *id < 1 << 24)? as usize;
        while vocabulary.tokens.len() <= id {
            vocabulary.tokens.push(String::new());
            vocabulary.kinds.push(PieceKind::Unused.number());
        }
        token.clone_into(&mut vocabulary.tokens[id]);
        vocabulary.kinds[id] = kind.number();
        Some(())
    };
    let unk = model["unk_token"].as_str();
    for (token, id) in vocab {
        let kind = match token.as_str() {
            text if Some(text) == unk => PieceKind::Unknown,
            text if is_pieces && is_byte(text) => PieceKind::Byte,
            _ => PieceKind::Normal,
        };
        set(id, token, kind);
    }
    for added in value["added_tokens"].as_array().into_iter().flatten() {
        let Some(token) = added["content"].as_str() else { continue };
        let kind = match added["special"] == true {
            _ if Some(token) == unk && is_pieces => PieceKind::Unknown,
            true => PieceKind::Control,
            false => PieceKind::UserDefined,
        };
        set(&added["id"], token, kind);
    }
    let merges: Vec<String> = merges.iter().filter_map(merge).collect();
    if is_pieces {
        vocabulary.scores = scores(&vocabulary.tokens, &merges);
    } else {
        vocabulary.merges = merges;
    }
    // What the rules of the tokenizer's class add to its file.
    for id in 0..tokenizer.vocab_size() as u32 {
        if tokenizer.kind(id) == TokenKind::Control
            && let Some(kind) = vocabulary.kinds.get_mut(id as usize)
            && *kind == PieceKind::Normal.number()
        {
            *kind = PieceKind::Control.number();
        }
    }
    Ok(vocabulary)
}

/// `a b`, or the two as a list.
fn merge(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(two) => {
            let [a, b] = two.as_slice() else { return None };
            Some(format!("{} {}", a.as_str()?, b.as_str()?))
        }
        _ => None,
    }
}

/// `<0x41>`.
fn is_byte(token: &str) -> bool {
    let digits = token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    digits.is_some_and(|digits| digits.len() == 2 && u8::from_str_radix(digits, 16).is_ok())
}

/// The order of merges as scores: what is merged first has the highest.
fn scores(tokens: &[String], merges: &[String]) -> Vec<f32> {
    let rank: std::collections::HashMap<String, usize> = merges
        .iter()
        .enumerate()
        .rev()
        .map(|(rank, merge)| (merge.replacen(' ', "", 1), rank))
        .collect();
    let last = merges.len();
    tokens.iter().map(|token| -(rank.get(token).copied().unwrap_or(last) as f32)).collect()
}

/// Out of a SentencePiece model.
fn of_pieces(bytes: &[u8]) -> Result<GgufVocabulary, Error> {
    let model = proto::parse(bytes)?;
    if model.algorithm != Algorithm::Bpe || !model.charsmap.is_empty() {
        return Err(other_kind("a SentencePiece model with rules of its own"));
    }
    let of = |kind: fn(&crate::spm::Piece) -> i32| model.pieces.iter().map(kind).collect();
    Ok(GgufVocabulary {
        model: "llama".to_owned(),
        tokens: model.pieces.iter().map(|piece| piece.text.clone()).collect(),
        kinds: of(|piece| piece.kind.number()),
        scores: model.pieces.iter().map(|piece| piece.score).collect(),
        ..GgufVocabulary::default()
    })
}
