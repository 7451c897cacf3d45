//! Few rows: codes are unpacked in registers, so that each byte of the weight is touched once.

use std::marker::PhantomData;

use super::{super::Task, zero_index_of};
use crate::{
    activations::{BIAS, BIAS_BITS, Tile},
    matrix::layout::{Format, ScaleView, quads, scale_min},
    simd::{Kernel, Simd},
};

/// How far ahead of their use codes are asked for, in bytes: past the end of a page, where the
/// hardware's own prefetching stops. Scales are asked for a panel ahead: they lie after its codes.
const AHEAD: usize = 4096;

/// Panels that are read side by side: memory gives more to two streams than to one.
const SIDE_BY_SIDE: usize = 2;

/// Every panel of the task times every tile: panels stay in the first-level cache until all tiles
/// have met them.
pub(super) fn run<F: Format>(task: &Task<'_>) {
    let mut panel = task.panels.start;
    while panel < task.panels.end {
        let together = task.panels.end - panel >= SIDE_BY_SIDE;
        for index in task.tiles.clone() {
            let tile = task.x.tile(index);
            for_width!(tile.width, "rows", T => if together {
                Multiply::<F, T, SIDE_BY_SIDE>::run(task, panel, &tile);
            } else {
                Multiply::<F, T, 1>::run(task, panel, &tile);
            });
        }
        panel += if together { SIDE_BY_SIDE } else { 1 };
    }
}

/// `R` panels times one tile of `T` rows.
struct Multiply<'a, F, const T: usize, const R: usize> {
    /// The panels.
    lines: [&'a [[u8; 64]]; R],
    tile: &'a Tile<'a>,
    out: &'a mut [[[f32; 16]; T]; R],
    format: PhantomData<F>,
}

impl<F: Format, const T: usize, const R: usize> Multiply<'_, F, T, R> {
    fn run(task: &Task<'_>, panel: usize, tile: &Tile<'_>) {
        let mut sums = [[[0.0; 16]; T]; R];
        task.cpu.run(Multiply::<F, T, R> {
            lines: std::array::from_fn(|r| task.weight.panel_lines(task.section, panel + r)),
            tile,
            out: &mut sums,
            format: PhantomData,
        });
        for (r, sums) in sums.iter().enumerate() {
            for (t, sums) in sums.iter().enumerate() {
                task.write(panel + r, tile.row + t, sums);
            }
        }
    }
}

impl<F: Format, const T: usize, const R: usize> Kernel for Multiply<'_, F, T, R> {
    type Out = ();
    const DOTS: bool = true;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if S::REGISTERS < 32 && T > 2 {
            unreachable!("only wide register files load tiles of more than two rows");
        }
        let total = sums::<S, F, T, R>(s, self.lines, self.tile);
        for (total, out) in total.into_iter().zip(self.out) {
            for (total, out) in total.into_iter().zip(out) {
                s.store(total, out);
            }
        }
    }
}

#[inline(always)]
fn sums<S: Simd, F: Format, const T: usize, const R: usize>(
    s: S,
    panels: [&[[u8; 64]]; R],
    tile: &Tile<'_>,
) -> [[S::F; T]; R] {
    let blocks = tile.codes().len() / T;
    let panels = panels.map(|lines| lines.split_at(blocks * F::LINES));
    let scale_views = panels.map(|(_, scales)| ScaleView::new(scales));
    // The panels that follow these.
    let next_scales = panels.map(|(plane, scales)| {
        let panel = (plane.len() + scales.len()) * 64;
        scales.as_ptr().cast::<u8>().wrapping_add(R * panel)
    });
    let scale_step = panels[0].1.len() * 64 / blocks;
    let groups = F::GROUPS;
    let codes = tile.codes().as_chunks::<T>().0;
    let scales = tile.scales().as_chunks::<T>().0;
    let has_min = F::SCHEME.has_min();
    let sums = tile.sums(groups).as_chunks::<T>().0;
    let starts = if has_min { &[] } else { tile.starts(zero_index_of::<F>()).as_chunks::<T>().0 };

    let mut total = [[s.splat(0.0); T]; R];
    for block in 0..blocks {
        let (codes, scales) = (&codes[block], &scales[block]);
        for r in 0..R {
            let lines = &panels[r].0[block * F::LINES..(block + 1) * F::LINES];
            for line in lines {
                s.prefetch(line.as_ptr().wrapping_add(AHEAD));
            }
            s.prefetch(next_scales[r].wrapping_add(block * scale_step));
            let quads = quads::<S, F>(s, lines);
            for half in 0..groups {
                let group = block * groups + half;
                let (scale, min) = scale_min::<S, F>(s, scale_views[r], group);
                let unbias = s.mul(scale, s.splat(-BIAS));
                for t in 0..T {
                    let mut dot = s.splat_i32(if has_min { BIAS_BITS } else { starts[group][t] });
                    for g in half * 8 / groups..(half + 1) * 8 / groups {
                        dot = s.dot(F::WIDE, dot, quads[g], s.splat_i32(codes[t][g]));
                    }
                    let product = s.mul_add(s.bits_to_f32(dot), scale, unbias);
                    total[r][t] = s.mul_add(product, s.splat(scales[t]), total[r][t]);
                    if has_min {
                        total[r][t] = s.mul_add(min, s.splat(sums[group][t]), total[r][t]);
                    }
                }
            }
        }
    }
    total
}
