//! The types with blocks of 256 and integer scales for every 16 or 32 values.

use super::{Block, u16_at};

/// Two-bit codes: 64 bytes; in each half of 32 bytes, bits 2s..2s+2 are values 32s..32s+32 of 128.
fn crumbs(block: &mut Block, bytes: &[u8]) {
    for (half, bytes) in bytes.chunks_exact(32).enumerate() {
        for shift in 0..4 {
            for (j, &b) in bytes.iter().enumerate() {
                block.codes[half * 128 + shift * 32 + j] = (b >> (2 * shift)) & 3;
            }
        }
    }
}

/// Four-bit codes: in each 32 bytes the low nibbles are 32 values, the high nibbles the next 32.
fn nibbles(block: &mut Block, bytes: &[u8]) {
    for (quarter, bytes) in bytes.chunks_exact(32).enumerate() {
        for (j, &b) in bytes.iter().enumerate() {
            block.codes[quarter * 64 + j] = b & 15;
            block.codes[quarter * 64 + 32 + j] = b >> 4;
        }
    }
}

/// Six-bit scales and minima of Q4_K and Q5_K: 8 of each in 12 bytes.
#[inline(always)]
pub(crate) fn six_bit_scales(b: &[u8; 12]) -> ([u8; 8], [u8; 8]) {
    let (mut scales, mut minima) = ([0; 8], [0; 8]);
    for j in 0..4 {
        scales[j] = b[j] & 63;
        minima[j] = b[j + 4] & 63;
        scales[j + 4] = (b[j + 8] & 15) | ((b[j] >> 6) << 4);
        minima[j + 4] = (b[j + 8] >> 4) | ((b[j + 4] >> 6) << 4);
    }
    (scales, minima)
}

/// The scales of Q3_K: 16 six-bit numbers, 32 too large, in 12 bytes.
#[inline(always)]
pub(crate) fn q3_scales(b: &[u8; 12]) -> [u8; 16] {
    std::array::from_fn(|j| {
        let low = if j < 8 { b[j] & 15 } else { b[j - 8] >> 4 };
        let top = (b[8 + j % 4] >> (2 * (j / 4))) & 3;
        (low | (top << 4)).wrapping_sub(32)
    })
}

/// The scales of IQ4_XS: 8 six-bit numbers, 32 too large, in 16 bits and 4 bytes.
#[inline(always)]
pub(crate) fn xs_scales(top: u16, low: &[u8; 4]) -> [u8; 8] {
    std::array::from_fn(|j| {
        let low = (low[j / 2] >> (4 * (j % 2))) & 15;
        let high = ((top >> (2 * j)) & 3) as u8;
        (low | (high << 4)).wrapping_sub(32)
    })
}

fn put_six_bit_scales(block: &mut Block, bytes: &[u8]) {
    let bytes = bytes.first_chunk().expect("12 bytes of scales");
    let (scales, minima) = six_bit_scales(bytes);
    block.sub[..8].copy_from_slice(&scales);
    block.sub_min[..8].copy_from_slice(&minima);
}

pub(super) fn read_q2(block: &mut Block, bytes: &[u8]) {
    for (j, &b) in bytes[..16].iter().enumerate() {
        block.sub[j] = b & 15;
        block.sub_min[j] = b >> 4;
    }
    crumbs(block, &bytes[16..80]);
    block.d = u16_at(bytes, 80);
    block.m = u16_at(bytes, 82);
}

pub(super) fn read_q3(block: &mut Block, bytes: &[u8]) {
    let (high, scales) = (&bytes[..32], &bytes[96..108]);
    crumbs(block, &bytes[32..96]);
    for (i, code) in block.codes.iter_mut().enumerate() {
        *code |= ((high[i % 32] >> (i / 32)) & 1) << 2;
    }
    block.sub = q3_scales(scales.first_chunk().expect("12 bytes of scales"));
    block.d = u16_at(bytes, 108);
}

pub(super) fn read_q4(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    block.m = u16_at(bytes, 2);
    put_six_bit_scales(block, &bytes[4..16]);
    nibbles(block, &bytes[16..144]);
}

pub(super) fn read_q5(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    block.m = u16_at(bytes, 2);
    put_six_bit_scales(block, &bytes[4..16]);
    nibbles(block, &bytes[48..176]);
    let high = &bytes[16..48];
    for (i, code) in block.codes.iter_mut().enumerate() {
        *code |= ((high[i % 32] >> (i / 32)) & 1) << 4;
    }
}

pub(super) fn read_q6(block: &mut Block, bytes: &[u8]) {
    for half in 0..2 {
        let (low, high) = (&bytes[half * 64..], &bytes[128 + half * 32..]);
        let codes = &mut block.codes[half * 128..half * 128 + 128];
        for j in 0..32 {
            codes[j] = (low[j] & 15) | ((high[j] & 3) << 4);
            codes[j + 32] = (low[j + 32] & 15) | (((high[j] >> 2) & 3) << 4);
            codes[j + 64] = (low[j] >> 4) | (((high[j] >> 4) & 3) << 4);
            codes[j + 96] = (low[j + 32] >> 4) | ((high[j] >> 6) << 4);
        }
    }
    block.sub.copy_from_slice(&bytes[192..208]);
    block.d = u16_at(bytes, 208);
}

pub(super) fn read_iq4_xs(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    let low = bytes[4..].first_chunk().expect("4 bytes of scales");
    block.sub[..8].copy_from_slice(&xs_scales(u16_at(bytes, 2), low));
    for (group, bytes) in bytes[8..136].chunks_exact(16).enumerate() {
        for (j, &b) in bytes.iter().enumerate() {
            block.codes[group * 32 + j] = b & 15;
            block.codes[group * 32 + 16 + j] = b >> 4;
        }
    }
}
