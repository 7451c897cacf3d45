//! Rope settings, in both styles: `rope_parameters` of `transformers` 5, and `rope_theta` with `rope_scaling` before it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::keys::Keys;
use crate::ModelError;
use crate::rope::{RopeScaling, RopeSpec, RopeStyle};

type Result<T> = std::result::Result<T, ModelError>;

/// One rope's settings: the object that holds them, and its name in messages.
struct Settings<'a> {
    keys: &'a Keys,
    map: Cow<'a, Map<String, Value>>,
    name: String,
}

impl Keys {
    /// The rope of a model that has one. `rotated` is the family's default share of a head, `base` its default base.
    pub(super) fn rope(&self, head_dim: usize, rotated: f64, base: f64) -> Result<RopeSpec> {
        self.rope_for(None, head_dim, rotated, base)
    }

    /// The rope of one kind of layer (`full_attention`, `sliding_attention`) where ropes differ by it.
    pub(super) fn rope_for(
        &self,
        kind: Option<&str>,
        head_dim: usize,
        rotated: f64,
        base: f64,
    ) -> Result<RopeSpec> {
        let settings = Settings::find(self, kind)?;
        // At the top level in old configurations; inside `rope_parameters` in new ones.
        let mut share = rotated;
        for key in ["partial_rotary_factor", "rotary_pct", "rope_pct"] {
            share = self.opt_f64(key)?.unwrap_or(share);
        }
        share = settings.number("partial_rotary_factor")?.unwrap_or(share);
        if !(share > 0.0 && share <= 1.0) {
            return Err(self.bad(
                "partial_rotary_factor",
                &Value::from(share),
                "above 0, at most 1",
            ));
        }
        let mut theta = base;
        // The keys at the top level speak of full attention.
        if kind != Some("sliding_attention") {
            for key in ["rope_theta", "rotary_emb_base"] {
                theta = self.opt_f64(key)?.unwrap_or(theta);
            }
        }
        let base = settings.number("rope_theta")?.unwrap_or(theta);
        if base <= 1.0 {
            return Err(self.bad("rope_theta", &Value::from(base), "above 1"));
        }
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
        settings.finish()?;
        Ok(RopeSpec {
            base,
            dims,
            style,
            scaling,
        })
    }
}

/// What [`Settings`] understands; anything else in the object is refused.
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
    "attn_factor",
    "mscale",
    "mscale_all_dim",
    "truncate",
    "short_factor",
    "long_factor",
    "finetuned",
];

impl<'a> Settings<'a> {
    fn find(keys: &'a Keys, kind: Option<&str>) -> Result<Self> {
        for name in ["rope_parameters", "rope_scaling"] {
            let Some(map) = keys.opt_map(name)? else {
                continue;
            };
            let nested = kind.and_then(|k| Some((k, map.get(k)?)));
            return match nested {
                Some((kind, value)) => {
                    let name = format!("{name}.{kind}");
                    let map = value
                        .as_object()
                        .ok_or_else(|| keys.bad(&name, value, "an object"))?;
                    Ok(Self {
                        keys,
                        map: Cow::Borrowed(map),
                        name,
                    })
                }
                // Old configurations scale the ropes of full attention only, and leave the local ones plain.
                None if kind == Some("sliding_attention") => Ok(Self {
                    keys,
                    map: Cow::default(),
                    name: name.to_owned(),
                }),
                None => Ok(Self {
                    keys,
                    map: Cow::Borrowed(map),
                    name: name.to_owned(),
                }),
            };
        }
        Ok(Self {
            keys,
            map: Cow::default(),
            name: "rope_scaling".to_owned(),
        })
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
        let missing = || ModelError::MissingKey {
            what: self.keys.what(),
            family: self.keys.family,
            key: self.path(key),
        };
        self.number(key)?.ok_or_else(missing)
    }

    fn positive(&self, key: &str) -> Result<f64> {
        let value = self.needed(key)?;
        if value > 0.0 {
            Ok(value)
        } else {
            Err(self
                .keys
                .bad(&self.path(key), &Value::from(value), "above 0"))
        }
    }

    /// The context before scaling, which may stand in the rope's object or at the top level.
    fn original(&self) -> Result<usize> {
        let key = "original_max_position_embeddings";
        let top = self.keys.opt_usize(key)?;
        let original = match self.number(key)? {
            Some(n) => n as usize,
            None => match top {
                Some(n) => n,
                None => self.keys.usize("max_position_embeddings")?,
            },
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
        let missing = || ModelError::MissingKey {
            what: self.keys.what(),
            family: self.keys.family,
            key: self.path(key),
        };
        let value = self.get(key).ok_or_else(missing)?;
        let list: Option<Vec<f32>> = value
            .as_array()
            .and_then(|l| l.iter().map(|v| v.as_f64().map(|x| x as f32)).collect());
        list.filter(|l| l.len() == dims / 2 && l.iter().all(|x| x.is_finite() && *x > 0.0))
            .ok_or_else(|| {
                let expected = format!("{} positive numbers, one a rotated pair", dims / 2);
                self.keys.bad(&self.path(key), value, expected)
            })
    }

    fn scaling(&self, dims: usize) -> Result<RopeScaling> {
        let name = self.get("rope_type").or_else(|| self.get("type"));
        // Files that scale by tensors carry no type.
        self.keys.ignore(&["original_max_position_embeddings"]);
        Ok(match name.map(|v| (v, v.as_str().unwrap_or_default())) {
            None | Some((_, "default" | "none")) => RopeScaling::None,
            Some((_, "linear")) => RopeScaling::Linear {
                factor: self.positive("factor")?,
            },
            Some((_, "dynamic")) => RopeScaling::Dynamic {
                factor: self.positive("factor")?,
                original: self.original()?,
            },
            Some((_, "llama3")) => self.llama3()?,
            Some((_, "yarn")) => self.yarn()?,
            // A GGUF file holds the factors as tensors, which the loader puts in.
            Some((_, "longrope" | "su")) if self.keys.gguf => RopeScaling::LongRope {
                short: Vec::new(),
                long: Vec::new(),
                attention_factor: self.longrope_attention()?,
                original: self.original()?,
            },
            Some((_, "longrope" | "su")) => RopeScaling::LongRope {
                short: self.factors("short_factor", dims)?,
                long: self.factors("long_factor", dims)?,
                attention_factor: self.longrope_attention()?,
                original: self.original()?,
            },
            Some((value, _)) => {
                let expected = "default, linear, dynamic, llama3, yarn or longrope";
                return Err(self.keys.bad(&self.path("rope_type"), value, expected));
            }
        })
    }

    fn llama3(&self) -> Result<RopeScaling> {
        let (low, high) = (
            self.positive("low_freq_factor")?,
            self.positive("high_freq_factor")?,
        );
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

    /// A number above zero, or the default.
    fn positive_or(&self, key: &str, default: f64) -> Result<f64> {
        match self.number(key)? {
            Some(_) => self.positive(key),
            None => Ok(default),
        }
    }

    fn yarn(&self) -> Result<RopeScaling> {
        let factor = self.ratio()?;
        let mscale = |scale: f64, m: f64| {
            if scale <= 1.0 {
                1.0
            } else {
                0.1 * m * scale.ln() + 1.0
            }
        };
        let given = match self.number("attention_factor")? {
            Some(x) => Some(x),
            None => self.number("attn_factor")?,
        };
        let attention_factor = match (
            given,
            self.number("mscale")?,
            self.number("mscale_all_dim")?,
        ) {
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
            truncate: self
                .get("truncate")
                .and_then(Value::as_bool)
                .unwrap_or(true),
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
        Ok(if factor <= 1.0 {
            1.0
        } else {
            (1.0 + factor.ln() / original.ln()).sqrt()
        })
    }

    fn finish(&self) -> Result<()> {
        match self
            .map
            .iter()
            .find(|(k, v)| !UNDERSTOOD.contains(&k.as_str()) && !v.is_null())
        {
            Some((key, value)) => Err(ModelError::UnknownKey {
                what: self.keys.what(),
                family: self.keys.family,
                key: self.path(key),
                value: super::keys::shown(value),
            }),
            None => Ok(()),
        }
    }
}
