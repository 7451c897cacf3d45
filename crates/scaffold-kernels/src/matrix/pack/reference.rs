//! Packing as the layout describes it, value by value: what the fast code is held against.

use crate::{
    block_type::BlockType,
    blocks::{Block, Scales, Scheme, dequantize},
    matrix::{
        MatrixSource,
        layout::{BLOCK, PANEL, panel_lines, plane_lines, super_units},
    },
};

/// One part packed as `ty`.
pub(super) fn pack(ty: BlockType, part: &MatrixSource<'_>) -> Vec<u8> {
    let row_bytes = part.ty.row_bytes(part.cols).unwrap();
    let panel_bytes = panel_lines(ty, part.cols) * 64;
    let mut packed = vec![0; part.rows.div_ceil(PANEL) * panel_bytes];
    for (row, bytes) in part.bytes.chunks_exact(row_bytes).enumerate() {
        let panel = &mut packed[row / PANEL * panel_bytes..][..panel_bytes];
        match Scheme::of(ty) {
            Some(scheme) => quantized_row(ty, scheme, bytes, part.cols, row % PANEL, panel),
            None => float_row(ty, part, bytes, row % PANEL, panel),
        }
    }
    packed
}

fn float_row(ty: BlockType, part: &MatrixSource<'_>, row: &[u8], lane: usize, panel: &mut [u8]) {
    let size = ty.bytes();
    if ty == part.ty {
        for (value, column) in row.chunks_exact(size).zip(panel.chunks_exact_mut(PANEL * size)) {
            column[lane * size..(lane + 1) * size].copy_from_slice(value);
        }
        return;
    }
    let mut values = vec![0.0; part.cols];
    dequantize(part.ty, row, &mut values).expect("the part's bytes were checked");
    for (value, column) in values.iter().zip(panel.chunks_exact_mut(PANEL * 4)) {
        column[lane * 4..lane * 4 + 4].copy_from_slice(&value.to_ne_bytes());
    }
}

fn quantized_row(
    ty: BlockType,
    scheme: Scheme,
    row: &[u8],
    cols: usize,
    lane: usize,
    panel: &mut [u8],
) {
    let (plane, scales) = panel.split_at_mut(plane_lines(scheme, cols) * 64);
    let block_bytes = (scheme.low + scheme.high) * 64;
    let mut block = Block::new();
    for (index, bytes) in row.chunks_exact(ty.bytes()).enumerate() {
        block.read(ty, bytes);
        let first = index * ty.values() / BLOCK;
        for (b, codes) in block.codes[..ty.values()].chunks_exact(BLOCK).enumerate() {
            let at = (first + b) * block_bytes;
            place_codes(scheme, codes, lane, &mut plane[at..at + block_bytes]);
        }
        place_scales(scheme, &block, index, lane, scales);
    }
}

/// Puts 32 codes of one row into the lines of a block.
fn place_codes(scheme: Scheme, codes: &[u8], lane: usize, lines: &mut [u8]) {
    let low_mask = (0xffu32 >> (8 - scheme.low)) as u8;
    let per_line = 8 / scheme.low;
    for (k, &code) in codes.iter().enumerate() {
        let (quad, byte) = (k / 4, lane * 4 + k % 4);
        let low = (code & low_mask) << (scheme.low * (quad % per_line));
        lines[quad / per_line * 64 + byte] |= low;
        match scheme.high {
            0 => {}
            1 => lines[scheme.low * 64 + byte] |= (code >> scheme.low) << quad,
            _ => {
                let high = (code >> scheme.low) << (2 * (quad % 4));
                lines[(scheme.low + quad / 4) * 64 + byte] |= high;
            }
        }
    }
}

/// Puts the scales of the row's block number `index` into the panel's scales.
fn place_scales(scheme: Scheme, block: &Block, index: usize, lane: usize, scales: &mut [u8]) {
    let mut half = |unit: usize, bits: u16| {
        let at = unit * 32 + lane * 2;
        scales[at..at + 2].copy_from_slice(&bits.to_ne_bytes());
    };
    match scheme.scales {
        Scales::Half => half(index, block.d),
        Scales::HalfMin => {
            half(2 * index, block.d);
            half(2 * index + 1, block.m);
        }
        Scales::SuperSigned => {
            let start = index * super_units(scheme);
            half(start, block.d);
            for (group, &sub) in block.sub[..256 / scheme.group].iter().enumerate() {
                scales[(start + 1) * 32 + group * 16 + lane] = sub;
            }
        }
        Scales::SuperMin => {
            let start = index * super_units(scheme);
            half(start, block.d);
            half(start + 1, block.m);
            for group in 0..256 / scheme.group {
                let at = (start + 2 + group) * 32 + lane;
                scales[at] = block.sub[group];
                scales[at + 16] = block.sub_min[group];
            }
        }
    }
}
