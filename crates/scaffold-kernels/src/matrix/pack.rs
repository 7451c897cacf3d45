//! From stored rows to panels.

use super::{
    MatrixSource,
    layout::{BLOCK, PANEL, plane_lines, super_units},
};
use crate::{
    BlockType, Exec,
    blocks::{Block, Scales, Scheme},
    dequantize,
    lines::Line,
    shared::SharedMut,
};

/// Packs one part as `ty` (its own type, or F32) into zeroed lines.
pub(super) fn pack(
    exec: &Exec,
    ty: BlockType,
    part: &MatrixSource<'_>,
    panel_lines: usize,
    target: &mut [Line],
) {
    let row_bytes = part.ty.row_bytes(part.cols).expect("columns were checked");
    let shared = SharedMut::new(target);
    exec.team.run(part.rows.div_ceil(PANEL), &|panel| {
        // SAFETY: every panel is packed once, into lines of its own.
        let lines = unsafe { shared.range(panel * panel_lines..(panel + 1) * panel_lines) };
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(lines);
        let rows = PANEL.min(part.rows - panel * PANEL);
        for lane in 0..rows {
            let start = (panel * PANEL + lane) * row_bytes;
            let row = &part.bytes[start..start + row_bytes];
            match Scheme::of(ty) {
                Some(scheme) => quantized_row(ty, scheme, row, part.cols, lane, bytes),
                None => float_row(ty, part, row, lane, bytes),
            }
        }
    });
}

fn float_row(ty: BlockType, part: &MatrixSource<'_>, row: &[u8], lane: usize, panel: &mut [u8]) {
    let size = ty.bytes();
    if ty == part.ty {
        for (value, column) in row
            .chunks_exact(size)
            .zip(panel.chunks_exact_mut(PANEL * size))
        {
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
