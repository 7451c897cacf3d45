//! Codes as plain bytes and scales as floats: the form in which many rows share them.

use super::super::Task;
use super::zero_index_of;
use std::marker::PhantomData;

use crate::{
    Cpu,
    activations::BIAS,
    matrix::layout::{
        BLOCK, Format, PerFormat, ScaleView, plane_lines, quads, scale_min, with_format,
    },
    simd::{Kernel, Simd},
};

/// Most columns that are unpacked at a time: with two panels they stay in the first-level cache.
const COLUMNS: usize = 640;
/// Blocks that are unpacked at a time, of a row of `blocks`: nearly the same number each time.
pub(super) const fn blocks_each(blocks: usize) -> usize {
    blocks.div_ceil(blocks.div_ceil(COLUMNS / BLOCK))
}

/// Panels that are unpacked together.
pub(super) const PANELS: usize = 2;

/// A group's scale, what takes the bias away, and its minimum, for 16 rows.
pub(super) type Scale = [[f32; 16]; 3];

/// Working memory for one run of columns of [`PANELS`] panels.
pub(super) struct Unpacked<'a> {
    /// For each block and panel its eight quads.
    pub(super) quads: &'a mut [[[[u8; 64]; 8]; PANELS]],
    /// For each group and panel.
    pub(super) scales: &'a mut [[Scale; PANELS]],
}

/// Floats that [`Unpacked`] takes.
pub(super) const UNPACKED_LEN: usize =
    COLUMNS / BLOCK * PANELS * 8 * 16 + COLUMNS / 16 * PANELS * 3 * 16;

impl<'a> Unpacked<'a> {
    pub(super) fn new(memory: &'a mut [f32]) -> Self {
        let (quads, scales) = memory.split_at_mut(COLUMNS / BLOCK * PANELS * 8 * 16);
        Self {
            quads: bytemuck::cast_slice_mut(quads),
            scales: bytemuck::cast_slice_mut(scales),
        }
    }

    /// Unpacks `blocks` blocks from `first_block` of the panels; a missing second panel is filled
    /// with the first.
    pub(super) fn fill(
        &mut self,
        task: &Task<'_>,
        panel: usize,
        first_block: usize,
        blocks: usize,
    ) {
        for p in 0..PANELS {
            let panel = (panel + p).min(task.panels.end - 1);
            let lines = task.weight.panel_lines(task.section, panel);
            let (cpu, cols) = (task.cpu, task.weight.cols());
            let fill = Fill {
                lines,
                cols,
                first_block,
                blocks,
                p,
                to: self,
            };
            with_format(task.section.ty, FillFormat { cpu, fill });
        }
    }
}

/// The lines that the next [`Unpacked::fill`] will read: asked for a few at a time while the
/// current columns are worked on.
pub(super) struct Ahead<'a> {
    lines: [&'a [[u8; 64]]; PANELS],
    each: usize,
    turn: usize,
}

impl<'a> Ahead<'a> {
    /// The columns after the blocks before `next` of these panels, or if those were the last, the
    /// first columns of the next panels.
    pub(super) fn new(
        task: &'a Task<'_>,
        block_lines: usize,
        panel: usize,
        next: usize,
        blocks: usize,
    ) -> Self {
        let (panel, first) = if next == blocks {
            (panel + PANELS, 0)
        } else {
            (panel, next)
        };
        let count = blocks_each(blocks).min(blocks - first) * block_lines;
        let mut lines: [&[[u8; 64]]; PANELS] = [&[]; PANELS];
        for (p, lines) in lines.iter_mut().enumerate() {
            if panel + p < task.panels.end {
                let panel = task.weight.panel_lines(task.section, panel + p);
                *lines = &panel[first * block_lines..][..count];
            }
        }
        Self {
            lines,
            each: count.div_ceil(task.tiles.len().max(1)),
            turn: 0,
        }
    }

    /// The lines to ask for now.
    pub(super) fn turn(&mut self) -> [&'a [[u8; 64]]; PANELS] {
        let start = self.turn * self.each;
        self.turn += 1;
        self.lines
            .map(|lines| &lines[start.min(lines.len())..(start + self.each).min(lines.len())])
    }
}

struct Fill<'a, 'm> {
    lines: &'a [[u8; 64]],
    cols: usize,
    first_block: usize,
    blocks: usize,
    p: usize,
    to: &'a mut Unpacked<'m>,
}

struct FillFormat<'a, 'm> {
    cpu: Cpu,
    fill: Fill<'a, 'm>,
}

impl PerFormat for FillFormat<'_, '_> {
    type Out = ();

    fn run<F: Format>(self) {
        self.cpu.run(FillKernel::<F>(self.fill, PhantomData));
    }
}

struct FillKernel<'a, 'm, F>(Fill<'a, 'm>, PhantomData<F>);

impl<F: Format> Kernel for FillKernel<'_, '_, F> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Fill {
            lines,
            cols,
            first_block,
            blocks,
            p,
            to,
        } = self.0;
        let (plane, scales) = lines.split_at(plane_lines(F::SCHEME, cols));
        let scales = ScaleView::new(scales);
        let plane = &plane[first_block * F::LINES..(first_block + blocks) * F::LINES];
        for (block, lines) in plane.chunks_exact(F::LINES).enumerate() {
            let quads = quads::<S, F>(s, lines);
            let quads_to = &mut to.quads[block][p];
            for g in 0..8 {
                s.store_bytes(quads[g], &mut quads_to[g]);
            }
            for half in 0..F::GROUPS {
                let group = block * F::GROUPS + half;
                let (scale, min) = scale_min::<S, F>(s, scales, first_block * F::GROUPS + group);
                let to = &mut to.scales[group][p];
                s.store(scale, &mut to[0]);
                s.store(s.mul(scale, s.splat(-BIAS)), &mut to[1]);
                s.store(min, &mut to[2]);
            }
        }
    }
}

/// What of a format the shared kernels have to know.
#[derive(Clone, Copy)]
pub(super) struct Traits {
    pub(super) has_min: bool,
    /// Groups in a block.
    pub(super) groups: usize,
    pub(super) wide: bool,
    pub(super) zero_index: usize,
    /// Lines of a block.
    pub(super) lines: usize,
}

/// Looks up the [`Traits`] of a format.
pub(super) struct TraitsOf;

impl PerFormat for TraitsOf {
    type Out = Traits;

    fn run<F: Format>(self) -> Traits {
        Traits {
            has_min: F::SCHEME.has_min(),
            groups: F::GROUPS,
            wide: F::WIDE,
            zero_index: zero_index_of::<F>(),
            lines: F::LINES,
        }
    }
}
