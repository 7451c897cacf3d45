//! Many rows with matrix tiles: 16 activation rows times a panel of 16 weight rows at once.
//!
//! A run of columns of a panel is unpacked to signed bytes, and all tiles of the task pass over
//! it. Sums wait in memory for the next columns.

mod step;

use super::{
    super::Task,
    unpacked::{Traits, TraitsOf, Unpacked, blocks_each},
};
use crate::{
    activations::WHOLE,
    matrix::layout::{BLOCK, with_format},
    scratch::Scratch,
    simd::{Kernel, Simd, amx::Tiles},
};
use step::{RING_LEN, Ring, Run, Sums};

/// Most blocks that are unpacked at a time: beside them the first-level cache holds a tile of
/// activations on its way through.
const BLOCKS: usize = 32;

/// Every panel of the task times every tile.
pub(super) fn run(task: &Task<'_>) {
    let traits = with_format(task.section.ty, TraitsOf);
    let blocks = task.weight.cols() / BLOCK;
    let blocks_each = blocks_each(blocks, BLOCKS);
    let tiles = task.tiles.len();
    let unpacked_len = Unpacked::len(BLOCKS);
    let mut memory = Scratch::take(RING_LEN + unpacked_len + tiles * WHOLE * 16);
    let (ring, rest) = memory.split_at_mut(RING_LEN);
    let (unpacked, sums) = rest.split_at_mut(unpacked_len);
    let mut ring = Ring::new(ring);
    let mut unpacked = Unpacked::new(unpacked, BLOCKS);
    let sums: &mut [Sums] = bytemuck::cast_slice_mut(sums);
    // SAFETY: activations come in whole tiles only where the level has matrix tiles, and a thread
    // works on one task at a time.
    let shaped = unsafe { Tiles::configure(BLOCK / traits.groups) };
    for panel in task.panels.clone() {
        sums.fill([[0.0; 16]; WHOLE]);
        for first in (0..blocks).step_by(blocks_each) {
            let count = blocks_each.min(blocks - first);
            unpacked.fill(task, panel, first..first + count, true);
            let next = Next::new(task, &traits, panel, first + count, blocks_each);
            let run = Run::new(task, &traits, &unpacked, first, count);
            next.ask(task, run.asks());
            run.multiply(&shaped, &mut ring, sums, next.lines);
        }
        task.cpu.run(Write { task, panel, sums });
    }
}

/// The lines of the weight that are unpacked next.
struct Next<'a> {
    lines: &'a [[u8; 64]],
}

impl<'a> Next<'a> {
    /// The columns after the blocks before `first` of a panel, or if those were the last, the
    /// first columns of the next panel.
    fn new(task: &'a Task<'_>, traits: &Traits, panel: usize, first: usize, each: usize) -> Self {
        let blocks = task.weight.cols() / BLOCK;
        let (panel, first) = if first == blocks { (panel + 1, 0) } else { (panel, first) };
        if panel == task.panels.end {
            return Self { lines: &[] };
        }
        let count = each.min(blocks - first);
        let lines = task.weight.panel_lines(task.section, panel);
        Self { lines: &lines[first * traits.lines..(first + count) * traits.lines] }
    }

    /// Asks for the lines from number `first` on.
    fn ask(&self, task: &Task<'_>, first: usize) {
        task.cpu.run(Ask(&self.lines[first.min(self.lines.len())..]));
    }
}

struct Ask<'a>(&'a [[u8; 64]]);

impl Kernel for Ask<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for line in self.0 {
            s.prefetch_far(line.as_ptr());
        }
    }
}

/// Writes the outputs of one panel.
struct Write<'a> {
    task: &'a Task<'a>,
    panel: usize,
    sums: &'a [Sums],
}

impl Kernel for Write<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (task, panel) = (self.task, self.panel);
        let (first_row, rows) = task.rows();
        let range = &task.section.rows;
        let first = range.start + panel * 16;
        let count = 16.min(range.end - first);
        for (row, sums) in self.sums.as_flattened()[..rows].iter().enumerate() {
            let start = (first_row + row) * task.weight.rows() + first;
            // SAFETY: every panel and tile belongs to one task, which writes its outputs once.
            let out = unsafe { task.out.range(start..start + count) };
            match out.first_chunk_mut() {
                Some(out) => s.store(s.load(sums), out),
                None => out.copy_from_slice(&sums[..count]),
            }
        }
    }
}
