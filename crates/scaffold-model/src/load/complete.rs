//! What a specification from GGUF metadata learns only from the tensors.

use scaffold_error::{Error, err};
use scaffold_formats::TensorSource;

use super::values::values;
use crate::names::Slot;
use crate::rope::RopeScaling;
use crate::spec::ModelSpec;

type Result<T> = std::result::Result<T, Error>;

impl ModelSpec {
    /// Takes the size of the vocabulary from the embedding's rows, where the metadata of a GGUF
    /// file do not say it.
    pub fn see_vocabulary(&mut self, source: &dyn TensorSource) {
        if self.vocab == 0
            && let Some(name) = self.names.get(Slot::Embed)
            && let Some(embedding) = source.info(&format!("{name}.weight"))
        {
            self.vocab = embedding.shape.first().copied().unwrap_or(0);
        }
    }
}

/// A tensor is missing from the file.
pub(super) fn missing_tensor(name: &str, family: &str) -> Error {
    err!(
        Damaged,
        "the tensor `{name}` is missing: the file is incomplete or not a {family} model as its configuration says; fetch it \
         again"
    )
    .of_tensor(name)
}

/// Completes a specification by what GGUF files hold in tensors only: the rows of the embedding,
/// and the factors of ropes. Returns the names of the tensors that it took all of.
pub(crate) fn complete(source: &dyn TensorSource, spec: &mut ModelSpec) -> Result<Vec<String>> {
    let mut taken = Vec::new();
    let names = spec.names;
    if spec.vocab == 0
        && let Some(name) = names.get(Slot::Embed)
    {
        source.require(&format!("{name}.weight"))?;
        spec.see_vocabulary(source);
    }
    let family = spec.family;
    let mut read = |slot: Slot, pairs: usize| -> Result<Option<Vec<f32>>> {
        let Some(name) = names.get(slot).map(|n| format!("{n}.weight")) else {
            return Ok(None);
        };
        let Some(tensor) = source.tensor(&name)? else {
            return Ok(None);
        };
        let factors = values(&tensor, pairs)?;
        taken.push(name);
        Ok(Some(factors))
    };
    for rope in &mut spec.ropes {
        let pairs = rope.dims / 2;
        match &mut rope.scaling {
            RopeScaling::None => {
                if let Some(factors) = read(Slot::RopeFactors, pairs)? {
                    rope.scaling = RopeScaling::Factors(factors);
                }
            }
            RopeScaling::LongRope { short, long, .. } if short.is_empty() => {
                let missing = |name: &str| missing_tensor(name, family);
                *short = read(Slot::RopeShortFactors, pairs)?
                    .ok_or_else(|| missing("rope_factors_short.weight"))?;
                *long = read(Slot::RopeLongFactors, pairs)?
                    .ok_or_else(|| missing("rope_factors_long.weight"))?;
            }
            _ => {}
        }
    }
    Ok(taken)
}
