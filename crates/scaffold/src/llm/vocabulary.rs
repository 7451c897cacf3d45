//! The tokenizer's part of a GGUF file's metadata, as plain data for `scaffold-text`.

use scaffold_formats::{Error, Metadata};
use scaffold_text::GgufVocabulary;

const PREFIX: &str = "tokenizer.ggml.";
const TEMPLATE: &str = "tokenizer.chat_template";

/// Reads everything that the metadata says about the vocabulary.
///
/// # Errors
/// A key holds something unexpected.
pub(crate) fn of_gguf(metadata: &Metadata) -> Result<GgufVocabulary, Error> {
    let key = |name: &str| format!("{PREFIX}{name}");
    let text = |name: &str| Ok::<_, Error>(metadata.get_str(&key(name))?.map(str::to_owned));
    let id = |name: &str| metadata.get_u32(&key(name));
    let flag = |name: &str| metadata.get_bool(&key(name));
    let list = |name: &str| metadata.get_array(&key(name));
    Ok(GgufVocabulary {
        model: text("model")?.unwrap_or_default(),
        pre: text("pre")?,
        tokens: list("tokens")?
            .map(|l| l.byte_strings().map(<[u8]>::to_vec).collect())
            .unwrap_or_default(),
        scores: list("scores")?.map(|l| l.f32s()).transpose()?.unwrap_or_default(),
        token_types: list("token_type")?.map(|l| l.i32s()).transpose()?.unwrap_or_default(),
        merges: metadata
            .get_strings(&key("merges"))?
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        bos_id: id("bos_token_id")?,
        eos_id: id("eos_token_id")?,
        eot_id: id("eot_token_id")?,
        unk_id: id("unknown_token_id")?,
        pad_id: id("padding_token_id")?,
        // The format's own spelling.
        sep_id: id("seperator_token_id")?,
        cls_id: id("cls_token_id")?,
        mask_id: id("mask_token_id")?,
        add_bos: flag("add_bos_token")?,
        add_eos: flag("add_eos_token")?,
        add_space_prefix: flag("add_space_prefix")?,
        remove_extra_whitespaces: flag("remove_extra_whitespaces")?,
        lowercase: flag("normalizer.lowercase")?,
        strip_accents: flag("normalizer.strip_accents")?,
        precompiled_charsmap: charsmap(metadata)?,
    })
}

/// A byte array, which files store as signed or unsigned bytes.
fn charsmap(metadata: &Metadata) -> Result<Option<Vec<u8>>, Error> {
    let Some(list) = metadata.get_array(&format!("{PREFIX}precompiled_charsmap"))? else {
        return Ok(None);
    };
    Ok(Some(list.i64s()?.into_iter().map(|byte| byte as u8).collect()))
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
