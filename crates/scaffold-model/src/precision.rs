//! What weights are packed as: as they are stored, as floats, or as blocks that are made of floats
//! while a model is loaded.
//!
//! Floats that become blocks of few bits do not all bear it alike. The head meets every token, values
//! and the way out of the feed-forward part are read by every later layer, and a router decides
//! between experts: an error there costs more than its bits. Which matrices stay finer, and what takes
//! the place of a type whose blocks of 256 do not fit the columns, is as in llama.cpp's mixtures
//! ("Q4_K_M" and the like of `llama-quant.cpp`), so that sizes and quality can be compared with its
//! files. Norms and biases are never packed.

use scaffold_formats::TensorSource;
use scaffold_kernels::BlockType;

use crate::names::Slot;
use crate::spec::{Kind, ModelSpec};

/// What a model's matrices are packed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Precision {
    /// As stored: quantized weights meet 8-bit activations, floats are multiplied in f32.
    #[default]
    Native,
    /// Everything as f32, for comparisons with other software.
    F32,
    /// Floats as blocks of this type, and what bears less as a finer one. Quantized weights stay as
    /// stored, and so do floats whose columns do not fill blocks.
    Blocks(BlockType),
}

/// How much a matrix bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bears {
    /// What the type takes away.
    All,
    /// Less.
    Less,
    /// Nothing.
    Nothing,
}

/// A precision for one model: what each of its matrices is packed as.
#[derive(Clone, Copy, Debug)]
pub struct Packing<'a> {
    precision: Precision,
    spec: &'a ModelSpec,
    /// Whether the embedding is the head, too.
    is_tied: bool,
}

impl<'a> Packing<'a> {
    /// How a model's matrices are packed; `tensors` tell whether there is a head beside the embedding.
    pub fn new(precision: Precision, spec: &'a ModelSpec, tensors: &dyn TensorSource) -> Self {
        let has_head = || {
            spec.names.all(Slot::Head).any(|name| tensors.info(&format!("{name}.weight")).is_some())
        };
        let is_tied = match &spec.kind {
            Kind::Decoder(head) => head.tied.unwrap_or_else(|| !has_head()),
            Kind::Encoder(_) => false,
        };
        Self { precision, spec, is_tied }
    }

    /// The type that a matrix of a tensor of `ty` with `cols` columns is packed as.
    pub fn of(&self, tensor: &str, ty: BlockType, cols: usize) -> BlockType {
        match self.precision {
            Precision::Native => ty,
            Precision::F32 => BlockType::F32,
            Precision::Blocks(_) if ty.is_quantized() => ty,
            Precision::Blocks(blocks) => {
                let wanted = match self.bears(tensor) {
                    Bears::All => Some(blocks),
                    Bears::Less => Some(finer(blocks)),
                    Bears::Nothing => None,
                };
                wanted.and_then(|wanted| fitting(wanted, cols)).unwrap_or(ty)
            }
        }
    }

    /// Whether the type stands for a mixture, as those of 256 values and few bits do.
    fn is_mixed(&self) -> bool {
        matches!(self.precision, Precision::Blocks(BlockType::Q4_K | BlockType::Q5_K))
    }

    fn bears(&self, tensor: &str) -> Bears {
        let Some((slot, layer)) = self.spec.names.slot_of(tensor) else {
            return Bears::All;
        };
        match slot {
            Slot::Head => Bears::Less,
            Slot::Embed if self.is_tied => Bears::Less,
            Slot::Value | Slot::Down | Slot::ExpertDown | Slot::SharedDown
                if self.is_mixed() && takes_more(layer, self.spec.layers.len()) =>
            {
                Bears::Less
            }
            Slot::Router
            | Slot::SharedRouter
            | Slot::Positions
            | Slot::TokenTypes
            | Slot::RelativeBias
            | Slot::ClassifierDense
            | Slot::ClassifierOut => Bears::Nothing,
            _ => Bears::All,
        }
    }
}

/// What the head and the like are packed as beside `blocks`.
fn finer(blocks: BlockType) -> BlockType {
    if blocks == BlockType::Q8_0 { BlockType::Q8_0 } else { BlockType::Q6_K }
}

/// `wanted`, or the nearest type of small blocks where those of 256 do not fill the columns; none
/// where these do not either.
fn fitting(wanted: BlockType, cols: usize) -> Option<BlockType> {
    let small = match wanted {
        BlockType::Q2_K | BlockType::Q3_K => BlockType::Q4_0,
        BlockType::Q4_K => BlockType::Q5_0,
        BlockType::Q5_K => BlockType::Q5_1,
        BlockType::Q6_K => BlockType::Q8_0,
        other => other,
    };
    [wanted, small].into_iter().find(|ty| cols.is_multiple_of(ty.values()))
}

/// The first and the last eighth of the layers, and every third one between them.
fn takes_more(layer: usize, layers: usize) -> bool {
    let eighth = layers / 8;
    layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_and_the_ends_take_more() {
        let of = |layers: usize| (0..layers).filter(|l| takes_more(*l, layers)).collect::<Vec<_>>();
        assert_eq!(of(16), [0, 1, 4, 7, 10, 13, 14, 15]);
        assert_eq!(of(1), [0]);
        assert_eq!(of(4), [2, 3]);
    }

    #[test]
    fn columns_that_fill_no_blocks_stay() {
        assert_eq!(fitting(BlockType::Q4_K, 512), Some(BlockType::Q4_K));
        assert_eq!(fitting(BlockType::Q4_K, 576), Some(BlockType::Q5_0));
        assert_eq!(fitting(BlockType::Q6_K, 96), Some(BlockType::Q8_0));
        assert_eq!(fitting(BlockType::Q4_0, 48), None);
    }
}
