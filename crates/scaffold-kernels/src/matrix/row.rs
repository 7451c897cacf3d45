//! One row out of a panel.

use half::{bf16, f16};

use super::layout::{BLOCK, PANEL, plane_lines, super_units};
use crate::{
    block_type::BlockType,
    blocks::{Scales, Scheme},
};

/// Writes row `lane` of a panel as f32.
pub(super) fn read(ty: BlockType, panel: &[[u8; 64]], lane: usize, out: &mut [f32]) {
    if let Some(scheme) = Scheme::of(ty) {
        return quantized(scheme, panel, lane, out);
    }
    if ty == BlockType::F32 {
        let values: &[[f32; PANEL]] = bytemuck::cast_slice(panel);
        for (out, column) in out.iter_mut().zip(values) {
            *out = column[lane];
        }
        return;
    }
    let values: &[[u16; PANEL]] = bytemuck::cast_slice(panel);
    for (out, column) in out.iter_mut().zip(values) {
        *out = match ty {
            BlockType::F16 => f16::from_bits(column[lane]).to_f32(),
            _ => bf16::from_bits(column[lane]).to_f32(),
        };
    }
}

fn quantized(scheme: Scheme, panel: &[[u8; 64]], lane: usize, out: &mut [f32]) {
    let (plane, scales) = panel.split_at(plane_lines(scheme, out.len()));
    let scales: &[u8] = scales.as_flattened();
    let lines = scheme.low + scheme.high;
    for (group, out) in out.chunks_mut(scheme.group).enumerate() {
        let (scale, min) = scale_min(scheme, scales, lane, group);
        for (i, out) in out.iter_mut().enumerate() {
            let k = group * scheme.group + i;
            let block = &plane[k / BLOCK * lines..][..lines];
            *out = scheme.value(code(scheme, block, lane, k % BLOCK), scale, min);
        }
    }
}

fn code(scheme: Scheme, block: &[[u8; 64]], lane: usize, k: usize) -> u8 {
    let (quad, byte) = (k / 4, lane * 4 + k % 4);
    let per_line = 8 / scheme.low;
    let low = block[quad / per_line][byte] >> (scheme.low * (quad % per_line));
    let low = low & (0xffu32 >> (8 - scheme.low)) as u8;
    match scheme.high {
        0 => low,
        1 => low | (((block[scheme.low][byte] >> quad) & 1) << scheme.low),
        _ => {
            let high = (block[scheme.low + quad / 4][byte] >> (2 * (quad % 4))) & 3;
            low | (high << scheme.low)
        }
    }
}

fn scale_min(scheme: Scheme, scales: &[u8], lane: usize, group: usize) -> (f32, f32) {
    let half = |unit: usize| {
        let at = unit * 32 + lane * 2;
        u16::from_ne_bytes([scales[at], scales[at + 1]])
    };
    match scheme.scales {
        Scales::Half => scheme.scale_min(half(group), 0, 0, 0),
        Scales::HalfMin => scheme.scale_min(half(2 * group), half(2 * group + 1), 0, 0),
        Scales::SuperSigned | Scales::SuperMin => {
            let groups = 256 / scheme.group;
            let start = group / groups * super_units(scheme);
            if scheme.has_min() {
                let at = (start + 2 + group % groups) * 32 + lane;
                scheme.scale_min(half(start), half(start + 1), scales[at], scales[at + 16])
            } else {
                let at = (start + 1) * 32 + group % groups * 16 + lane;
                scheme.scale_min(half(start), 0, scales[at], 0)
            }
        }
    }
}
