//! Quantized blocks, each type by its own word moves. What the bits mean is said in `blocks`.

use super::{
    Rows,
    words::{bit_words, bits_by_place, crumb_words, nibble_words, u16_at, u32_at, u64_at},
};
use crate::{
    block_type::BlockType,
    blocks::{Scheme, q3_scales, six_bit_scales, xs_scales},
    line::Line,
    matrix::layout::{PANEL, plane_lines},
};

/// A line of codes: one word a row.
type Words = [u32; PANEL];
/// A unit of scales: one f16 a row, or two bytes a row.
type Unit = [u16; PANEL];

/// Packs the rows of one panel.
pub(super) fn panel(ty: BlockType, rows: Rows<'_>, cols: usize, lines: &mut [Line]) {
    let Some(scheme) = Scheme::of(ty) else { unreachable!("plain floats have no scheme") };
    let (plane, scales) = lines.split_at_mut(plane_lines(scheme, cols));
    let to = Target {
        rows,
        plane: bytemuck::cast_slice_mut(plane),
        units: bytemuck::cast_slice_mut(scales),
    };
    match ty {
        BlockType::F32 | BlockType::F16 | BlockType::BF16 => {
            unreachable!("plain floats have no scheme")
        }
        BlockType::Q4_0 | BlockType::IQ4_NL => to.each::<18, 4, 1>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 0));
            legacy_nibbles(block.last_chunk().expect("16 of 18"), lane, lines);
        }),
        BlockType::Q4_1 => to.each::<20, 4, 2>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 0));
            half(units, 1, lane, u16_at(block, 2));
            legacy_nibbles(block.last_chunk().expect("16 of 20"), lane, lines);
        }),
        BlockType::Q5_0 => to.each::<22, 5, 1>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 0));
            legacy_nibbles(block.last_chunk().expect("16 of 22"), lane, lines);
            word(lines, 4, lane, bits_by_place(u32_at(block, 2)));
        }),
        BlockType::Q5_1 => to.each::<24, 5, 2>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 0));
            half(units, 1, lane, u16_at(block, 2));
            legacy_nibbles(block.last_chunk().expect("16 of 24"), lane, lines);
            word(lines, 4, lane, bits_by_place(u32_at(block, 4)));
        }),
        BlockType::Q8_0 => to.each::<34, 8, 1>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 0));
            for quad in 0..8 {
                let codes = u32_at(block, 2 + 4 * quad) ^ 0x8080_8080;
                word(lines, quad, lane, codes);
            }
        }),
        BlockType::Q2_K => to.each::<84, 16, 18>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 80));
            half(units, 1, lane, u16_at(block, 82));
            for group in 0..16 {
                let both = block[group];
                scale_min_bytes(units, group, lane, both & 15, both >> 4);
            }
            for side in 0..2 {
                let codes: &[u8; 32] = part(block, 16 + 32 * side);
                for (b, words) in crumb_words(codes).into_iter().enumerate() {
                    word(lines, 8 * side + 2 * b, lane, words[0]);
                    word(lines, 8 * side + 2 * b + 1, lane, words[1]);
                }
            }
        }),
        BlockType::Q3_K => to.each::<110, 24, 9>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 108));
            scale_bytes(units, lane, &q3_scales(part(block, 96)));
            for side in 0..2 {
                let codes: &[u8; 32] = part(block, 32 + 32 * side);
                for (b, words) in crumb_words(codes).into_iter().enumerate() {
                    word(lines, 12 * side + 3 * b, lane, words[0]);
                    word(lines, 12 * side + 3 * b + 1, lane, words[1]);
                }
            }
            for (b, high) in bit_words(part(block, 0)).into_iter().enumerate() {
                word(lines, 3 * b + 2, lane, high);
            }
        }),
        BlockType::Q4_K => to.each::<144, 32, 10>(|block, lane, lines, units| {
            super_scales(block, lane, units);
            quarters::<4>(part(block, 16), lane, lines);
        }),
        BlockType::Q5_K => to.each::<176, 40, 10>(|block, lane, lines, units| {
            super_scales(block, lane, units);
            quarters::<5>(part(block, 48), lane, lines);
            for (b, high) in bit_words(part(block, 16)).into_iter().enumerate() {
                word(lines, 5 * b + 4, lane, high);
            }
        }),
        BlockType::Q6_K => to.each::<210, 48, 9>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 208));
            scale_bytes::<16>(units, lane, part(block, 192));
            for side in 0..2 {
                let low: &[u8; 64] = part(block, 64 * side);
                for i in 0..8 {
                    // The first 32 bytes are blocks 0 and 2, the others blocks 1 and 3.
                    let [first, second] = nibble_words(u64_at(low, 8 * i));
                    let at = 24 * side + i / 4 * 6 + i % 4;
                    word(lines, at, lane, first);
                    word(lines, at + 12, lane, second);
                }
                let high = crumb_words(part(block, 128 + 32 * side));
                for (b, words) in high.into_iter().enumerate() {
                    word(lines, 24 * side + 6 * b + 4, lane, words[0]);
                    word(lines, 24 * side + 6 * b + 5, lane, words[1]);
                }
            }
        }),
        BlockType::IQ4_XS => to.each::<136, 32, 5>(|block, lane, lines, units| {
            half(units, 0, lane, u16_at(block, 0));
            let scales = xs_scales(u16_at(block, 2), part(block, 4));
            scale_bytes(units, lane, &scales);
            for (b, lines) in lines.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                legacy_nibbles(part(block, 8 + 16 * b), lane, lines);
            }
        }),
    }
}

/// Where the rows go.
struct Target<'a> {
    rows: Rows<'a>,
    plane: &'a mut [Words],
    units: &'a mut [Unit],
}

impl Target<'_> {
    /// Calls `place` for every block of `BYTES` bytes of every row, with the lines and units that
    /// the rows' blocks share.
    #[inline(always)]
    fn each<const BYTES: usize, const LINES: usize, const UNITS: usize>(
        self,
        place: impl Fn(&[u8; BYTES], usize, &mut [Words; LINES], &mut [Unit; UNITS]),
    ) {
        let count = self.rows.count();
        let rows: [&[[u8; BYTES]]; PANEL] = std::array::from_fn(|lane| {
            let row: &[u8] = if lane < count { self.rows.row(lane) } else { &[] };
            row.as_chunks().0
        });
        let lines = self.plane.as_chunks_mut::<LINES>().0.iter_mut();
        let units = self.units.as_chunks_mut::<UNITS>().0.iter_mut();
        for (index, (lines, units)) in lines.zip(units).enumerate() {
            for (lane, row) in rows.iter().enumerate() {
                if let Some(block) = row.get(index) {
                    place(block, lane, lines, units);
                }
            }
        }
    }
}

/// A part of a block; the offsets are those of the format.
#[inline(always)]
fn part<const N: usize, const M: usize>(block: &[u8; N], at: usize) -> &[u8; M] {
    block[at..].first_chunk().expect("the part lies in the block")
}

#[inline(always)]
fn word<const LINES: usize>(lines: &mut [Words; LINES], line: usize, lane: usize, codes: u32) {
    lines[line][lane] = codes.to_le();
}

#[inline(always)]
fn half<const UNITS: usize>(units: &mut [Unit; UNITS], unit: usize, lane: usize, bits: u16) {
    units[unit][lane] = bits;
}

/// Sixteen bytes whose low nibbles are the first 16 values and whose high nibbles are the others.
#[inline(always)]
fn legacy_nibbles<const LINES: usize>(bytes: &[u8; 16], lane: usize, lines: &mut [Words; LINES]) {
    for i in 0..2 {
        let [low, high] = nibble_words(u64_at(bytes, 8 * i));
        word(lines, i, lane, low);
        word(lines, 2 + i, lane, high);
    }
}

/// Four times 32 bytes whose low nibbles are one block and whose high nibbles the next, to blocks
/// of `STRIDE` lines.
#[inline(always)]
fn quarters<const STRIDE: usize>(bytes: &[u8; 128], lane: usize, lines: &mut [Words]) {
    for i in 0..16 {
        let [low, high] = nibble_words(u64_at(bytes, 8 * i));
        let at = i / 4 * 2 * STRIDE + i % 4;
        lines[at][lane] = low.to_le();
        lines[at + STRIDE][lane] = high.to_le();
    }
}

/// The scales and minima of Q4_K and Q5_K.
#[inline(always)]
fn super_scales<const N: usize>(block: &[u8; N], lane: usize, units: &mut [Unit; 10]) {
    half(units, 0, lane, u16_at(block, 0));
    half(units, 1, lane, u16_at(block, 2));
    let (scales, minima) = six_bit_scales(part(block, 4));
    for group in 0..8 {
        scale_min_bytes(units, group, lane, scales[group], minima[group]);
    }
}

/// The integer scale and minimum of a group.
#[inline(always)]
fn scale_min_bytes<const UNITS: usize>(
    units: &mut [Unit; UNITS],
    group: usize,
    lane: usize,
    scale: u8,
    min: u8,
) {
    let bytes: &mut [u8; 32] = bytemuck::cast_mut(&mut units[2 + group]);
    bytes[lane] = scale;
    bytes[16 + lane] = min;
}

/// The integer scales of all groups, after the f16.
#[inline(always)]
fn scale_bytes<const GROUPS: usize>(units: &mut [Unit], lane: usize, scales: &[u8; GROUPS]) {
    let bytes: &mut [[u8; PANEL]] = bytemuck::cast_slice_mut(&mut units[1..]);
    for (bytes, &scale) in bytes.iter_mut().zip(scales) {
        bytes[lane] = scale;
    }
}
