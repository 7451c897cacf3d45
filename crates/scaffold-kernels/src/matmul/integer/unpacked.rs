//! Codes as plain bytes and scales as floats: the form in which many rows share them.

use super::super::Task;
use super::zero_index_of;
use std::{marker::PhantomData, ops::Range};

use crate::{
    activations::BIAS,
    cpu::Cpu,
    matrix::layout::{
        BLOCK, Format, PerFormat, ScaleView, plane_lines, quads, scale_min, with_format,
    },
    simd::{Kernel, Simd},
};

/// A group's scale, what takes the bias away, and its minimum, for 16 rows.
pub(super) type Scale = [[f32; 16]; 3];

/// Blocks that are unpacked at a time, of a row of `blocks`: nearly the same number each time, and
/// at most `most`.
pub(super) const fn blocks_each(blocks: usize, most: usize) -> usize {
    blocks.div_ceil(blocks.div_ceil(most))
}

/// Some columns of one panel.
pub(super) struct Unpacked<'a> {
    /// For each block its eight quads.
    pub(super) quads: &'a mut [[[u8; 64]; 8]],
    /// For each group.
    pub(super) scales: &'a mut [Scale],
}

impl<'a> Unpacked<'a> {
    /// Floats that one with room for `blocks` blocks takes.
    pub(super) const fn len(blocks: usize) -> usize {
        blocks * (8 * 16 + BLOCK / 16 * 3 * 16)
    }

    /// Lays one out in `memory`, [`Unpacked::len`] floats.
    pub(super) fn new(memory: &'a mut [f32], blocks: usize) -> Self {
        let (quads, scales) = memory.split_at_mut(blocks * 8 * 16);
        Self { quads: bytemuck::cast_slice_mut(quads), scales: bytemuck::cast_slice_mut(scales) }
    }

    /// Unpacks some blocks of a panel. If `signed`, the zero point is
    /// taken off the codes.
    pub(super) fn fill(
        &mut self,
        task: &Task<'_>,
        panel: usize,
        blocks: Range<usize>,
        signed: bool,
    ) {
        let (cpu, cols) = (task.cpu, task.weight.cols());
        let fill = Fill {
            lines: task.weight.panel_lines(task.section, panel),
            cols,
            blocks,
            signed,
            to: self,
        };
        with_format(task.section.ty, FillFormat { cpu, fill });
    }
}

struct Fill<'a, 'm> {
    lines: &'a [[u8; 64]],
    cols: usize,
    blocks: Range<usize>,
    signed: bool,
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
        let Fill { lines, cols, blocks, signed, to } = self.0;
        let zero = if signed { F::SCHEME.zero as u8 } else { 0 };
        let (plane, scales) = lines.split_at(plane_lines(F::SCHEME, cols));
        let scales = ScaleView::new(scales);
        let plane = &plane[blocks.start * F::LINES..blocks.end * F::LINES];
        for (block, lines) in plane.chunks_exact(F::LINES).enumerate() {
            let quads = quads::<S, F>(s, lines);
            let quads_to = &mut to.quads[block];
            for (quad, to) in quads.into_iter().zip(quads_to) {
                s.store_bytes(s.sub_bytes(quad, zero), to);
            }
            for half in 0..F::GROUPS {
                let group = block * F::GROUPS + half;
                let (scale, min) = scale_min::<S, F>(s, scales, blocks.start * F::GROUPS + group);
                let to = &mut to.scales[group];
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
