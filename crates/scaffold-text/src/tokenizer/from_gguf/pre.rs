//! The pre-tokenizers that GGUF files name in `tokenizer.ggml.pre`, each with the patterns of the
//! `tokenizer.json` that the name was given for.

use crate::split::patterns::{
    ANY_DIGITS, GPT2, GPT4O, LLAMA3, PLAIN_LETTERS, QWEN2, QWEN35, TEKKEN,
};
use crate::split::{Keep, Step};
use scaffold_error::{Error, err};

/// A pre-tokenizer: how text is cut, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pre {
    names: &'static [&'static str],
    cuts: &'static [Cut],
    /// A word that is a token stays whole, whatever the merges say.
    pub(super) whole_words: bool,
    pub(super) add_bos: bool,
    /// Text is brought into Unicode's composed form first.
    pub(super) nfc: bool,
}

#[derive(Clone, Copy, Debug)]
enum Cut {
    Digits,
    DigitRuns,
    Pattern(&'static str),
}

use Cut::{DigitRuns, Digits, Pattern};

const fn pre(names: &'static [&'static str], cuts: &'static [Cut]) -> Pre {
    Pre { names, cuts, whole_words: false, add_bos: false, nfc: false }
}

const fn nfc(pre: Pre) -> Pre {
    Pre { nfc: true, ..pre }
}

const fn whole(pre: Pre) -> Pre {
    Pre { whole_words: true, ..pre }
}

const fn bos(pre: Pre) -> Pre {
    Pre { add_bos: true, ..pre }
}

const CJK: &str = "[一-龥\u{800}-一가-\u{d7ff}]+";
const CJK_KANA: &str = "[一-龥\u{3040}-ゟ゠-ヿ]+";
/// Letters that have a case, as the tokenizer lists them.
const DEEPSEEK_LETTERS: &str = concat!(
    r"\s?[",
    r"A-Za-z\u{b5}\u{c0}-\u{d6}\u{d8}-\u{f6}\u{f8}-\u{1ba}\u{1bc}-\u{1bf}\u{1c4}-\u{293}",
    r"\u{295}-\u{2af}\u{370}-\u{373}\u{376}\u{377}\u{37b}-\u{37d}\u{37f}\u{386}\u{388}-\u{38a}\u{38c}",
    r"\u{38e}-\u{3a1}\u{3a3}-\u{3f5}\u{3f7}-\u{481}\u{48a}-\u{52f}\u{531}-\u{556}\u{10a0}-\u{10c5}",
    r"\u{13a0}-\u{13f5}\u{13f8}-\u{13fd}\u{1c90}-\u{1cba}\u{1cbd}-\u{1cbf}\u{1d00}-\u{1d2b}",
    r"\u{1d6b}-\u{1d77}\u{1d79}-\u{1d9a}\u{1e00}-\u{1f15}\u{1f18}-\u{1f1d}\u{1f20}-\u{1f45}",
    r"\u{1f48}-\u{1f4d}\u{1f50}-\u{1f57}\u{1f59}\u{1f5b}\u{1f5d}\u{1f5f}-\u{1f7d}\u{1f80}-\u{1fb4}",
    r"\u{1fb6}-\u{1fbc}\u{1fbe}\u{1fc2}-\u{1fc4}\u{1fc6}-\u{1fcc}\u{1fd0}-\u{1fd3}\u{1fd6}-\u{1fdb}",
    r"\u{1fe0}-\u{1fec}\u{1ff2}-\u{1ff4}\u{1ff6}-\u{1ffc}\u{2102}\u{2107}\u{210a}-\u{2113}\u{2115}",
    r"\u{2119}-\u{211d}\u{2124}\u{2126}\u{2128}\u{212a}-\u{212d}\u{212f}-\u{2134}\u{2139}",
    r"\u{213c}-\u{213f}\u{2145}-\u{2149}\u{214e}\u{2183}\u{2184}\u{2c00}-\u{2c7b}\u{2c7e}-\u{2ce4}",
    r"\u{2ceb}-\u{2cee}\u{2cf2}\u{2cf3}\u{a640}-\u{a66d}\u{a680}-\u{a69b}\u{a722}-\u{a76f}",
    r"\u{a771}-\u{a787}\u{a78b}-\u{a78e}\u{ab70}-\u{abbf}\u{fb00}-\u{fb06}\u{fb13}-\u{fb17}",
    r"\u{ff21}-\u{ff3a}\u{ff41}-\u{ff5a}\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}",
    r"\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\u{1e900}-\u{1e943}",
    r"]+"
);
const DEEPSEEK_PUNCTUATION: &str = r"\s?[!-/:-~！-／：-～‘-‟　-。]+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";
const FALCON_PUNCTUATION: &str = r"[\p{P}\$\+<=>\^~\|`]+";
const DEFAULT_PUNCTUATION: &str = r"[\p{P}\$\+<=>\^~\|]+";
const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const SEED_CODER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const JAIS2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const KIMI: &str = r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const EXAONE_MOE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
const GROUPS_OF_THREE: &str = r"\d{1,3}(?=(?:\d{3})*\b)";

const TABLE: &[Pre] = &[
    pre(
        &["default"],
        &[Pattern(DEFAULT_PUNCTUATION), Pattern(GPT2), DigitRuns, Pattern("[0-9][0-9][0-9]")],
    ),
    whole(bos(pre(
        &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
        ],
        &[Pattern(LLAMA3)],
    ))),
    pre(&["dbrx", "smaug-bpe", "chatglm-bpe"], &[Pattern(LLAMA3)]),
    whole(pre(&["glm4", "glm5"], &[Pattern(LLAMA3)])),
    pre(
        &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "jina-v1-en",
            "jina-v2-es",
            "jina-v2-de",
            "jina-v2-code",
            "roberta-bpe",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "jais",
            "exaone4",
            "trillion",
            "granite-docling",
        ],
        &[Pattern(GPT2)],
    ),
    nfc(pre(&["mpt", "olmo", "modern-bert"], &[Pattern(GPT2)])),
    pre(
        &["smollm", "starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2"],
        &[Digits, Pattern(GPT2)],
    ),
    nfc(pre(&["command-r"], &[Digits, Pattern(GPT2)])),
    nfc(pre(
        &["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2"],
        &[Pattern(QWEN2)],
    )),
    pre(&["hunyuan", "solar-open", "grok-2"], &[Pattern(QWEN2)]),
    nfc(pre(&["qwen35"], &[Pattern(QWEN35)])),
    pre(&["ufakzeka"], &[Pattern(PLAIN_LETTERS)]),
    whole(bos(pre(&["tekken"], &[Pattern(TEKKEN)]))),
    pre(&["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], &[Pattern(GPT4O)]),
    whole(pre(&["granite-embed-multi-97m"], &[Pattern(GPT4O)])),
    pre(&["tiny_aya", "cohere2moe"], &[Pattern(GROUPS_OF_THREE), Pattern(GPT4O)]),
    pre(
        &["deepseek-llm"],
        &[
            Pattern("[\r\n]"),
            Pattern(DEEPSEEK_LETTERS),
            Pattern(DEEPSEEK_PUNCTUATION),
            Pattern(r"\s+$"),
            Pattern(CJK),
            DigitRuns,
        ],
    ),
    pre(
        &["deepseek-coder"],
        &[Pattern("[\r\n]"), Pattern(r"\s?\p{L}+"), Pattern(r"\s?\p{P}+"), Pattern(CJK), Digits],
    ),
    pre(
        &["deepseek-v3", "hunyuan-dense", "hy_v4", "joyai-llm"],
        &[Pattern(r"\p{N}{1,3}"), Pattern(CJK_KANA), Pattern(DEEPSEEK3)],
    ),
    pre(&["falcon"], &[Pattern(FALCON_PUNCTUATION), Pattern(GPT2), Pattern("[0-9][0-9][0-9]")]),
    pre(&["bloom", "poro-chat", "gpt3-finnish"], &[Pattern(BLOOM)]),
    pre(&["viking"], &[Pattern(BLOOM), Digits]),
    pre(&["superbpe"], &[DigitRuns, Pattern(r"(?=(\d{3})+(?!\d))")]),
    pre(&["bailingmoe", "bailingmoe2", "llada-moe"], &[Pattern(BAILING)]),
    pre(&["seed-coder"], &[Pattern(SEED_CODER)]),
    pre(&["jais-2"], &[Pattern(JAIS2)]),
    pre(&["kimi-k2"], &[Pattern(KIMI)]),
    pre(&["exaone-moe"], &[Pattern(EXAONE_MOE)]),
    pre(&["laguna"], &[Pattern(r"[^\n]+|[\n]+"), Pattern(QWEN2)]),
    whole(pre(&["minicpm5"], &[Pattern(r"\p{N}{1,3}"), Pattern(ANY_DIGITS)])),
    bos(pre(
        &["chameleon"],
        &[
            Pattern("<sentinel:[0-9]+>"),
            Pattern("(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"),
            Pattern(r"([\t\n]|    |  )"),
            Digits,
            Pattern(r"[\p{P}!-/:-@\[-`{-~]"),
            Pattern(GPT2),
        ],
    )),
];

/// One name of each kind of pre-tokenizer; those of the most models come first.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    const COMMON: [&str; 6] = ["llama-bpe", "qwen2", "smollm", "gpt-2", "tekken", "gpt-4o"];
    let rest = TABLE.iter().map(|pre| pre.names[0]).filter(|name| !COMMON.contains(name));
    COMMON.into_iter().chain(rest)
}

/// All names in the table.
fn known_names() -> Vec<&'static str> {
    TABLE.iter().flat_map(|pre| pre.names.iter().copied()).collect()
}

pub(super) fn find(name: &str) -> Result<Pre, Error> {
    TABLE.iter().find(|pre| pre.names.contains(&name)).copied().ok_or_else(|| {
        err!(
            Unsupported,
            "`tokenizer.ggml.pre` is {name:?}, which is not a known pre-tokenizer: text would be cut in other places than in \
             training, so this is refused. Use the model's own tokenizer.json, or a GGUF with one of: {}",
            known_names().join(", ")
        )
    })
}

impl Pre {
    pub(super) fn steps(&self) -> Result<Vec<Step>, Error> {
        self.cuts
            .iter()
            .map(|cut| match cut {
                Digits => Ok(Step::Digits { individual: true }),
                DigitRuns => Ok(Step::Digits { individual: false }),
                Pattern(pattern) => Step::from_pattern(pattern, Keep::Both),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_patterns_that_compile_and_stands_once() {
        let mut names = known_names();
        for name in &names {
            find(name).and_then(|pre| pre.steps()).expect(name);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = find("gpt-17").unwrap_err().to_string();
        assert!(
            error.contains("gpt-17") && error.contains("llama-bpe") && error.contains("qwen2"),
            "{error}"
        );
    }
}
