//! Writing values as blocks, with the rounding of ggml's reference code: for tools that write files
//! and for tests.

use half::{bf16, f16};

use scaffold_error::{Error, err};

use super::check_whole;
use crate::block_type::BlockType;

/// Writes values as blocks of `ty`, bit for bit as `gguf-py` does.
///
/// F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 can be written.
///
/// # Errors
/// When there is no encoder for `ty` or the values do not fill whole blocks.
///
/// ```
/// use scaffold_kernels::{BlockType, dequantize, quantize};
/// let values: Vec<f32> = (0..32).map(|i| i as f32 - 16.0).collect();
/// let bytes = quantize(BlockType::Q8_0, &values)?;
/// let mut back = vec![0.0; 32];
/// dequantize(BlockType::Q8_0, &bytes, &mut back)?;
/// assert!(values.iter().zip(&back).all(|(a, b)| (a - b).abs() < 0.1));
/// # Ok::<(), scaffold_kernels::Error>(())
/// ```
pub fn quantize(ty: BlockType, values: &[f32]) -> Result<Vec<u8>, Error> {
    check_whole(ty, values.len())?;
    let mut out = Vec::with_capacity(values.len() / ty.values() * ty.bytes());
    let encode: fn(&[f32; 32], &mut Vec<u8>) = match ty {
        BlockType::F32 => {
            out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            return Ok(out);
        }
        BlockType::F16 => {
            out.extend(values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()));
            return Ok(out);
        }
        BlockType::BF16 => {
            out.extend(values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()));
            return Ok(out);
        }
        BlockType::Q4_0 => |v, out| symmetric(v, 8, out),
        BlockType::Q4_1 => |v, out| with_minimum(v, 15, out),
        BlockType::Q5_0 => |v, out| symmetric(v, 16, out),
        BlockType::Q5_1 => |v, out| with_minimum(v, 31, out),
        BlockType::Q8_0 => signed_bytes,
        _ => {
            return Err(err!(
                Unsupported,
                "values cannot be written as {ty}; the types that can be written are F32, F16, BF16, Q4_0, Q4_1, Q5_0, \
                 Q5_1 and Q8_0"
            ));
        }
    };
    for block in values.as_chunks::<32>().0 {
        encode(block, &mut out);
    }
    Ok(out)
}

fn inverse(d: f32) -> f32 {
    if d == 0.0 { 0.0 } else { 1.0 / d }
}

fn push_half(value: f32, out: &mut Vec<u8>) {
    out.extend(f16::from_f32(value).to_le_bytes());
}

/// Codes of 4 bits (or 5 with the top bits in front), low nibbles first.
fn push_codes(codes: &[u8; 32], five: bool, out: &mut Vec<u8>) {
    if five {
        let top = codes.iter().rev().fold(0u32, |bits, &c| (bits << 1) | u32::from(c >> 4));
        out.extend(top.to_le_bytes());
    }
    out.extend((0..16).map(|j| (codes[j] & 15) | (codes[j + 16] << 4)));
}

/// Q4_0 and Q5_0: the value of the largest magnitude becomes the code 0.
fn symmetric(values: &[f32; 32], half_range: u8, out: &mut Vec<u8>) {
    let mut extreme = 0.0f32;
    for &v in values {
        if v.abs() > extreme.abs() {
            extreme = v;
        }
    }
    let d = extreme / -f32::from(half_range);
    let id = inverse(d);
    let offset = f32::from(half_range) + 0.5;
    let top = f32::from(2 * half_range - 1);
    let codes = values.map(|v| (v * id + offset).clamp(0.0, top) as u8);
    push_half(d, out);
    push_codes(&codes, half_range == 16, out);
}

/// Q4_1 and Q5_1: the smallest value becomes the code 0.
fn with_minimum(values: &[f32; 32], top: u8, out: &mut Vec<u8>) {
    let min = values.iter().copied().fold(f32::INFINITY, f32::min);
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let d = (max - min) / f32::from(top);
    let id = inverse(d);
    let codes = values.map(|v| ((v - min) * id + 0.5).clamp(0.0, f32::from(top)) as u8);
    push_half(d, out);
    push_half(min, out);
    push_codes(&codes, top == 31, out);
}

fn signed_bytes(values: &[f32; 32], out: &mut Vec<u8>) {
    let d = values.iter().fold(0.0f32, |m, v| m.max(v.abs())) / 127.0;
    let id = inverse(d);
    push_half(d, out);
    out.extend(values.iter().map(|v| ((v * id).round() as i8).cast_unsigned()));
}
