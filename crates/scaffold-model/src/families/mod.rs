//! The families: tables from configuration keys to [`ModelSpec`] fields and from weight slots to
//! tensor names.
//!
//! In the crates that compute (kernels, model, engine) this is the only place that knows models by
//! name; `scaffold-text` has tables of its own for tokenizers and chats, `scaffold-convert` for the
//! GGUF files that it writes, and `scaffold` for short names. A family that computes something new adds a field to the spec and an operation to the
//! layer, never a decoder of its own; `docs/adding-a-family.md` walks through one.

mod classes;
mod common;
mod encoders;
mod gemma;
mod gguf;
mod gpt;
mod harmless;
mod keys;
mod llama;
mod moe;
mod parallel;
mod rope;
mod tables;

use scaffold_error::{Error, err};
use scaffold_formats::{ConfigJson, Metadata};
use serde_json::{Map, Value};

use crate::names::Names;
use crate::spec::{ModelSpec, UnknownKeys};
use keys::Keys;

/// One family.
struct Family {
    /// The name in messages.
    name: &'static str,
    /// `model_type` in `config.json`.
    model_types: &'static [&'static str],
    /// `general.architecture` in GGUF files.
    gguf: &'static [&'static str],
    /// Its own names for common configuration keys.
    aliases: &'static [(&'static str, &'static str)],
    /// Tensor names in safetensors files.
    names: Names,
    /// From keys to the specification.
    spec: fn(&Keys) -> Result<ModelSpec, Error>,
}

/// The names of GGUF files.
#[cfg(test)]
pub(crate) fn of_gguf() -> Names {
    tables::GGUF
}

/// Every family, in the order in which messages list them.
fn all() -> impl Iterator<Item = &'static Family> {
    [
        llama::FAMILIES,
        gemma::FAMILIES,
        moe::FAMILIES,
        parallel::FAMILIES,
        gpt::FAMILIES,
        encoders::FAMILIES,
    ]
    .into_iter()
    .flatten()
}

fn unsupported(
    found: &str,
    key: &'static str,
    names: fn(&Family) -> &'static [&'static str],
) -> Error {
    let supported: Vec<_> = all().flat_map(|f| names(f).iter().copied()).collect();
    let supported = supported.join(", ");
    err!(
        Unsupported,
        "the architecture `{found}` (from {key}) is not supported, so this model cannot be computed; supported are: \
         {supported}"
    )
}

fn no_architecture(what: &str, key: &str) -> Error {
    err!(
        Damaged,
        "{what} has no `{key}`, so the kind of model is unknown; is this a model's directory or file?"
    )
    .of_key(key)
}

impl ModelSpec {
    /// The architectures that can be computed, as `model_type` names them.
    pub fn supported() -> impl Iterator<Item = &'static str> {
        all().flat_map(|family| family.model_types.iter().copied())
    }

    /// Reads a `config.json`, of the style of `transformers` 5 or of older ones.
    ///
    /// # Errors
    /// The architecture is not supported (the message lists those that are), a key is missing or
    /// has a value that cannot be used, or a key that may change the result is not understood.
    pub fn from_config(config: &ConfigJson) -> Result<Self, Error> {
        Self::from_config_with(config, UnknownKeys::Refuse)
    }

    /// [`ModelSpec::from_config`], with a choice of what happens to keys that nobody knows.
    ///
    /// # Errors
    /// As [`ModelSpec::from_config`].
    pub fn from_config_with(config: &ConfigJson, unknown: UnknownKeys) -> Result<Self, Error> {
        Self::from_map(config.map().clone(), unknown)
    }

    pub(crate) fn from_map(map: Map<String, Value>, unknown: UnknownKeys) -> Result<Self, Error> {
        let key = "model_type";
        let Some(found) = map.get(key).and_then(Value::as_str) else {
            return Err(no_architecture("config.json", key));
        };
        let found = found.to_owned();
        let family = all()
            .find(|f| f.model_types.contains(&found.as_str()))
            .ok_or_else(|| unsupported(&found, "`model_type` in config.json", |f| f.model_types))?;
        let keys = Keys::of_config(map, family.name, &found, family.aliases)?;
        let mut spec = (family.spec)(&keys)?;
        spec.passed_over = keys.finish(unknown)?;
        spec.names = family.names;
        Ok(spec)
    }

    /// Reads the metadata of a GGUF file.
    ///
    /// # Errors
    /// As [`ModelSpec::from_config`].
    pub fn from_gguf(metadata: &Metadata) -> Result<Self, Error> {
        let key = "general.architecture";
        let Some(found) = metadata.get_str(key)? else {
            return Err(no_architecture("the GGUF metadata", key));
        };
        let family = Self::gguf_family(found)?;
        let keys = Keys::of_gguf(gguf::as_config(metadata, found)?, family.name);
        let mut spec = (family.spec)(&keys)?;
        keys.finish(UnknownKeys::Refuse)?;
        spec.names = tables::GGUF;
        Ok(spec)
    }

    /// Whether a GGUF file of this `general.architecture` can be read, as far as the name tells.
    ///
    /// # Errors
    /// The architecture is not supported; the message lists those that are.
    pub fn check_gguf_architecture(found: &str) -> Result<(), Error> {
        Self::gguf_family(found).map(|_| ())
    }

    fn gguf_family(found: &str) -> Result<&'static Family, Error> {
        let key = "`general.architecture` in the GGUF metadata";
        all().find(|f| f.gguf.contains(&found)).ok_or_else(|| unsupported(found, key, |f| f.gguf))
    }
}

#[cfg(test)]
mod tests;
