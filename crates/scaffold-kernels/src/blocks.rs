//! Reading blocks of quantized values: one intermediate form for all of them.
//!
//! Every quantized type says the same thing: a value is `scale * (code - zero)` or
//! `scale * code + minimum`, with a scale (and minimum) for each group of 16 or 32 values.
//! [`Block`] holds those parts as the file stores them; [`Scheme`] says how they combine. Both
//! [`dequantize`] and the packing of matrices start from here.

mod convert;
mod encode;
mod k_quants;
mod legacy;
mod search;
mod write;

pub use convert::convert;
pub use encode::quantize;
use half::{bf16, f16};
pub(crate) use k_quants::{q3_scales, six_bit_scales, xs_scales};
pub use search::quantize_searched;

use scaffold_error::{Error, err};

use crate::{block_type::BlockType, mapped::too_large};

/// The levels that the 4-bit codes of IQ4_NL and IQ4_XS stand for, plus 128.
pub(crate) const IQ4_LEVELS: [u8; 16] =
    [1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241];

/// How the scale of a group of values is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scales {
    /// One f16 scale for the group.
    Half,
    /// One f16 scale and one f16 minimum that is added.
    HalfMin,
    /// An f16 for 256 values times a signed byte for the group.
    SuperSigned,
    /// Two f16 for 256 values: one times an unsigned byte is the scale, one times another is
    /// the minimum that is subtracted.
    SuperMin,
}

/// How the codes and scales of a quantized block type combine into values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scheme {
    /// Bits of a code in the low plane (2, 4 or 8).
    pub(crate) low: usize,
    /// Bits of a code in the high plane (0, 1 or 2).
    pub(crate) high: usize,
    /// Whether codes are indices into [`IQ4_LEVELS`].
    pub(crate) table: bool,
    /// What is subtracted from the code (after the table).
    pub(crate) zero: i32,
    /// Values that share a scale: 16 or 32.
    pub(crate) group: usize,
    pub(crate) scales: Scales,
}

impl Scheme {
    /// The scheme of a quantized type; `None` for plain floats.
    pub(crate) const fn of(ty: BlockType) -> Option<Self> {
        use Scales::{Half, HalfMin, SuperMin, SuperSigned};
        let (low, high, table, zero, group, scales) = match ty {
            BlockType::F32 | BlockType::F16 | BlockType::BF16 => return None,
            BlockType::Q4_0 => (4, 0, false, 8, 32, Half),
            BlockType::Q4_1 => (4, 0, false, 0, 32, HalfMin),
            BlockType::Q5_0 => (4, 1, false, 16, 32, Half),
            BlockType::Q5_1 => (4, 1, false, 0, 32, HalfMin),
            BlockType::Q8_0 => (8, 0, false, 128, 32, Half),
            BlockType::Q2_K => (2, 0, false, 0, 16, SuperMin),
            BlockType::Q3_K => (2, 1, false, 4, 16, SuperSigned),
            BlockType::Q4_K => (4, 0, false, 0, 32, SuperMin),
            BlockType::Q5_K => (4, 1, false, 0, 32, SuperMin),
            BlockType::Q6_K => (4, 2, false, 32, 16, SuperSigned),
            BlockType::IQ4_NL => (4, 0, true, 128, 32, Half),
            BlockType::IQ4_XS => (4, 0, true, 128, 32, SuperSigned),
        };
        Some(Self { low, high, table, zero, group, scales })
    }

    /// Whether a minimum belongs to every group.
    pub(crate) const fn has_min(self) -> bool {
        matches!(self.scales, Scales::HalfMin | Scales::SuperMin)
    }

    /// Scale and minimum of one group, exactly: an f16 times an 8-bit integer fits an f32.
    pub(crate) fn scale_min(self, d: u16, m: u16, sub: u8, sub_min: u8) -> (f32, f32) {
        let (d, m) = (f16::from_bits(d).to_f32(), f16::from_bits(m).to_f32());
        match self.scales {
            Scales::Half => (d, 0.0),
            Scales::HalfMin => (d, m),
            Scales::SuperSigned => (d * f32::from(sub.cast_signed()), 0.0),
            Scales::SuperMin => (d * f32::from(sub), -(m * f32::from(sub_min))),
        }
    }

    /// The value that `code` stands for in a group with this scale and minimum.
    pub(crate) fn value(self, code: u8, scale: f32, min: f32) -> f32 {
        let level = if self.table { IQ4_LEVELS[usize::from(code & 15)] } else { code };
        let product = scale * (i32::from(level) - self.zero) as f32;
        if self.has_min() { product + min } else { product }
    }
}

/// One block in its parts: codes as plain bytes and the scales as the file stores them.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// One code a value; only the first `ty.values()` are meant.
    pub(crate) codes: [u8; 256],
    /// Bits of the f16 scale.
    pub(crate) d: u16,
    /// Bits of the f16 minimum, zero where the type has none.
    pub(crate) m: u16,
    /// The integer scale of each group (signed bytes for [`Scales::SuperSigned`]).
    pub(crate) sub: [u8; 16],
    /// The integer minimum of each group.
    pub(crate) sub_min: [u8; 16],
}

impl Block {
    pub(crate) const fn new() -> Self {
        Self { codes: [0; 256], d: 0, m: 0, sub: [0; 16], sub_min: [0; 16] }
    }

    /// Takes the bytes of one block apart. `bytes` holds exactly one block of the quantized `ty`.
    pub(crate) fn read(&mut self, ty: BlockType, bytes: &[u8]) {
        debug_assert_eq!(bytes.len(), ty.bytes());
        match ty {
            BlockType::F32 | BlockType::F16 | BlockType::BF16 => {
                unreachable!("plain floats are not blocks")
            }
            BlockType::Q4_0 | BlockType::IQ4_NL => legacy::read_nibbles(self, bytes),
            BlockType::Q4_1 => legacy::read_q4_1(self, bytes),
            BlockType::Q5_0 => legacy::read_q5_0(self, bytes),
            BlockType::Q5_1 => legacy::read_q5_1(self, bytes),
            BlockType::Q8_0 => legacy::read_q8_0(self, bytes),
            BlockType::Q2_K => k_quants::read_q2(self, bytes),
            BlockType::Q3_K => k_quants::read_q3(self, bytes),
            BlockType::Q4_K => k_quants::read_q4(self, bytes),
            BlockType::Q5_K => k_quants::read_q5(self, bytes),
            BlockType::Q6_K => k_quants::read_q6(self, bytes),
            BlockType::IQ4_XS => k_quants::read_iq4_xs(self, bytes),
        }
    }

    /// Writes the block's values.
    fn values(&self, scheme: Scheme, out: &mut [f32]) {
        for (group, out) in out.chunks_mut(scheme.group).enumerate() {
            let (scale, min) =
                scheme.scale_min(self.d, self.m, self.sub[group % 16], self.sub_min[group % 16]);
            let codes = &self.codes[group * scheme.group..];
            for (out, &code) in out.iter_mut().zip(codes) {
                *out = scheme.value(code, scale, min);
            }
        }
    }
}

/// Little-endian 16 bits at `at`.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Checks that `bytes` holds exactly `values` values of `ty`.
pub(crate) fn check_bytes(ty: BlockType, values: usize, bytes: usize) -> Result<(), Error> {
    check_whole(ty, values)?;
    let expected = (values / ty.values())
        .checked_mul(ty.bytes())
        .ok_or_else(|| too_large("a tensor", &[values]))?;
    if bytes != expected {
        return Err(err!(
            Damaged,
            "{values} values of type {ty} take {expected} bytes, but {bytes} were given. The tensor's data is cut short \
             or its shape is wrong"
        ));
    }
    Ok(())
}

/// Checks that so many values fill whole blocks of `ty`.
pub(crate) fn check_whole(ty: BlockType, values: usize) -> Result<(), Error> {
    let per_block = ty.values();
    if values.is_multiple_of(per_block) {
        return Ok(());
    }
    Err(err!(
        Damaged,
        "{values} values are not a whole number of {ty} blocks: this type stores {per_block} values a block. The tensor's \
         shape or its type is wrong; check where it comes from"
    ))
}

/// Turns stored values of any type into f32, bit for bit as `gguf-py` does.
///
/// # Errors
/// When `out.len()` is not a whole number of blocks or `bytes` does not hold exactly that many.
///
/// ```
/// use scaffold_kernels::{BlockType, dequantize};
/// let mut out = [0.0; 2];
/// dequantize(BlockType::F16, &[0x00, 0x3c, 0x00, 0xc0], &mut out)?;
/// assert_eq!(out, [1.0, -2.0]);
/// # Ok::<(), scaffold_kernels::Error>(())
/// ```
pub fn dequantize(ty: BlockType, bytes: &[u8], out: &mut [f32]) -> Result<(), Error> {
    check_bytes(ty, out.len(), bytes.len())?;
    match ty {
        BlockType::F32 => {
            for (out, b) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *out = f32::from_le_bytes(*b);
            }
        }
        BlockType::F16 => {
            for (out, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *out = f16::from_le_bytes(*b).to_f32();
            }
        }
        BlockType::BF16 => {
            for (out, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *out = bf16::from_le_bytes(*b).to_f32();
            }
        }
        _ => {
            let scheme = Scheme::of(ty).expect("every other type is quantized");
            let mut block = Block::new();
            for (out, b) in out.chunks_mut(ty.values()).zip(bytes.chunks_exact(ty.bytes())) {
                block.read(ty, b);
                block.values(scheme, out);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
