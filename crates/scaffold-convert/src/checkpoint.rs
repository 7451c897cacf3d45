//! A checkpoint of `transformers` as a GGUF file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use scaffold_error::err;
use scaffold_formats::write::GgufWriter;
use scaffold_formats::{BlockType, ConfigJson, Safetensors, Tensor};
use scaffold_kernels::Exec;

use crate::Error;
use crate::arrange::Array;
use crate::config::Config;
use crate::family::Family;
use crate::types::{Choice, Chosen, is_kept, retyped};
use crate::{metadata, names};

type Result<T> = std::result::Result<T, Error>;

/// Tensors of a checkpoint that become one of a GGUF file.
struct Joined<'a> {
    name: String,
    /// By their number in a stack; one without a number where there is no stack.
    parts: BTreeMap<Option<usize>, Tensor<'a>>,
}

/// Whether a checkpoint with this configuration can be written as GGUF.
///
/// # Errors
/// It cannot, and why.
pub fn check(config: &ConfigJson) -> Result<()> {
    let family = family(config)?;
    metadata::write(&mut GgufWriter::new(), family, &Config::new(config)?)
}

fn family(config: &ConfigJson) -> Result<&'static Family> {
    Family::of(config.root().require_str("model_type")?)
}

/// The tensors of a checkpoint with the types that `choice` gives its matrices, and the metadata that
/// its configuration tells. Vocabulary, `general.name` and `general.file_type` are the caller's to
/// set. Tensors that `leave` names are left out.
///
/// # Errors
/// The family, its rope or a tensor has no place in a GGUF file. Values that cannot be converted are
/// an error of the writing.
pub fn of_checkpoint<'a>(
    exec: &'a Exec,
    config: &ConfigJson,
    weights: &'a Safetensors,
    leave: &dyn Fn(&Tensor<'_>) -> bool,
    choice: Choice<'_>,
) -> Result<GgufWriter<'a>> {
    let family = family(config)?;
    let config = Config::new(config)?;
    let mut writer = GgufWriter::new();
    metadata::write(&mut writer, family, &config)?;
    let order = Order::of(family, &config)?;
    for joined in joined(family, weights, leave)? {
        joined.add(&mut writer, exec, order, choice)?;
    }
    for (name, factors) in rope_factors(&config)? {
        writer.add_f32(&name, BlockType::F32, &[factors.len()], &factors)?;
    }
    Ok(writer)
}

/// All tensors under their GGUF names, experts and norms per head together.
fn joined<'a>(
    family: &Family,
    weights: &'a Safetensors,
    leave: &dyn Fn(&Tensor<'_>) -> bool,
) -> Result<Vec<Joined<'a>>> {
    let mut all: Vec<Joined<'a>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for tensor in weights.tensors() {
        let tensor = tensor?;
        if leave(&tensor) {
            continue;
        }
        let place = names::place(family, tensor.name)?;
        let at = *places.entry(place.name.clone()).or_insert_with(|| {
            all.push(Joined { name: place.name, parts: BTreeMap::new() });
            all.len() - 1
        });
        if let Some(other) = all[at].parts.insert(place.index, tensor) {
            return Err(err!(
                Damaged,
                "the tensors {:?} and {:?} are the same of a GGUF file",
                other.name,
                tensor.name
            )
            .of_tensor(tensor.name));
        }
    }
    Ok(all)
}

impl<'a> Joined<'a> {
    fn add(
        self,
        writer: &mut GgufWriter<'a>,
        exec: &'a Exec,
        order: Order,
        choice: Choice<'_>,
    ) -> Result<()> {
        let name = self.name.clone();
        // The shape, without a look at the values.
        let shape = self.shape(order)?;
        let Some(first) = self.parts.values().next() else {
            return Err(err!(Internal, "{name} is made of no tensor"));
        };
        let ty = match *shape {
            [_, .., cols] if !is_kept(&name) => {
                choice(&Chosen { source: first.name, target: &name, stored: first.ty, cols })
            }
            _ => BlockType::F32,
        };
        writer.add_made(&name, ty, &shape, move || {
            let array = self.array(order)?;
            let made = if array.ty == ty {
                array.bytes
            } else {
                let made = retyped(exec, &array, ty);
                Cow::Owned(made.map_err(|error| error.of_tensor(self.name.clone()))?)
            };
            Ok(made)
        })?;
        Ok(())
    }

    fn shape(&self, order: Order) -> Result<Vec<usize>> {
        let mut shapes = self.parts.values().map(|tensor| {
            let mut shape = tensor.shape.to_vec();
            if order.turns(tensor.name, &shape) {
                shape.reverse();
            }
            shape
        });
        let first = shapes.next().unwrap_or_default();
        if let Some(other) = shapes.find(|shape| *shape != first) {
            let name = &self.name;
            return Err(err!(
                Damaged,
                "tensors that become {name:?} have different shapes: {first:?} and {other:?}"
            )
            .of_tensor(name.clone()));
        }
        Ok(if self.parts.contains_key(&None) {
            first
        } else {
            [&[self.parts.len()], first.as_slice()].concat()
        })
    }

    fn array(&self, order: Order) -> Result<Array<'a>> {
        let mut arrays = Vec::with_capacity(self.parts.len());
        for tensor in self.parts.values() {
            let mut array = Array::new(tensor.ty, tensor.shape, tensor.bytes);
            order
                .apply(&mut array, &self.name, tensor.name)
                .map_err(|e| e.of_tensor(tensor.name))?;
            arrays.push(array);
        }
        match arrays.len() {
            1 if self.parts.contains_key(&None) => Ok(arrays.remove(0)),
            _ => Array::stack(&arrays).map_err(|error| error.of_tensor(self.name.clone())),
        }
    }
}

/// What happens to the order of a family's values.
#[derive(Clone, Copy, Debug)]
struct Order {
    family: &'static Family,
    heads: usize,
    kv_heads: usize,
}

impl Order {
    fn of(family: &'static Family, config: &Config<'_>) -> Result<Self> {
        Ok(Self { family, heads: config.heads()?, kv_heads: config.kv_heads()? })
    }

    /// GPT-2 keeps matrices the other way round.
    fn turns(self, original: &str, shape: &[usize]) -> bool {
        self.family.arch == "gpt2" && original.contains(".c_") && shape.len() == 2
    }

    fn apply(self, array: &mut Array<'_>, name: &str, original: &str) -> Result<()> {
        let part = name.split('.').rev().nth(1).unwrap_or_default();
        if self.family.permuted && part == "attn_q" {
            array.permute(self.heads)?;
        }
        if self.family.permuted && part == "attn_k" {
            array.permute(self.kv_heads)?;
        }
        if self.family.arch == "gptneox" && part == "attn_qkv" {
            array.ungroup_qkv(self.heads)?;
        }
        if self.turns(original, &array.shape) {
            array.transpose()?;
        }
        if part.ends_with("_norm") && self.family.norm_offset != 0.0 {
            array.add(self.family.norm_offset)?;
        }
        Ok(())
    }
}

/// What divides each of the rope's frequencies, for the kinds that GGUF keeps as tensors.
fn rope_factors(config: &Config<'_>) -> Result<Vec<(String, Vec<f32>)>> {
    let mut factors = Vec::new();
    if config.rope_type()? == "llama3" {
        factors.push(("rope_freqs.weight".to_owned(), llama3_factors(config)?));
    }
    for (key, name) in
        [("long_factor", "rope_factors_long.weight"), ("short_factor", "rope_factors_short.weight")]
    {
        factors.extend(config.rope_floats(key)?.map(|values| (name.to_owned(), values)));
    }
    Ok(factors)
}

/// Llama 3's scaling as one factor a frequency: none for short waves, all of it for long ones, a
/// blend between.
fn llama3_factors(config: &Config<'_>) -> Result<Vec<f32>> {
    let key = |name: &str| {
        let value = config.rope_float(name)?;
        config.root.required(name, value).map(f64::from)
    };
    let (factor, low, high) = (key("factor")?, key("low_freq_factor")?, key("high_freq_factor")?);
    let context = config.original_context()? as f64;
    let (dim, theta) = (config.head_dim()?, config.rope_theta()?.unwrap_or(10_000.0));
    let one = |pair: usize| {
        let exponent = (2 * pair) as f32 / dim as f32;
        let frequency = 1.0 / theta.powf(exponent);
        let wave = std::f64::consts::TAU / f64::from(frequency);
        let blend = (context / wave - low) / (high - low);
        match wave {
            wave if wave < context / high => 1.0,
            wave if wave > context / low => factor,
            _ => 1.0 / ((1.0 - blend) / factor + blend),
        }
    };
    Ok((0..dim / 2).map(|pair| one(pair) as f32).collect())
}
