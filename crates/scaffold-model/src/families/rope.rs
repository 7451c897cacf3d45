//! Rope settings, in both styles: `rope_parameters` of `transformers` 5, and `rope_theta` with
//! `rope_scaling` before it.

use std::borrow::Cow;

use scaffold_error::Error;
use serde_json::{Map, Value};

use super::keys::Keys;
use crate::rope::{RopeScaling, RopeSpec, RopeStyle};

type Result<T> = std::result::Result<T, Error>;

/// One rope's settings: the object that holds them, and its name in messages.
struct Settings<'a> {
    keys: &'a Keys,
    map: Cow<'a, Map<String, Value>>,
    name: String,
}

impl Keys {
    /// The rope of a model that has one. `rotated` is the family's default share of a head, `base`
    /// its default base.
    pub(super) fn rope(&self, head_dim: usize, rotated: f64, base: f64) -> Result<RopeSpec> {
        self.rope_for(None, head_dim, rotated, base)
    }

    /// Whether the family says at the top level what the context was before scaling.
    fn has_own_original(&self) -> bool {
        let key = "original_max_position_embeddings";
        self.class.is_some_and(|class| class.fields.contains_key(key))
    }

    /// Whether the old scaling key speaks of the layers with a window too: where their base is not
    /// named by that of all.
    fn scaling_is_for_all_layers(&self) -> bool {
        self.class.is_some_and(|class| class.reads("local_rope_theta"))
    }

    /// The rope of one kind of layer (`full_attention`, `sliding_attention`) where ropes differ by
    /// it.
    pub(super) fn rope_for(
        &self,
        kind: Option<&str>,
        head_dim: usize,
        rotated: f64,
        base: f64,
    ) -> Result<RopeSpec> {
        let settings = Settings::find(self, kind)?;
        let share = settings.share(rotated)?;
        let base = settings.base(kind, base)?;
        let dims = match self.opt_usize("rotary_dims")? {
            Some(dims) if self.gguf => dims,
            _ => (head_dim as f64 * share) as usize,
        };
        if dims < 4 || dims > head_dim || dims % 2 != 0 {
            let expected = format!("an even number from 4 to the head's {head_dim}");
            return Err(self.bad("rotary_dims", &Value::from(dims), expected));
        }
        let style = match self.opt_str("rope_pairs")? {
            Some("adjacent") => RopeStyle::Interleaved,
            _ => RopeStyle::Halves,
        };
        let scaling = settings.scaling(dims)?;
        settings.finish();
        Ok(RopeSpec { base, dims, style, scaling })
    }
}

/// What [`Settings`] understands.
const UNDERSTOOD: &[&str] = &[
    "rope_type",
    "type",
    "rope_theta",
    "partial_rotary_factor",
    "factor",
    "original_max_position_embeddings",
    "low_freq_factor",
    "high_freq_factor",
    "beta_fast",
    "beta_slow",
    "attention_factor",
    "mscale",
    "mscale_all_dim",
    "truncate",
    "short_factor",
    "long_factor",
    "finetuned",
];

/// The layers that see everything, in files that tell ropes apart by the kind of layer.
const FULL: &str = "full_attention";

impl<'a> Settings<'a> {
    /// `rope_scaling` counts before `rope_parameters`, if there is anything in it.
    fn find(keys: &'a Keys, kind: Option<&str>) -> Result<Self> {
        let old = keys.opt_map("rope_scaling")?.filter(|map| !map.is_empty());
        let new = keys.opt_map("rope_parameters")?;
        let settings = |map, name: &str| Self { keys, map, name: name.to_owned() };
        let Some(kind) = kind else {
            return Ok(match (old, new) {
                (Some(map), _) => settings(Cow::Borrowed(map), "rope_scaling"),
                (None, Some(map)) => settings(Cow::Borrowed(map), "rope_parameters"),
                (None, None) => settings(Cow::default(), "rope_scaling"),
            });
        };
        // Where ropes differ by the kind of layer, the new key has an object for each kind, into
        // which the old one's settings go.
        let name = format!("rope_parameters.{kind}");
        let own = new.and_then(|map| map.get(kind)).filter(|v| !v.is_null());
        let own = own.map(|v| v.as_object().ok_or_else(|| keys.bad(&name, v, "an object")));
        // What stands beside the kinds is not heard.
        for (key, value) in new.into_iter().flatten().filter(|(_, value)| !value.is_object()) {
            keys.odd(format!("rope_parameters.{key}"), value);
        }
        // The kind is settled before the old key comes in, which then changes it by its new name
        // only.
        let plain = || Map::from_iter([("rope_type".to_owned(), Value::from("default"))]);
        let mut map = own.transpose()?.cloned().unwrap_or_else(plain);
        if let Some(old) = old.filter(|_| kind == FULL || keys.scaling_is_for_all_layers()) {
            map.extend(old.clone());
        }
        Ok(settings(Cow::Owned(map), &name))
    }

    /// The share of a head that is rotated. A plain rope rotates whole heads in families that know no
    /// shares.
    fn share(&self, rotated: f64) -> Result<f64> {
        let class = self.keys.class;
        let mut share = class.map_or(rotated, |class| class.rotated);
        let said = self.keys.opt_f64("partial_rotary_factor")?;
        share = self.number("partial_rotary_factor")?.or(said).unwrap_or(share);
        let plain = matches!(self.kind(), None | Some("default"));
        match class {
            Some(class) if !class.partial && plain => return Ok(1.0),
            Some(class) if !class.partial && share != 1.0 => {
                let expected = "no such key, as this family rotates whole heads";
                let key = self.path("partial_rotary_factor");
                return Err(self.keys.bad(&key, &Value::from(share), expected));
            }
            _ => {}
        }
        if share > 0.0 && share <= 1.0 {
            Ok(share)
        } else {
            let expected = "above 0, at most 1";
            Err(self.keys.bad("partial_rotary_factor", &Value::from(share), expected))
        }
    }

    fn base(&self, kind: Option<&str>, base: f64) -> Result<f64> {
        let mut theta = match self.keys.class {
            Some(class) if kind.is_none_or(|kind| kind == FULL) => class.rope_theta,
            _ => base,
        };
        // The key at the top level speaks of full attention.
        if kind.is_none_or(|kind| kind == FULL) {
            theta = self.keys.opt_f64("rope_theta")?.unwrap_or(theta);
        }
        let base = self.number("rope_theta")?.unwrap_or(theta);
        if base > 1.0 {
            Ok(base)
        } else {
            Err(self.keys.bad("rope_theta", &Value::from(base), "above 1"))
        }
    }

    /// The kind of rope; `None` where nothing is said of it.
    fn kind(&self) -> Option<&str> {
        let name = self.get("rope_type").or_else(|| self.get("type"))?;
        Some(name.as_str().unwrap_or_default())
    }

    fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    fn number(&self, key: &str) -> Result<Option<f64>> {
        self.get(key)
            .map(|v| {
                v.as_f64()
                    .filter(|x| x.is_finite())
                    .ok_or_else(|| self.keys.bad(&self.path(key), v, "a finite number"))
            })
            .transpose()
    }

    fn needed(&self, key: &str) -> Result<f64> {
        let missing = || self.keys.missing(&self.path(key));
        self.number(key)?.ok_or_else(missing)
    }

    fn positive(&self, key: &str) -> Result<f64> {
        let value = self.needed(key)?;
        if value > 0.0 {
            Ok(value)
        } else {
            Err(self.keys.bad(&self.path(key), &Value::from(value), "above 0"))
        }
    }

    /// The context before scaling: what the family says of it at the top level, else the rope's
    /// object, else the whole.
    fn original(&self) -> Result<usize> {
        let key = "original_max_position_embeddings";
        let original = match (self.keys.opt_usize(key)?, self.number(key)?) {
            (Some(n), _) => n,
            (None, Some(n)) => n as usize,
            (None, None) => self.keys.usize("max_position_embeddings")?,
        };
        if original < 2 {
            Err(self.keys.bad(key, &Value::from(original), "at least 2"))
        } else {
            Ok(original)
        }
    }

    /// How often the original context fits into the whole.
    fn ratio(&self) -> Result<f64> {
        match self.number("factor")? {
            Some(_) => self.positive("factor"),
            None => {
                Ok(self.keys.usize("max_position_embeddings")? as f64 / self.original()? as f64)
            }
        }
    }

    fn factors(&self, key: &str, dims: usize) -> Result<Vec<f32>> {
        let missing = || self.keys.missing(&self.path(key));
        let value = self.get(key).ok_or_else(missing)?;
        let list: Option<Vec<f32>> =
            value.as_array().and_then(|l| l.iter().map(|v| v.as_f64().map(|x| x as f32)).collect());
        list.filter(|l| l.len() == dims / 2 && l.iter().all(|x| x.is_finite() && *x > 0.0))
            .ok_or_else(|| {
                let expected = format!("{} positive numbers, one a rotated pair", dims / 2);
                self.keys.bad(&self.path(key), value, expected)
            })
    }

    fn scaling(&self, dims: usize) -> Result<RopeScaling> {
        // Files that scale by tensors carry no type.
        self.keys.ignore(&["original_max_position_embeddings"]);
        let kind = self.kind();
        // Phi-3 had two other names for it before it got its own.
        let kind = match kind {
            Some("su" | "yarn") if self.keys.has_own_original() => Some("longrope"),
            Some(other @ ("linear" | "dynamic" | "llama3")) if self.keys.has_own_original() => {
                let key = self.path("rope_type");
                return Err(self.keys.bad(&key, &Value::from(other), "default or longrope"));
            }
            other => other,
        };
        Ok(match kind {
            None | Some("default") => RopeScaling::None,
            Some("none") if self.keys.gguf => RopeScaling::None,
            Some("linear") => RopeScaling::Linear { factor: self.positive("factor")? },
            Some("dynamic") => RopeScaling::Dynamic {
                factor: self.positive("factor")?,
                // The whole context is the original one: the rope stretches as the text grows
                // beyond it.
                original: if self.keys.gguf {
                    self.original()?
                } else {
                    self.keys.usize("max_position_embeddings")?
                },
            },
            Some("llama3") => self.llama3()?,
            Some("yarn") => self.yarn()?,
            // A GGUF file holds the factors as tensors, which the loader puts in.
            Some("longrope") if self.keys.gguf => RopeScaling::LongRope {
                short: Vec::new(),
                long: Vec::new(),
                attention_factor: self.longrope_attention()?,
                original: self.original()?,
            },
            Some("longrope") => RopeScaling::LongRope {
                short: self.factors("short_factor", dims)?,
                long: self.factors("long_factor", dims)?,
                attention_factor: self.longrope_attention()?,
                original: self.original()?,
            },
            Some(other) => {
                let expected = "default, linear, dynamic, llama3, yarn or longrope";
                let key = self.path("rope_type");
                return Err(self.keys.bad(&key, &Value::from(other), expected));
            }
        })
    }

    fn llama3(&self) -> Result<RopeScaling> {
        let (low, high) = (self.positive("low_freq_factor")?, self.positive("high_freq_factor")?);
        if high <= low {
            let expected = format!("more than low_freq_factor, which is {low}");
            return Err(self.keys.bad(
                &self.path("high_freq_factor"),
                &Value::from(high),
                expected,
            ));
        }
        Ok(RopeScaling::Llama3 {
            factor: self.positive("factor")?,
            low,
            high,
            original: self.original()?,
        })
    }

    /// A number above zero, or the default, which zero means too.
    fn positive_or(&self, key: &str, default: f64) -> Result<f64> {
        match self.number(key)? {
            Some(x) if x != 0.0 => self.positive(key),
            _ => Ok(default),
        }
    }

    fn yarn(&self) -> Result<RopeScaling> {
        // `null` leaves it to the two lengths of the context; no such key at all is a mistake.
        if !self.keys.gguf && !self.map.contains_key("factor") {
            self.needed("factor")?;
        }
        let factor = self.ratio()?;
        let mscale = |scale: f64, m: f64| {
            if scale <= 1.0 { 1.0 } else { 0.1 * m * scale.ln() + 1.0 }
        };
        let given = self.number("attention_factor")?;
        let attention_factor = match (given, self.number("mscale")?, self.number("mscale_all_dim")?)
        {
            (Some(x), ..) => x,
            (None, Some(m), Some(all)) if m != 0.0 && all != 0.0 => {
                mscale(factor, m) / mscale(factor, all)
            }
            _ => mscale(factor, 1.0),
        };
        Ok(RopeScaling::Yarn {
            factor,
            beta_fast: self.positive_or("beta_fast", 32.0)?,
            beta_slow: self.positive_or("beta_slow", 1.0)?,
            truncate: self.get("truncate").and_then(Value::as_bool).unwrap_or(true),
            attention_factor,
            original: self.original()?,
        })
    }

    fn longrope_attention(&self) -> Result<f64> {
        if let Some(given) = self.number("attention_factor")? {
            return Ok(given);
        }
        let factor = self.ratio()?;
        let original = self.original()? as f64;
        Ok(if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / original.ln()).sqrt() })
    }

    fn finish(&self) {
        for (key, value) in self.map.iter() {
            if !UNDERSTOOD.contains(&key.as_str()) && !value.is_null() {
                self.keys.odd(self.path(key), value);
            }
        }
    }
}
