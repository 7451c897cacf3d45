//! The types with blocks of 32: an f16 scale, sometimes an f16 minimum, and the codes.
//! In a row of 16 bytes the low nibbles are values 0..16 and the high nibbles values 16..32.

use super::{Block, u16_at};

fn nibbles(block: &mut Block, bytes: &[u8]) {
    for (j, &b) in bytes.iter().enumerate() {
        block.codes[j] = b & 15;
        block.codes[j + 16] = b >> 4;
    }
}

fn fifth_bits(block: &mut Block, bytes: &[u8]) {
    for j in 0..32 {
        block.codes[j] |= ((bytes[j / 8] >> (j % 8)) & 1) << 4;
    }
}

pub(super) fn read_nibbles(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    nibbles(block, &bytes[2..18]);
}

pub(super) fn read_q4_1(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    block.m = u16_at(bytes, 2);
    nibbles(block, &bytes[4..20]);
}

pub(super) fn read_q5_0(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    nibbles(block, &bytes[6..22]);
    fifth_bits(block, &bytes[2..6]);
}

pub(super) fn read_q5_1(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    block.m = u16_at(bytes, 2);
    nibbles(block, &bytes[8..24]);
    fifth_bits(block, &bytes[4..8]);
}

pub(super) fn read_q8_0(block: &mut Block, bytes: &[u8]) {
    block.d = u16_at(bytes, 0);
    for (code, &b) in block.codes.iter_mut().zip(&bytes[2..34]) {
        *code = b ^ 0x80;
    }
}
