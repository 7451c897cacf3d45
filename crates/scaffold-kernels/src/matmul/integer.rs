//! Integer weights times 8-bit activations.

use super::Task;
use crate::{
    activations::{BIAS, BIAS_BITS, Tile},
    matrix::{
        layout::{Format, PerFormat, ScaleView, plane_lines, quads, scale_min, with_format},
        zero_index,
    },
    simd::{Kernel, Simd},
};

pub(super) struct Multiply<'a>(pub(super) Task<'a>);

impl Kernel for Multiply<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        with_format(self.0.section.ty, Formatted { s, task: self.0 });
    }
}

struct Formatted<'a, S> {
    s: S,
    task: Task<'a>,
}

impl<S: Simd> PerFormat for Formatted<'_, S> {
    type Out = ();

    #[inline(always)]
    fn run<F: Format>(self) {
        let Self { s, task } = self;
        for panel in task.panels.clone() {
            let lines = task.weight.panel_lines(task.section, panel);
            let (plane, scales) = lines.split_at(plane_lines(F::SCHEME, task.weight.cols()));
            let scales = ScaleView::new(scales);
            for index in task.tiles.clone() {
                let tile = task.x.tile(index);
                match tile.width {
                    1 => direct::<S, F, 1>(s, &task, panel, plane, scales, tile),
                    2 => direct::<S, F, 2>(s, &task, panel, plane, scales, tile),
                    // Only wide register files load tiles of more than two rows.
                    _ if S::REGISTERS < 32 => unreachable!("tiles of two rows"),
                    3 => direct::<S, F, 3>(s, &task, panel, plane, scales, tile),
                    4 => direct::<S, F, 4>(s, &task, panel, plane, scales, tile),
                    5 => direct::<S, F, 5>(s, &task, panel, plane, scales, tile),
                    _ => direct::<S, F, 6>(s, &task, panel, plane, scales, tile),
                }
            }
        }
    }
}

/// How far ahead of their use codes are asked for, in bytes: past the end of a page, where the
/// hardware's own prefetching stops.
const AHEAD: usize = 4096;

/// One panel times one tile of `T` rows, codes unpacked in registers.
#[inline(always)]
fn direct<S: Simd, F: Format, const T: usize>(
    s: S,
    task: &Task<'_>,
    panel: usize,
    plane: &[[u8; 64]],
    scale_view: ScaleView<'_>,
    tile: Tile<'_>,
) {
    let groups = F::GROUPS;
    let codes = tile.codes.as_chunks::<T>().0;
    let scales = tile.scales.as_chunks::<T>().0;
    let has_min = F::SCHEME.has_min();
    let sums = if groups == 1 {
        tile.sums
    } else {
        tile.half_sums
    }
    .as_chunks::<T>()
    .0;
    let starts = if has_min {
        &[]
    } else {
        tile.starts[zero_index_of::<F>()].as_chunks::<T>().0
    };

    let mut total = [s.splat(0.0); T];
    for (block, lines) in plane.chunks_exact(F::LINES).enumerate() {
        for line in lines {
            s.prefetch(line.as_ptr().wrapping_add(AHEAD));
        }
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
    for (t, total) in total.into_iter().enumerate() {
        let mut values = [0.0; 16];
        s.store(total, &mut values);
        task.write(panel, tile.row + t, &values);
    }
}

/// The index of the format's zero point; 0 for formats with minima, which have none.
const fn zero_index_of<F: Format>() -> usize {
    if F::SCHEME.has_min() {
        0
    } else {
        zero_index(F::SCHEME)
    }
}
