//! Few rows: codes are unpacked in registers, so that each byte of the weight is touched once.

use std::marker::PhantomData;

use super::{super::Task, zero_index_of};
use crate::{
    activations::{BIAS, BIAS_BITS, Tile},
    matrix::layout::{Format, ScaleView, quads, scale_min},
    simd::{Kernel, Simd},
};

/// How far ahead of their use codes are asked for, in bytes: past the end of a page, where the
/// hardware's own prefetching stops. Scales are asked for a panel ahead: they lie behind its codes.
const AHEAD: usize = 4096;

/// Every panel of the task times every tile: a panel stays in the first-level cache until all tiles
/// have met it.
pub(super) fn run<F: Format>(task: &Task<'_>) {
    for panel in task.panels.clone() {
        for index in task.tiles.clone() {
            let tile = task.x.tile(index);
            match tile.width {
                1 => Multiply::<F, 1>::run(task, panel, &tile),
                2 => Multiply::<F, 2>::run(task, panel, &tile),
                3 => Multiply::<F, 3>::run(task, panel, &tile),
                4 => Multiply::<F, 4>::run(task, panel, &tile),
                5 => Multiply::<F, 5>::run(task, panel, &tile),
                6 => Multiply::<F, 6>::run(task, panel, &tile),
                _ => unreachable!("wider tiles are for matrix registers"),
            }
        }
    }
}

/// One panel times one tile of `T` rows.
struct Multiply<'a, F, const T: usize> {
    /// The panel.
    lines: &'a [[u8; 64]],
    tile: &'a Tile<'a>,
    out: &'a mut [[f32; 16]; T],
    format: PhantomData<F>,
}

impl<F: Format, const T: usize> Multiply<'_, F, T> {
    fn run(task: &Task<'_>, panel: usize, tile: &Tile<'_>) {
        let mut sums = [[0.0; 16]; T];
        task.cpu.run(Multiply::<F, T> {
            lines: task.weight.panel_lines(task.section, panel),
            tile,
            out: &mut sums,
            format: PhantomData,
        });
        for (t, sums) in sums.iter().enumerate() {
            task.write(panel, tile.row + t, sums);
        }
    }
}

impl<F: Format, const T: usize> Kernel for Multiply<'_, F, T> {
    type Out = ();
    const DOTS: bool = true;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if S::REGISTERS < 32 && T > 2 {
            unreachable!("only wide register files load tiles of more than two rows");
        }
        let total = sums::<S, F, T>(s, self.lines, self.tile);
        for (total, out) in total.into_iter().zip(self.out) {
            s.store(total, out);
        }
    }
}

#[inline(always)]
fn sums<S: Simd, F: Format, const T: usize>(
    s: S,
    lines: &[[u8; 64]],
    tile: &Tile<'_>,
) -> [S::F; T] {
    let blocks = tile.codes().len() / T;
    let (plane, scale_lines) = lines.split_at(blocks * F::LINES);
    let scale_view = ScaleView::new(scale_lines);
    let next_scales = scale_lines
        .as_ptr_range()
        .end
        .cast::<u8>()
        .wrapping_add(plane.len() * 64);
    let scale_step = scale_lines.len() * 64 / blocks;
    let groups = F::GROUPS;
    let codes = tile.codes().as_chunks::<T>().0;
    let scales = tile.scales().as_chunks::<T>().0;
    let has_min = F::SCHEME.has_min();
    let sums = tile.sums(groups).as_chunks::<T>().0;
    let starts = if has_min {
        &[]
    } else {
        tile.starts(zero_index_of::<F>()).as_chunks::<T>().0
    };

    let mut total = [s.splat(0.0); T];
    for (block, lines) in plane.chunks_exact(F::LINES).enumerate() {
        for line in lines {
            s.prefetch(line.as_ptr().wrapping_add(AHEAD));
        }
        s.prefetch(next_scales.wrapping_add(block * scale_step));
        let quads = quads::<S, F>(s, lines);
        let (codes, scales) = (&codes[block], &scales[block]);
        for half in 0..groups {
            let group = block * groups + half;
            let (scale, min) = scale_min::<S, F>(s, scale_view, group);
            let unbias = s.mul(scale, s.splat(-BIAS));
            for t in 0..T {
                let mut dot = s.splat_i32(if has_min { BIAS_BITS } else { starts[group][t] });
                for g in half * 8 / groups..(half + 1) * 8 / groups {
                    dot = s.dot(F::WIDE, dot, quads[g], s.splat_i32(codes[t][g]));
                }
                let product = s.mul_add(s.bits_to_f32(dot), scale, unbias);
                total[t] = s.mul_add(product, s.splat(scales[t]), total[t]);
                if has_min {
                    total[t] = s.mul_add(min, s.splat(sums[group][t]), total[t]);
                }
            }
        }
    }
    total
}
