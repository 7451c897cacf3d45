//! Text between two others: how models that can fill in a middle are asked for it.

use scaffold_error::Error;

use crate::encoding::EncodeOptions;
use crate::tokenizer::Tokenizer;
use crate::tokens::TokenKind;

/// What comes first in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Before, after, middle: `<PRE>` before `<SUF>` after `<MID>`.
    BeforeFirst,
    /// After, before, middle: `[SUFFIX]` after `[PREFIX]` before.
    AfterFirst,
}

/// The tokens of a family of models.
struct Row {
    before: &'static str,
    after: &'static str,
    /// Absent where the middle follows what is before it.
    middle: Option<&'static str>,
    order: Order,
    /// Tokens that end the middle besides those that end answers.
    ends: &'static [&'static str],
}

/// Known families. The first whose tokens a vocabulary has is taken.
const ROWS: [Row; 8] = [
    // Qwen2.5-Coder (README of its repository, "Fill in the middle"), CodeGemma and Granite (their
    // model cards).
    Row {
        before: "<|fim_prefix|>",
        after: "<|fim_suffix|>",
        middle: Some("<|fim_middle|>"),
        order: Order::BeforeFirst,
        ends: &[
            "<|fim_pad|>",
            "<|repo_name|>",
            "<|file_sep|>",
            "<|file_separator|>",
            "<|endoftext|>",
        ],
    },
    // StarCoder and StarCoder2, StableCode, Granite Code (their model cards).
    Row {
        before: "<fim_prefix>",
        after: "<fim_suffix>",
        middle: Some("<fim_middle>"),
        order: Order::BeforeFirst,
        ends: &["<fim_pad>", "<file_sep>", "<repo_name>", "<|endoftext|>"],
    },
    // SantaCoder (its model card).
    Row {
        before: "<fim-prefix>",
        after: "<fim-suffix>",
        middle: Some("<fim-middle>"),
        order: Order::BeforeFirst,
        ends: &["<fim-pad>", "<|endoftext|>"],
    },
    // DeepSeek-Coder (README of its repository, "Code Insertion").
    Row {
        before: "<｜fim▁begin｜>",
        after: "<｜fim▁hole｜>",
        middle: Some("<｜fim▁end｜>"),
        order: Order::BeforeFirst,
        ends: &[],
    },
    // CodeLlama (`llama/generation.py` of its repository, `infilling_prompt_tokens`).
    Row {
        before: "▁<PRE>",
        after: "▁<SUF>",
        middle: Some("▁<MID>"),
        order: Order::BeforeFirst,
        ends: &["▁<EOT>"],
    },
    // GLM-4.5 (`src/llama-vocab.cpp` of llama.cpp).
    Row {
        before: "<|code_prefix|>",
        after: "<|code_suffix|>",
        middle: Some("<|code_middle|>"),
        order: Order::BeforeFirst,
        ends: &["<|endoftext|>"],
    },
    // Seed-Coder (README of its repository, "Fill-in-the-Middle").
    Row {
        before: "<[fim-prefix]>",
        after: "<[fim-suffix]>",
        middle: Some("<[fim-middle]>"),
        order: Order::AfterFirst,
        ends: &[],
    },
    // Codestral (`encode_fim` of mistral-common).
    Row {
        before: "[PREFIX]",
        after: "[SUFFIX]",
        middle: None,
        order: Order::AfterFirst,
        ends: &[],
    },
];

/// How a model is asked for what stands between two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FillInMiddle {
    before: u32,
    after: u32,
    middle: Option<u32>,
    order: Order,
    ends: Vec<u32>,
}

impl FillInMiddle {
    /// By the names of the tokens that a vocabulary has; `None` where it has none of any family.
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        ROWS.iter().find_map(|row| {
            Some(Self {
                before: known(tokenizer, row.before)?,
                after: known(tokenizer, row.after)?,
                middle: match row.middle {
                    Some(middle) => Some(known(tokenizer, middle)?),
                    None => None,
                },
                order: row.order,
                ends: row.ends.iter().filter_map(|name| known(tokenizer, name)).collect(),
            })
        })
    }

    /// By the tokens that a model's file names; `None` where the vocabulary does not have them. Their
    /// order is that of the family whose tokens they are, else what is before comes first.
    pub fn of_ids(tokenizer: &Tokenizer, before: u32, after: u32, middle: u32) -> Option<Self> {
        let is_there = |id: &u32| tokenizer.kind(*id) != TokenKind::Unused;
        if ![before, after, middle].iter().all(is_there) {
            return None;
        }
        let own = Self::of(tokenizer);
        let is_own =
            |own: &Self| (own.before, own.after, own.middle) == (before, after, Some(middle));
        own.filter(is_own).or(Some(Self {
            before,
            after,
            middle: Some(middle),
            order: Order::BeforeFirst,
            ends: Vec::new(),
        }))
    }

    /// The prompt after which a model writes what stands between two texts. Names of control tokens
    /// in them are text.
    ///
    /// # Errors
    /// The vocabulary cannot express a text.
    pub fn prompt(
        &self,
        tokenizer: &Tokenizer,
        before: &str,
        after: &str,
    ) -> Result<Vec<u32>, Error> {
        let before = [vec![self.before], encode(tokenizer, before)?].concat();
        let after = [vec![self.after], in_the_middle(tokenizer, after)?].concat();
        let bos = tokenizer.bos().filter(|_| tokenizer.adds_bos());
        let (first, second) = match self.order {
            Order::BeforeFirst => (before, after),
            Order::AfterFirst => (after, before),
        };
        Ok(bos.into_iter().chain(first).chain(second).chain(self.middle).collect())
    }

    /// Tokens that end the middle besides those that end answers.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }
}

fn known(tokenizer: &Tokenizer, name: &str) -> Option<u32> {
    let id = tokenizer.token_to_id(name)?;
    (tokenizer.kind(id) != TokenKind::Unused).then_some(id)
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, Error> {
    let options = EncodeOptions { add_special: false, parse_special: false };
    Ok(tokenizer.encode(text, &options)?.ids)
}

/// The ids of a text that goes on after another one. SentencePiece puts a space before every text; so
/// another one is put there and taken off again, as CodeLlama (`encode_infilling`) and mistral-common
/// do it.
fn in_the_middle(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, Error> {
    const MARK: &str = "☺";
    let mark = encode(tokenizer, MARK)?;
    let space = mark.first().and_then(|&id| tokenizer.token_bytes(id));
    if space.is_some_and(|bytes| bytes.starts_with(b" ")) {
        let both = encode(tokenizer, &format!("{MARK}{text}"))?;
        if let Some(rest) = both.strip_prefix(mark.as_slice()) {
            return Ok(rest.to_vec());
        }
    }
    encode(tokenizer, text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tokenizer::LoadOptions;

    /// A vocabulary of `a` and `b` with these control tokens, and a beginning in front of each text.
    fn tokenizer(names: &[&str]) -> Tokenizer {
        let added: Vec<Value> = std::iter::once(&"<s>")
            .chain(names)
            .enumerate()
            .map(|(index, name)| {
                let id = if index == 0 { 0 } else { 9 + index };
                json!({"id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
            })
            .collect();
        let file = json!({
            "version": "1.0", "added_tokens": added,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}
            },
            "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "vocab": {"a": 1, "b": 2, "Ġ": 3, "<": 4, "f": 5}, "merges": []}
        });
        let config = json!({"bos_token": "<s>", "tokenizer_class": "PreTrainedTokenizerFast"});
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tokenizer.json"), file.to_string()).unwrap();
        std::fs::write(dir.path().join("tokenizer_config.json"), config.to_string()).unwrap();
        Tokenizer::from_dir(dir.path(), &LoadOptions { use_fast: true }).unwrap().0
    }

    #[test]
    fn each_family_has_its_tokens_in_its_order() {
        for row in &ROWS {
            let names: Vec<&str> = [row.before, row.after].into_iter().chain(row.middle).collect();
            let tokenizer = tokenizer(&[names.as_slice(), row.ends].concat());
            let fim = FillInMiddle::of(&tokenizer).unwrap();
            let ids = fim.prompt(&tokenizer, "a", "b").unwrap();
            let wanted = match row.order {
                Order::BeforeFirst => vec![0, 10, 1, 11, 2],
                Order::AfterFirst => vec![0, 11, 2, 10, 1],
            };
            assert_eq!(ids, [wanted, row.middle.map(|_| 12).into_iter().collect()].concat());
            assert_eq!(fim.ends().len(), row.ends.len(), "{}", row.before);
        }
    }

    #[test]
    fn a_vocabulary_without_such_tokens_has_no_middle() {
        assert_eq!(FillInMiddle::of(&tokenizer(&[])), None);
        assert_eq!(FillInMiddle::of(&tokenizer(&["<fim_prefix>", "<fim_suffix>"])), None);
        assert_eq!(FillInMiddle::of_ids(&tokenizer(&["x"]), 10, 11, 12), None);
    }

    #[test]
    fn a_file_may_name_the_tokens_and_texts_may_not() {
        let names = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "x", "y", "z"];
        let tokenizer = tokenizer(&names);
        let named = FillInMiddle::of_ids(&tokenizer, 13, 14, 15).unwrap();
        assert_eq!(named.prompt(&tokenizer, "a", "").unwrap(), [0, 13, 1, 14, 15]);
        assert_eq!(FillInMiddle::of_ids(&tokenizer, 10, 11, 12), FillInMiddle::of(&tokenizer));
        // What a user types is text.
        let ids = named.prompt(&tokenizer, "<fim_suffix>", "<s>").unwrap();
        assert_eq!(ids.iter().filter(|id| **id == 11 || **id == 0).count(), 1, "{ids:?}");
    }
}
