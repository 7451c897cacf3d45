//! The tokenizer and the chat templates in a GGUF file's metadata.

use scaffold_formats::{Error, Metadata};
use scaffold_text::{FillInMiddle, GgufKeys, Notice, Tokenizer};

const TEMPLATE: &str = "tokenizer.chat_template";

/// The tokenizer of a GGUF file.
///
/// # Errors
/// A key holds something unexpected, or what they say makes no tokenizer.
pub(crate) fn tokenizer(metadata: &Metadata) -> Result<(Tokenizer, Vec<Notice>), Error> {
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    let list = |key: &str| metadata.get_array(key);
    Tokenizer::from_gguf(&GgufKeys {
        text: &|key| Ok(metadata.get_str(key)?.map(str::to_owned)),
        id: &|key| metadata.get_u32(key),
        flag: &|key| metadata.get_bool(key),
        texts: &|key| Ok(metadata.get_strings(key)?.map(owned)),
        bytes: &|key| Ok(list(key)?.map(|l| l.byte_strings().map(<[u8]>::to_vec).collect())),
        f32s: &|key| list(key)?.map(|l| l.f32s()).transpose(),
        i32s: &|key| list(key)?.map(|l| l.i32s()).transpose(),
    })
}

/// Tokens before and after a middle, and at it: the names of llama.cpp, and those that it had before.
const MIDDLE: [[&str; 3]; 2] = [
    [
        "tokenizer.ggml.fim_pre_token_id",
        "tokenizer.ggml.fim_suf_token_id",
        "tokenizer.ggml.fim_mid_token_id",
    ],
    [
        "tokenizer.ggml.prefix_token_id",
        "tokenizer.ggml.suffix_token_id",
        "tokenizer.ggml.middle_token_id",
    ],
];

/// How the model of a GGUF file is asked for what stands between two texts, where the file says it.
///
/// # Errors
/// A key holds something unexpected.
pub(crate) fn fill_in_middle(
    metadata: &Metadata,
    tokenizer: &Tokenizer,
) -> Result<Option<FillInMiddle>, Error> {
    for [before, after, middle] in MIDDLE {
        let ids = (metadata.get_u32(before)?, metadata.get_u32(after)?, metadata.get_u32(middle)?);
        if let (Some(before), Some(after), Some(middle)) = ids {
            return Ok(FillInMiddle::of_ids(tokenizer, before, after, middle));
        }
    }
    Ok(None)
}

/// The chat templates as (name, source), the one without a name first.
///
/// # Errors
/// A key holds something unexpected.
pub(crate) fn templates(metadata: &Metadata) -> Result<Vec<(String, String)>, Error> {
    let default =
        metadata.get_str(TEMPLATE)?.map(|source| ("default".to_owned(), source.to_owned()));
    Ok(default.into_iter().chain(named_templates(metadata)?).collect())
}

fn named_templates(metadata: &Metadata) -> Result<Vec<(String, String)>, Error> {
    let mut templates = Vec::new();
    for key in metadata.keys() {
        let Some(name) = key.strip_prefix(TEMPLATE).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        if let Some(source) = metadata.get_str(key)? {
            templates.push((name.to_owned(), source.to_owned()));
        }
    }
    Ok(templates)
}
