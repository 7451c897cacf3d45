//! What is read of a `config.json`, under whichever of its names a family or a version of
//! `transformers` has for it.

use scaffold_error::err;
use scaffold_formats::{ConfigJson, ConfigObject};

use crate::Error;

type Result<T> = std::result::Result<T, Error>;

/// A configuration, and the part of it that is about the rope.
pub(crate) struct Config<'a> {
    pub(crate) root: ConfigObject<'a>,
    rope: Option<ConfigObject<'a>>,
}

impl<'a> Config<'a> {
    pub(crate) fn new(config: &'a ConfigJson) -> Result<Self> {
        let root = config.root();
        let rope = match root.get_object("rope_parameters")? {
            Some(rope) => Some(rope),
            // Before `transformers` 5.
            None => root.get_object("rope_scaling")?,
        };
        // Where layers have ropes of two kinds, the global one is the model's.
        let global = match &rope {
            Some(rope) => rope.get_object("full_attention")?,
            None => None,
        };
        Ok(Self { rope: global.or(rope), root })
    }

    /// The first of several names for one thing that is there.
    pub(crate) fn size(&self, keys: &[&str]) -> Result<Option<usize>> {
        first(keys, |key| self.root.get_usize(key))
    }

    /// [`Config::size`] of something that every model has.
    fn needed(&self, keys: &[&str]) -> Result<usize> {
        self.root.required(keys[0], self.size(keys)?)
    }

    pub(crate) fn float(&self, keys: &[&str]) -> Result<Option<f32>> {
        first(keys, |key| self.root.get_f32(key))
    }

    pub(crate) fn heads(&self) -> Result<usize> {
        self.needed(&["num_attention_heads", "n_head"])
    }

    pub(crate) fn kv_heads(&self) -> Result<usize> {
        self.size(&["num_key_value_heads"])?.map_or_else(|| self.heads(), Ok)
    }

    pub(crate) fn hidden(&self) -> Result<usize> {
        self.needed(&["hidden_size", "n_embd"])
    }

    pub(crate) fn head_dim(&self) -> Result<usize> {
        if let Some(dim) = self.size(&["head_dim"])? {
            return Ok(dim);
        }
        let (hidden, heads) = (self.hidden()?, self.heads()?);
        hidden.checked_div(heads).ok_or_else(|| {
            err!(Damaged, "the model has no attention heads").of_key("num_attention_heads")
        })
    }

    pub(crate) fn layers(&self) -> Result<usize> {
        self.needed(&["num_hidden_layers", "n_layer"])
    }

    pub(crate) fn rope_type(&self) -> Result<&str> {
        let Some(rope) = &self.rope else {
            return Ok("default");
        };
        let found = match rope.get_str("rope_type")? {
            Some(found) => Some(found),
            None => rope.get_str("type")?,
        };
        Ok(match found {
            // Phi 3 called it so first.
            Some("su") => "longrope",
            found => found.unwrap_or("default"),
        })
    }

    pub(crate) fn rope_float(&self, key: &str) -> Result<Option<f32>> {
        let found = match &self.rope {
            Some(rope) => rope.get_f32(key)?,
            None => None,
        };
        // Beside it, before `transformers` 5.
        found.map_or_else(|| self.root.get_f32(key), |found| Ok(Some(found)))
    }

    /// The base of the frequencies.
    pub(crate) fn rope_theta(&self) -> Result<Option<f32>> {
        let found = self.rope_float("rope_theta")?;
        found.map_or_else(|| self.root.get_f32("rotary_emb_base"), |found| Ok(Some(found)))
    }

    pub(crate) fn rope_floats(&self, key: &str) -> Result<Option<Vec<f32>>> {
        self.rope.as_ref().map_or(Ok(None), |rope| rope.get_f32s(key))
    }

    /// Values of a head that are rotated.
    pub(crate) fn rotated(&self) -> Result<usize> {
        let part = match self.rope_float("partial_rotary_factor")? {
            None => self.root.get_f32("rotary_pct")?,
            found => found,
        };
        Ok((part.unwrap_or(1.0) * self.head_dim()? as f32) as usize)
    }

    /// The base of the ropes in layers that slide, where they have one of their own.
    pub(crate) fn sliding_theta(&self) -> Result<Option<f32>> {
        let rope = self.root.get_object("rope_parameters")?;
        let sliding = rope.map_or(Ok(None), |rope| rope.get_object("sliding_attention"))?;
        match sliding {
            Some(sliding) => sliding.get_f32("rope_theta"),
            None => self.root.get_f32("rope_local_base_freq"),
        }
    }

    /// How far beyond its original context a longrope model reaches.
    pub(crate) fn stretch(&self) -> Result<f32> {
        let context = self.size(&["max_position_embeddings"])?.unwrap_or(1) as f32;
        Ok(context / self.original_context()? as f32)
    }

    pub(crate) fn original_context(&self) -> Result<usize> {
        let key = "original_max_position_embeddings";
        let in_rope = self.rope.as_ref().map_or(Ok(None), |rope| rope.get_usize(key))?;
        Ok(in_rope.or(self.size(&[key])?).unwrap_or(1).max(1))
    }
}

fn first<T>(keys: &[&str], get: impl Fn(&str) -> Result<Option<T>>) -> Result<Option<T>> {
    for key in keys {
        if let Some(found) = get(key)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
