//! The table of keys: what each one is called, what it takes, and what it is when nobody sets it.

use scaffold_engine::parameter::{self, Parameter};

/// A key that Scaffold reads from a flag, the environment, `.env` or `scaffold.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The model: a repository on the Hub, a local path or an alias.
    Model,
    /// How many new tokens an answer may have.
    MaxLength,
    /// How far the choice of tokens is spread.
    Temperature,
    /// Whether tokens are drawn at random at all.
    DoSample,
    /// The share of probability that a token is drawn from.
    TopP,
    /// How many of the likeliest tokens one is drawn from.
    TopK,
    /// Where the model is computed.
    Device,
    /// The number format that weights are computed in.
    TorchDtype,
    /// Whether `tokenizer.json` is read before `tokenizer.model`.
    UseFastTokenizer,
    /// The access token of the Hub.
    Token,
    /// How many threads compute.
    Threads,
    /// The instruction set that the kernels use.
    Cpu,
    /// How many tokens prompt and answer may have together.
    Context,
    /// The number format of the key and value cache.
    KvType,
    /// Whether packed weights are kept between runs.
    PackedCache,
    /// What happens to keys of a model's `config.json` that are not known.
    UnknownKeys,
    /// The directory of the Hub's cache and token.
    HubHome,
    /// The directory of the Hub's model cache.
    HubCache,
    /// The directory of models that a package index serves.
    PackageCache,
    /// The file that holds the Hub's token.
    TokenPath,
    /// Whether the network is left alone.
    Offline,
    /// The address of the Hub.
    Endpoint,
    /// Whether the token may go over plain HTTP to another machine.
    TokenOverHttp,
}

/// One row of the table.
#[derive(Debug)]
pub struct KeyInfo {
    /// Which key this describes.
    pub key: Key,
    /// Its names, first the one that messages use; where several are set, the first one listed
    /// rules.
    pub names: &'static [&'static str],
    /// The value when no source sets one; empty where there is none.
    pub default: &'static str,
    /// What it takes, in words.
    pub accepted: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// Whether the value is never printed.
    pub secret: bool,
    /// Whether the files of a project (`.env`, `scaffold.toml`) may set it.
    pub from: Files,
}

/// Which files of a project may set a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// `.env` and `scaffold.toml`.
    Both,
    /// `.env` alone: `scaffold.toml` is usually committed, and this value must not be.
    DotEnv,
    /// Neither: a project that one has just cloned must not redirect a token.
    Neither,
}

impl Key {
    /// The row of the table that describes this key.
    pub fn info(self) -> &'static KeyInfo {
        &TABLE[self as usize]
    }

    /// The name that messages use, for example `LLM_TEMPERATURE`.
    pub fn name(self) -> &'static str {
        self.info().names[0]
    }

    /// The key that goes by `name`.
    pub fn by_name(name: &str) -> Option<Key> {
        TABLE.iter().find(|row| row.names.contains(&name)).map(|row| row.key)
    }

    /// Every key, in the order in which `scaffold config show` prints them.
    pub fn all() -> impl Iterator<Item = Key> {
        TABLE.iter().map(|row| row.key)
    }
}

const BOOLEAN: &str = parameter::DO_SAMPLE.accepted;

const fn row(
    key: Key,
    names: &'static [&'static str],
    default: &'static str,
    accepted: &'static str,
    meaning: &'static str,
) -> KeyInfo {
    KeyInfo { key, names, default, accepted, meaning, secret: false, from: Files::Both }
}

/// A key for a parameter of the sampler, whose table says what it takes.
const fn sampler(
    key: Key,
    names: &'static [&'static str],
    default: &'static str,
    parameter: &'static Parameter,
) -> KeyInfo {
    row(key, names, default, parameter.accepted, parameter.meaning)
}

/// In the order of [`Key`]: [`Key::info`] indexes it.
static TABLE: [KeyInfo; 23] = [
    row(
        Key::Model,
        &["LLM_MODEL"],
        "mistralai/Mistral-7B-Instruct-v0.2",
        "a repository (org/name), a local directory or file, or an alias such as starter",
        "the model that answers",
    ),
    sampler(Key::MaxLength, &["LLM_MAX_LENGTH"], "512", &parameter::MAX_NEW_TOKENS),
    sampler(Key::Temperature, &["LLM_TEMPERATURE"], "0.7", &parameter::TEMPERATURE),
    sampler(Key::DoSample, &["LLM_DO_SAMPLE"], "true", &parameter::DO_SAMPLE),
    sampler(Key::TopP, &["LLM_TOP_P"], "0.9", &parameter::TOP_P),
    sampler(Key::TopK, &["LLM_TOP_K"], "50", &parameter::TOP_K),
    row(Key::Device, &["LLM_DEVICE"], "auto", "auto, cpu, cuda", "where the model is computed"),
    row(
        Key::TorchDtype,
        &["LLM_TORCH_DTYPE"],
        "auto",
        "auto, float16, bfloat16, float32, int8",
        "number format of the weights; auto keeps the one they are stored in, int8 makes 8-bit blocks of floats",
    ),
    row(
        Key::UseFastTokenizer,
        &["LLM_USE_FAST_TOKENIZER"],
        "true",
        BOOLEAN,
        "read tokenizer.json first; false prefers tokenizer.model where there is one",
    ),
    KeyInfo {
        key: Key::Token,
        names: &["HF_TOKEN", "HUGGINGFACE_TOKEN", "HUGGING_FACE_HUB_TOKEN"],
        default: "",
        accepted: "an access token of the Hub (it starts with hf_), from https://huggingface.co/settings/tokens",
        meaning: "access token of the Hub, for gated and private models",
        secret: true,
        from: Files::DotEnv,
    },
    row(
        Key::Threads,
        &["SCAFFOLD_THREADS"],
        "auto",
        "auto, or a whole number from 1 to 1024",
        "threads that compute; auto takes as many as run at once, and never are there more",
    ),
    row(
        Key::Cpu,
        &["SCAFFOLD_CPU"],
        "auto",
        "auto, scalar; on x86-64 avx2, avx-vnni, avx512-vnni, amx; on Arm neon, neon-dot",
        "instruction set; auto takes the best that this processor has",
    ),
    row(
        Key::Context,
        &["SCAFFOLD_CONTEXT"],
        "auto",
        "auto, or a whole number, 1 or more",
        "tokens of prompt and answer together; auto takes what the model was trained for and memory holds",
    ),
    row(
        Key::KvType,
        &["SCAFFOLD_KV_TYPE"],
        "f16",
        "f32, f16, q8",
        "number format of the cache of keys and values",
    ),
    row(
        Key::PackedCache,
        &["SCAFFOLD_PACKED_CACHE"],
        "auto",
        "auto, on, off",
        "keep packed weights on disk for the next start; auto does where a start gains half a second",
    ),
    row(
        Key::UnknownKeys,
        &["SCAFFOLD_UNKNOWN_KEYS"],
        "refuse",
        "refuse, ignore",
        "keys of a model's config.json that are not known and that code of its own may read; ignore computes all the same",
    ),
    row(
        Key::HubHome,
        &["HF_HOME"],
        "",
        "a directory",
        "directory of the Hub's cache and token; otherwise ~/.cache/huggingface",
    ),
    row(
        Key::HubCache,
        &["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"],
        "",
        "a directory",
        "directory of downloaded models; otherwise $HF_HOME/hub",
    ),
    row(
        Key::PackageCache,
        &["SCAFFOLD_CACHE"],
        "",
        "a directory",
        "directory of models that a package index serves; otherwise ~/.cache/scaffold",
    ),
    KeyInfo {
        key: Key::TokenPath,
        names: &["HF_TOKEN_PATH"],
        default: "",
        accepted: "a file",
        meaning: "file that holds the access token; otherwise $HF_HOME/token",
        secret: false,
        from: Files::Neither,
    },
    row(
        Key::Offline,
        &["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"],
        "false",
        "1, on, yes or true in any case; as in Python, everything else is false",
        "use downloaded models only and leave the network alone",
    ),
    KeyInfo {
        key: Key::Endpoint,
        names: &["HF_ENDPOINT"],
        default: "https://huggingface.co",
        accepted: "an address that starts with https:// or http://",
        meaning: "address of the Hub, or of a mirror of it",
        secret: false,
        from: Files::Neither,
    },
    KeyInfo {
        key: Key::TokenOverHttp,
        names: &["SCAFFOLD_TOKEN_OVER_HTTP"],
        default: "refuse",
        accepted: "refuse, send",
        meaning: "the access token where HF_ENDPOINT is plain http:// and another machine; send lets everyone on the way read it",
        secret: false,
        from: Files::Neither,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.key as usize, index, "{}", row.names[0]);
            assert_eq!(row.key.info().names, row.names);
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut names: Vec<_> = TABLE.iter().flat_map(|row| row.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
