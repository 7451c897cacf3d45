//! What a model's weights take in memory, from what is known of their files.

use scaffold_formats::{TensorInfo, TensorSource};
use scaffold_kernels::{BlockType, Matrix};
use scaffold_model::{ModelSpec, Packing, Precision};

use crate::error::Error;

/// What weights take, and what they are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Size {
    /// Bytes in memory, packed or converted.
    pub(crate) bytes: usize,
    /// Bytes that packing takes beside them, at most. Tensors are packed one by one, out of mapped
    /// files: those cost nothing that the system could not take back, but a matrix that is arranged
    /// anew is copied for that.
    pub(crate) packing: usize,
    /// Weights in all.
    pub(crate) parameters: u64,
    /// What most of the weights are stored in, and converted to where they are.
    pub(crate) stored: BlockType,
    pub(crate) converted: Option<BlockType>,
    /// Whether any matrix is converted.
    pub(crate) converts: bool,
    /// Whether this is worked out from the sizes of files, because nobody could look into them.
    pub(crate) is_estimate: bool,
}

/// The weights of a model that is elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// A GGUF file, which stays as it is.
    Gguf,
    /// Floats of so many bytes each.
    Floats(usize),
}

impl Size {
    /// From the headers of files that are here.
    ///
    /// # Errors
    /// A weight of a type that cannot be computed with.
    pub(crate) fn of(
        tensors: &dyn TensorSource,
        spec: &ModelSpec,
        precision: Precision,
    ) -> Result<Self, Error> {
        let packing_as = Packing::new(precision, spec, tensors);
        let mut by_type: Vec<(BlockType, usize)> = Vec::new();
        let mut by_packed: Vec<(BlockType, usize)> = Vec::new();
        let (mut bytes, mut packing, mut parameters) = (0usize, 0, 0);
        let mut converts = false;
        for name in tensors.names() {
            let Some(info) = tensors.info(name).filter(|info| !spec.leaves_unused(info)) else {
                continue;
            };
            let Some(ty) = info.ty else {
                // For the reason.
                tensors.require(name)?;
                continue;
            };
            let packed = match *info.shape {
                [_, .., cols] => packing_as.of(name, ty, cols),
                _ => ty,
            };
            bytes = bytes.saturating_add(packed_bytes(&info, packed));
            converts |= packed != ty;
            if spec.rearranges(&info) {
                packing = packing.max(info.bytes);
            }
            parameters += info.shape.iter().product::<usize>() as u64;
            count(&mut by_type, ty, info.bytes);
            count(&mut by_packed, packed, info.bytes);
        }
        let (stored, packed) = (most(by_type), most(by_packed));
        Ok(Self {
            bytes,
            packing,
            parameters,
            stored,
            converted: (packed != stored).then_some(packed),
            converts,
            is_estimate: false,
        })
    }

    /// From the sizes in a listing, and the configuration where it is known.
    pub(crate) fn of_listing(
        spec: Option<&ModelSpec>,
        bytes: u64,
        listed: Listed,
        precision: Precision,
    ) -> Self {
        let (stored, width) = match listed {
            Listed::Gguf => (BlockType::Q4_K, 0.0),
            Listed::Floats(4) => (BlockType::F32, 4.0),
            Listed::Floats(_) => (BlockType::BF16, 2.0),
        };
        let parameters = match (spec, listed) {
            (_, Listed::Floats(width)) => bytes / width.max(1) as u64,
            (Some(spec), Listed::Gguf) => spec.parameters(),
            // Of four bits and a half each.
            (None, Listed::Gguf) => (bytes / 9).saturating_mul(16),
        };
        let bytes = match (precision, listed) {
            (Precision::F32, _) => parameters.saturating_mul(4),
            (Precision::Blocks(blocks), Listed::Floats(_)) => {
                let each = blocks.bytes() as f64 / blocks.values() as f64;
                // Some matrices stay finer, the head of a small model among them.
                let finer = if blocks == BlockType::Q8_0 { 1.0 } else { 1.1 };
                (bytes as f64 * each * finer / width) as u64
            }
            (Precision::Native | Precision::Blocks(_), _) => bytes,
        };
        Self {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            packing: 0,
            parameters,
            stored,
            converted: None,
            converts: false,
            is_estimate: true,
        }
    }
}

/// Adds to the bytes of a type.
fn count(by_type: &mut Vec<(BlockType, usize)>, ty: BlockType, bytes: usize) {
    match by_type.iter_mut().find(|(other, _)| *other == ty) {
        Some((_, sum)) => *sum += bytes,
        None => by_type.push((ty, bytes)),
    }
}

/// The type of most bytes.
fn most(by_type: Vec<(BlockType, usize)>) -> BlockType {
    let most = by_type.into_iter().max_by_key(|(_, bytes)| *bytes);
    most.map_or(BlockType::F32, |(ty, _)| ty)
}

/// Bytes that a tensor takes in memory: matrices packed, all else as `f32`.
fn packed_bytes(info: &TensorInfo<'_>, packed: BlockType) -> usize {
    let (count, rows, cols) = match *info.shape {
        [rows, cols] => (1, rows, cols),
        [count, rows, cols] => (count, rows, cols),
        _ => {
            let values = info.shape.iter().product::<usize>();
            return values.saturating_mul(size_of::<f32>());
        }
    };
    let packed = Matrix::bytes_of(packed, rows, cols);
    // What cannot be packed is refused by the loader, with the reason.
    packed.map_or(info.bytes, |bytes| bytes.saturating_mul(count))
}

#[cfg(test)]
mod tests {
    use scaffold_hub::LocalModel;
    use scaffold_model::{Decoder, Encoder};
    use scaffold_testing::golden::{tiny_decoders, tiny_encoders};

    use super::*;
    use crate::exec::exec;
    use crate::{LoadOptions, Model};

    /// What is told before is what is there afterwards, but for biases and norms, for an output
    /// matrix that is stored twice, and for the rows that fill up panels where a matrix of the file
    /// is packed as several.
    #[test]
    fn weights_take_what_was_said() {
        let options = LoadOptions { threads: Some(1), ..LoadOptions::default() };
        let exec = std::sync::Arc::new(exec(&options, &mut Vec::new()).unwrap());
        for golden in tiny_decoders().into_iter().chain(tiny_encoders()) {
            let model = Model::open(&LocalModel::on_disk(&golden.dir), &options).unwrap();
            let (tensors, spec) = (model.tensors(), model.spec());
            for precision in [
                Precision::Native,
                Precision::F32,
                Precision::Blocks(BlockType::Q8_0),
                Precision::Blocks(BlockType::Q4_K),
            ] {
                let said = Size::of(tensors, spec, precision).unwrap().bytes;
                let load = scaffold_model::LoadOptions {
                    precision,
                    ..scaffold_model::LoadOptions::default()
                };
                let exec = std::sync::Arc::clone(&exec);
                let packed = if golden.is_decoder() {
                    let decoder = Decoder::load(tensors, spec.clone(), exec, &load);
                    decoder.unwrap().weight_bytes()
                } else {
                    let encoder = Encoder::load(tensors, spec.clone(), exec, &load);
                    encoder.unwrap().weight_bytes()
                };
                let name = golden.dir.display();
                assert!(packed <= said + said / 100, "{name} {precision:?}: {said} {packed}");
                assert!(said <= packed + packed / 2, "{name}: {said} {packed}");
            }
        }
    }
}
