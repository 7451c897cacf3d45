//! Many rows: a few hundred columns of two panels are unpacked once, and all tiles of the task pass
//! over them while they are in the first-level cache. Sums wait in memory for the next columns.

use std::ops::Range;

use super::{
    super::Task,
    unpacked::{Traits, TraitsOf, Unpacked, blocks_each},
};
use crate::{
    activations::{BIAS_BITS, Tile},
    matrix::layout::{BLOCK, with_format},
    scratch::Scratch,
    simd::{Kernel, Simd},
};

/// Most blocks that are unpacked at a time: with two panels they stay in the first-level cache.
const BLOCKS: usize = 20;

/// Panels that are unpacked together.
const PANELS: usize = 2;

/// Sums of one activation row with the rows of the panels.
type Sums = [[f32; 16]; PANELS];

/// Every panel of the task times every tile.
pub(super) fn run(task: &Task<'_>) {
    let traits = with_format(task.section.ty, TraitsOf);
    let blocks = task.weight.cols() / BLOCK;
    let blocks_each = blocks_each(blocks, BLOCKS);
    let (first_row, rows) = task.rows();
    let unpacked_len = Unpacked::len(BLOCKS);
    let mut memory = Scratch::take(PANELS * unpacked_len + rows * PANELS * 16);
    let (unpacked, sums) = memory.split_at_mut(PANELS * unpacked_len);
    let (first_half, second_half) = unpacked.split_at_mut(unpacked_len);
    let mut unpacked = [first_half, second_half].map(|half| Unpacked::new(half, BLOCKS));
    let sums: &mut [Sums] = bytemuck::cast_slice_mut(sums);
    for panel in task.panels.clone().step_by(PANELS) {
        sums.fill([[0.0; 16]; PANELS]);
        for first in (0..blocks).step_by(blocks_each) {
            let part = first..blocks.min(first + blocks_each);
            for (p, unpacked) in unpacked.iter_mut().enumerate() {
                // A missing second panel is filled with the first.
                let panel = (panel + p).min(task.panels.end - 1);
                unpacked.fill(task, panel, part.clone(), false);
            }
            let is_last = part.end == blocks;
            let mut ahead = Ahead::new(task, traits.lines, panel, part.end, blocks);
            for index in task.tiles.clone() {
                let tile = task.x.tile(index);
                let sums = &mut sums[tile.row - first_row..][..tile.width];
                let output =
                    is_last.then(|| (task.output_address(panel, tile.row), task.weight.rows() * 4));
                let mut step = Step {
                    unpacked: &unpacked,
                    tile: &tile,
                    traits,
                    blocks: part.clone(),
                    sums,
                    ahead: ahead.turn(),
                    output,
                };
                step.dispatch(task);
            }
        }
        task.write_panels(panel, first_row, sums);
    }
}

/// The lines that the next [`Unpacked::fill`] will read: asked for a few at a time while the
/// current columns are worked on.
struct Ahead<'a> {
    lines: [&'a [[u8; 64]]; PANELS],
    each: usize,
    turn: usize,
}

impl<'a> Ahead<'a> {
    /// The columns after the blocks before `next` of these panels, or if those were the last, the
    /// first columns of the next panels.
    fn new(
        task: &'a Task<'_>,
        block_lines: usize,
        panel: usize,
        next: usize,
        blocks: usize,
    ) -> Self {
        let (panel, first) = if next == blocks { (panel + PANELS, 0) } else { (panel, next) };
        let count = blocks_each(blocks, BLOCKS).min(blocks - first) * block_lines;
        let mut lines: [&[[u8; 64]]; PANELS] = [&[]; PANELS];
        for (p, lines) in lines.iter_mut().enumerate() {
            if panel + p < task.panels.end {
                let panel = task.weight.panel_lines(task.section, panel + p);
                *lines = &panel[first * block_lines..][..count];
            }
        }
        Self { lines, each: count.div_ceil(task.tiles.len().max(1)), turn: 0 }
    }

    /// The lines to ask for now.
    fn turn(&mut self) -> [&'a [[u8; 64]]; PANELS] {
        let start = self.turn * self.each;
        self.turn += 1;
        self.lines.map(|lines| &lines[start.min(lines.len())..(start + self.each).min(lines.len())])
    }
}

/// One tile over the unpacked columns.
struct Step<'a, 'm> {
    unpacked: &'a [Unpacked<'m>; PANELS],
    tile: &'a Tile<'a>,
    traits: Traits,
    blocks: Range<usize>,
    sums: &'a mut [Sums],
    /// Lines of the weight that are needed next.
    ahead: [&'a [[u8; 64]]; PANELS],
    /// Where the tile's outputs will be written soon, and the bytes from one row to the next.
    output: Option<(*const u8, usize)>,
}

impl Step<'_, '_> {
    fn dispatch(&mut self, task: &Task<'_>) {
        match (self.traits.has_min, self.traits.groups) {
            (false, 1) => self.by_width::<false, 1>(task),
            (true, 1) => self.by_width::<true, 1>(task),
            (false, _) => self.by_width::<false, 2>(task),
            (true, _) => self.by_width::<true, 2>(task),
        }
    }

    fn by_width<const MIN: bool, const GROUPS: usize>(&mut self, task: &Task<'_>) {
        for_width!(self.tile.width, "rows", T => task.cpu.run(StepKernel::<T, MIN, GROUPS>(self)));
    }
}

/// A reference to a step, whose parameters are many, for a known width.
struct StepKernel<'s, 'a, 'm, const T: usize, const MIN: bool, const GROUPS: usize>(
    &'s mut Step<'a, 'm>,
);

impl<const T: usize, const MIN: bool, const GROUPS: usize> Kernel
    for StepKernel<'_, '_, '_, T, MIN, GROUPS>
{
    type Out = ();
    const DOTS: bool = true;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let step = self.0;
        for lines in step.ahead {
            for line in lines {
                s.prefetch_far(line.as_ptr());
            }
        }
        if let Some((start, stride)) = step.output {
            for t in 0..T {
                for p in 0..PANELS {
                    s.prefetch(start.wrapping_add(t * stride + p * 64));
                }
            }
        }
        let part = Part::new::<MIN, GROUPS>(step);
        let sums = step.sums.first_chunk_mut().expect("as wide as the tile");
        if S::REGISTERS >= 32 {
            multiply::<S, T, PANELS, MIN, GROUPS, false>(s, step.unpacked, &part, 0, sums);
        } else if T > 2 {
            unreachable!("only wide register files load tiles of more than two rows");
        } else {
            for p in 0..PANELS {
                if S::SLOW_WIDE && step.traits.wide {
                    multiply::<S, T, 1, MIN, GROUPS, true>(s, step.unpacked, &part, p, sums);
                } else {
                    multiply::<S, T, 1, MIN, GROUPS, false>(s, step.unpacked, &part, p, sums);
                }
            }
        }
    }
}

/// Some columns of a tile of `T` rows.
struct Part<'a, const T: usize> {
    codes: &'a [[[i32; 8]; T]],
    scales: &'a [[f32; T]],
    /// Where accumulators start, or for types with minima what minima are multiplied with.
    starts: &'a [[i32; T]],
    sums: &'a [[f32; T]],
}

impl<'a, const T: usize> Part<'a, T> {
    #[inline(always)]
    fn new<const MIN: bool, const GROUPS: usize>(step: &Step<'a, '_>) -> Self {
        let (tile, blocks) = (step.tile, step.blocks.clone());
        let groups = blocks.start * GROUPS..blocks.end * GROUPS;
        let zero = step.traits.zero_index;
        Self {
            codes: &tile.codes().as_chunks().0[blocks.clone()],
            scales: &tile.scales().as_chunks().0[blocks],
            starts: if MIN { &[] } else { &tile.starts(zero).as_chunks().0[groups.clone()] },
            sums: if MIN { &tile.sums(GROUPS).as_chunks().0[groups] } else { &[] },
        }
    }
}

/// `R` panels from `p` times a tile of `T` rows.
#[inline(always)]
fn multiply<
    S: Simd,
    const T: usize,
    const R: usize,
    const MIN: bool,
    const GROUPS: usize,
    const WIDE: bool,
>(
    s: S,
    unpacked: &[Unpacked<'_>; PANELS],
    part: &Part<'_, T>,
    p: usize,
    sums: &mut [Sums; T],
) {
    let mut total = [[s.splat(0.0); R]; T];
    for t in 0..T {
        for r in 0..R {
            total[t][r] = s.load(&sums[t][p + r]);
        }
    }
    for (block, (codes, scales)) in part.codes.iter().zip(part.scales).enumerate() {
        for half in 0..GROUPS {
            let group = block * GROUPS + half;
            let mut dots = [[s.splat_i32(BIAS_BITS); R]; T];
            if !MIN {
                for t in 0..T {
                    dots[t] = [s.splat_i32(part.starts[group][t]); R];
                }
            }
            for g in half * 8 / GROUPS..(half + 1) * 8 / GROUPS {
                let mut weights = [s.splat_i32(0); R];
                for r in 0..R {
                    weights[r] = s.load_bytes(&unpacked[p + r].quads[block][g]);
                }
                for t in 0..T {
                    let a = s.splat_i32(codes[t][g]);
                    for r in 0..R {
                        dots[t][r] = s.dot(WIDE, dots[t][r], weights[r], a);
                    }
                }
            }
            for r in 0..R {
                let [scale, unbias, min] = &unpacked[p + r].scales[group];
                let (scale, unbias, min) = (s.load(scale), s.load(unbias), s.load(min));
                for t in 0..T {
                    let product = s.mul_add(s.bits_to_f32(dots[t][r]), scale, unbias);
                    total[t][r] = s.mul_add(product, s.splat(scales[t]), total[t][r]);
                    if MIN {
                        total[t][r] = s.mul_add(min, s.splat(part.sums[group][t]), total[t][r]);
                    }
                }
            }
        }
    }
    for t in 0..T {
        for r in 0..R {
            s.store(total[t][r], &mut sums[t][p + r]);
        }
    }
}
