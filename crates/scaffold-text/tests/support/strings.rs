//! Random strings that tokenizers stumble over, and the tokenizers of the tests beside the
//! `tokenizers` crate.
#![allow(dead_code, reason = "each program uses its own part")]

use crate::support;
use scaffold_text::{LoadOptions, Tokenizer};
use serde_json::{Value, json};

/// A generator of random numbers (SplitMix64), so that a seed names a string for ever.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn one<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

/// Stretches of characters of which each range has its own troubles.
const RANGES: [(u32, u32); 22] = [
    (0x20, 0x7e),
    (0x41, 0x5a),
    (0x61, 0x7a),
    (0x30, 0x39),
    (0x00, 0x20),
    (0xa0, 0xff),
    (0x100, 0x17f),
    (0x300, 0x36f),
    (0x370, 0x3ff),
    (0x400, 0x4ff),
    (0x5d0, 0x5ea),
    (0x620, 0x65f),
    (0x900, 0x97f),
    (0x980, 0x9ff),
    (0xe00, 0xe5b),
    (0x1e00, 0x1eff),
    (0x2000, 0x206f),
    (0x2160, 0x2190),
    (0x3000, 0x30ff),
    (0x4e00, 0x4eff),
    (0xac00, 0xacff),
    (0x1f600, 0x1f64f),
];

const WORDS: [&str; 40] = [
    " ",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{2028}",
    "hello",
    " world",
    "Hello",
    "don't",
    "I'LL",
    "he",
    "the",
    "1234",
    ",",
    ".",
    "...",
    "##",
    "[",
    "]",
    "▁",
    "▁▁",
    "_",
    "é",
    "e\u{301}",
    "ﬁ",
    "½",
    "\u{9df}",
    "\u{9af}\u{9bc}",
    "\u{95b}",
    "İ",
    "ß",
    "가",
    "\u{1100}\u{1161}",
    "👩\u{200d}🚀",
    "free",
];

/// A string of up to about `length` bytes, in which `names` occur whole, in part and side by side.
pub(crate) fn string(random: &mut Random, length: usize, names: &[&str]) -> String {
    let mut out = String::new();
    let length = random.below(length + 1);
    while out.len() < length {
        match random.below(8) {
            0 if !names.is_empty() => out.push_str(random.one(names)),
            1 if !names.is_empty() => {
                let name = random.one(names);
                let cut = name.char_indices().nth(random.below(name.len())).map_or(0, |(at, _)| at);
                out.push_str(if random.below(2) == 0 { &name[..cut] } else { &name[cut..] });
            }
            2..=4 => out.push_str(random.one(&WORDS)),
            5 => {
                let word = random.one(&WORDS);
                (0..random.below(6)).for_each(|_| out.push_str(word));
            }
            _ => {
                let (from, to) = RANGES[random.below(RANGES.len())];
                for _ in 0..=random.below(5) {
                    let code = from + random.below((to - from + 1) as usize) as u32;
                    out.extend(char::from_u32(code));
                }
            }
        }
    }
    out
}

/// One tokenizer, ours and the crate's.
pub(crate) struct Both {
    pub(crate) name: String,
    pub(crate) ours: Tokenizer,
    /// Reads the names of special tokens as those tokens.
    pub(crate) theirs: tokenizers::Tokenizer,
    /// Does not know the special tokens.
    pub(crate) plain: tokenizers::Tokenizer,
    /// The names of the added tokens.
    pub(crate) names: Vec<String>,
}

pub(crate) fn ours(file: &Value) -> Tokenizer {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("tokenizer.json"), file.to_string()).expect("written");
    Tokenizer::from_dir(dir.path(), &LoadOptions::default()).expect("a tokenizer").0
}

/// The crate's tokenizer, which neither cuts nor fills.
pub(crate) fn theirs(file: &Value) -> tokenizers::Tokenizer {
    let text = file.to_string();
    let mut tokenizer: tokenizers::Tokenizer = text.parse().expect("a tokenizer of the crate");
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).expect("no truncation");
    tokenizer
}

/// The file without its special tokens.
pub(crate) fn without_special(file: &Value) -> Value {
    let mut plain = file.clone();
    if let Some(tokens) = plain["added_tokens"].as_array_mut() {
        tokens.retain(|token| token["special"] != json!(true));
    }
    plain
}

impl Both {
    pub(crate) fn new(name: impl Into<String>, file: &Value) -> Self {
        let names = file["added_tokens"].as_array().into_iter().flatten();
        Both {
            name: name.into(),
            ours: ours(file),
            theirs: theirs(file),
            plain: theirs(&without_special(file)),
            names: names.filter_map(|token| token["content"].as_str().map(str::to_owned)).collect(),
        }
    }
}

/// The `tokenizer.json` files of the goldens of all classes, and `MiniLM`'s.
pub(crate) fn files() -> Vec<(String, Value)> {
    let golden = support::json("classes.json.gz");
    let mut files: Vec<(String, Value)> = golden["files"]
        .as_object()
        .expect("files")
        .iter()
        .filter(|(name, _)| name.ends_with("-json"))
        .map(|(name, text)| {
            let text = text.as_str().expect("text");
            (name.clone(), serde_json::from_str(text).expect("JSON"))
        })
        .collect();
    files.push(("minilm".to_owned(), support::json("minilm_tokenizer.json.gz")));
    files
}

/// Further files: control tokens that are looked for in normalized text, that take spaces with
/// them, that stand alone, some of them beside others.
pub(crate) fn variants(file: &Value) -> Vec<(&'static str, Value)> {
    type Change = fn(usize, &mut Value);
    let changes: [(&str, Change); 6] = [
        ("normalized", |_, token| {
            token["normalized"] = json!(true);
        }),
        ("every other normalized", |n, token| {
            token["normalized"] = json!(n % 2 == 0);
        }),
        ("stripping left", |_, token| {
            token["lstrip"] = json!(true);
        }),
        ("stripping right", |n, token| {
            token["rstrip"] = json!(true);
            token["normalized"] = json!(n % 2 == 0);
        }),
        ("single words", |_, token| {
            token["single_word"] = json!(true);
        }),
        ("no control tokens", |_, token| {
            token["special"] = json!(false);
        }),
    ];
    changes
        .into_iter()
        .map(|(name, change)| {
            let mut changed = file.clone();
            let tokens = changed["added_tokens"].as_array_mut().expect("added tokens");
            for (n, token) in tokens.iter_mut().enumerate() {
                change(n, token);
            }
            (name, changed)
        })
        .collect()
}
