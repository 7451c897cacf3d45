//! Writing values as blocks with scales that were looked for: what a model is quantized with.
//!
//! [`quantize`](super::quantize) rounds as the reference code does, and knows no type whose scales are whole numbers themselves.
//! Here the error of every block is made small: `groups` finds the scale of a group of values, `supers` those that fit together.
//! The same bits come out on every level of the processor.

mod groups;
mod lanes;
mod supers;

use half::f16;

use scaffold_error::{Error, err};

use super::{Block, Scales, Scheme, check_whole, quantize};
use crate::{block_type::BlockType, cpu::Cpu, simd::Kernel, simd::Simd};
use groups::{Fit, Group, inverse};
use lanes::sums;

/// Writes values as blocks of `ty` with the least error that a search finds.
///
/// `importance` has a weight for each column of a row: how much an error in what is multiplied with that input costs, such as the mean
/// of its squares over a text. Without it all inputs count alike. Values are whole rows of so many columns.
///
/// # Errors
/// When the values do not fill whole blocks (or rows), one of them is not a number, or there is no encoder for `ty` (the types with
/// fixed tables of levels).
///
/// ```
/// use scaffold_kernels::{BlockType, Cpu, dequantize, quantize_searched};
/// let values: Vec<f32> = (0..256).map(|i| (i as f32 / 9.0).sin()).collect();
/// let bytes = quantize_searched(Cpu::detect(), BlockType::Q4_K, &values, None)?;
/// assert_eq!(bytes.len(), 144);
/// let mut back = vec![0.0; 256];
/// dequantize(BlockType::Q4_K, &bytes, &mut back)?;
/// assert!(values.iter().zip(&back).all(|(a, b)| (a - b).abs() < 0.08));
/// # Ok::<(), scaffold_kernels::Error>(())
/// ```
pub fn quantize_searched(
    cpu: Cpu,
    ty: BlockType,
    values: &[f32],
    importance: Option<&[f32]>,
) -> Result<Vec<u8>, Error> {
    check_whole(ty, values.len())?;
    if let Some(weights) = importance
        && (weights.is_empty()
            || !values.len().is_multiple_of(weights.len())
            || !weights.len().is_multiple_of(ty.values()))
    {
        return Err(err!(
            Usage,
            "the importance has {} columns, and the values are {}: they have to be whole rows of whole blocks of {}",
            weights.len(),
            values.len(),
            ty.values()
        ));
    }
    let Some(scheme) = Scheme::of(ty).filter(|_| ty != BlockType::Q8_0) else {
        return quantize(ty, values);
    };
    if scheme.table {
        return Err(err!(
            Unsupported,
            "values cannot be written as {ty}; the types that can be written are F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, \
             Q8_0, Q2_K, Q3_K, Q4_K, Q5_K and Q6_K"
        ));
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(err!(
            Damaged,
            "value {at} is {}, which no {ty} block can hold: the weights are damaged, or their type is another one",
            values[at]
        ));
    }
    let mut out = Vec::with_capacity(values.len() / ty.values() * ty.bytes());
    cpu.run(Search { ty, scheme, values, importance, out: &mut out });
    Ok(out)
}

struct Search<'a> {
    ty: BlockType,
    scheme: Scheme,
    values: &'a [f32],
    importance: Option<&'a [f32]>,
    out: &'a mut Vec<u8>,
}

impl Kernel for Search<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        if self.ty.values() == 256 { self.blocks::<256>() } else { self.blocks::<32>() }
    }
}

impl Search<'_> {
    #[inline(always)]
    fn blocks<const N: usize>(self) {
        for (index, values) in self.values.as_chunks::<N>().0.iter().enumerate() {
            let importance = self.importance.and_then(|all| {
                let at = index * N % all.len();
                all[at..].first_chunk::<N>()
            });
            let weights = weights(values, importance);
            block(self.scheme, values, &weights).write(self.ty, self.out);
        }
    }
}

/// What an error in each value weighs, beside the importance of its column.
///
/// Large weights move what a row puts out more than small ones do; squares alone leave the small ones
/// of a block to chance. Tried on a model with 135M weights in 4 bits: squares diverge by 0.054 nats,
/// magnitudes by 0.051, all alike by 0.046, this by 0.048; in 6 bits all are within 3 %, and all alike
/// is the worst.
#[inline(always)]
fn weights<const N: usize>(values: &[f32; N], importance: Option<&[f32; N]>) -> [f32; N] {
    let [squares] = sums(N, |i| [values[i] * values[i]]);
    let mean = squares / N as f32;
    std::array::from_fn(|i| {
        let weight = (mean + values[i] * values[i]).sqrt();
        importance.map_or(weight, |importance| importance[i] * weight)
    })
}

/// The best block for `values`.
#[inline(always)]
fn block<const N: usize>(scheme: Scheme, values: &[f32; N], weights: &[f32; N]) -> Block {
    if let (Some(values), Some(weights)) = (values.first_chunk(), weights.first_chunk())
        && matches!(scheme.scales, Scales::SuperMin | Scales::SuperSigned)
    {
        return supers::block(scheme, values, weights);
    }
    small(scheme, Group { values, weights })
}

/// A block of one group, with f16 for a scale and a minimum.
#[inline(always)]
fn small(scheme: Scheme, group: Group<'_>) -> Block {
    let (low, high) =
        (-scheme.zero as f32, ((1 << (scheme.low + scheme.high)) - 1 - scheme.zero) as f32);
    let fit = match scheme.scales {
        Scales::HalfMin => group.affine(high, true),
        _ => Fit { scale: group.symmetric(-low), minimum: 0.0 },
    };
    let (d, m) = (f16::from_f32(fit.scale), f16::from_f32(-fit.minimum));
    let fit = Fit { scale: d.to_f32(), minimum: -m.to_f32() };
    let inverse = inverse(fit.scale);
    let mut block = Block::new();
    (block.d, block.m) = (d.to_bits(), m.to_bits());
    for i in 0..group.values.len() {
        block.codes[i] = (group.code(i, fit, inverse, low, high) as i32 + scheme.zero) as u8;
    }
    block
}

#[cfg(test)]
mod tests;
