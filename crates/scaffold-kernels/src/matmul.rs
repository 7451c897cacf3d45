//! Packed weights times activations.
//!
//! The arithmetic of one output, which every kernel keeps to, so that neither the level, nor the
//! other rows of the call, nor the number of threads changes a bit:
//!
//! * Integer weights: the sum starts at 0. For each group of columns (16 or 32, as the type has
//!   scales), in order: the exact integer dot product of codes minus zero point and activations is
//!   multiplied by the weight's scale and rounded; that times the activation's scale is added,
//!   rounding once; and if the type has minima, the minimum times the activations' scaled sum is
//!   added, rounding once.
//! * Float weights: the sum starts at 0, and for each column in order weight times activation is
//!   added, rounding once.

mod float;
mod integer;

use std::ops::Range;

use crate::{
    activations::Activations,
    blocks::Scheme,
    cpu::Cpu,
    exec::Exec,
    matrix::{Matrix, Needs, Section, layout::PANEL},
    shared::SharedMut,
    simd::{Kernel, Simd},
};

/// Multiplies activations `[m, cols]` with a packed weight `[rows, cols]`: `out[i][j]` is the dot
/// product of activation row i and weight row j, `out` being `[m, rows]`.
///
/// # Panics
/// If the columns of both differ, if the activations were loaded without what
/// [`Matrix::needs`] names, or if `out` has another size.
pub fn matmul(exec: &Exec, weight: &Matrix, x: &Activations, out: &mut [f32]) {
    assert_eq!(x.cols(), weight.cols(), "activations and weight share their columns");
    assert!(
        x.needs().contains(weight.needs()),
        "activations were loaded without what the weight needs"
    );
    assert_eq!(out.len(), x.rows() * weight.rows(), "one output for each row of both");
    if x.rows() == 0 {
        return;
    }
    let out = SharedMut::new(out);
    let plan = Plan::new(exec, weight, x);
    exec.team.run(plan.tasks, &|index| {
        let (section, panels, tiles) = plan.task(weight, x, index);
        let task = Task { cpu: exec.cpu, weight, section, panels, tiles, x, out: &out };
        if Scheme::of(section.ty).is_some() {
            integer::multiply(&task);
        } else {
            float::multiply(&task);
        }
    });
}

/// How a matmul is cut into tasks: every task is a run of panels times a run of tiles.
struct Plan {
    panels_each: usize,
    tiles_each: usize,
    /// Runs of panels over all sections.
    runs: usize,
    tasks: usize,
}

impl Plan {
    fn new(exec: &Exec, weight: &Matrix, x: &Activations) -> Self {
        /// Rows of activations that stay in the second-level cache beside a task's weights.
        const ROWS: usize = 192;
        /// Weights that one task should at least read.
        const BYTES: usize = 48 * 1024;
        let threads = exec.team.threads();
        let tiles = x.tiles();
        let tiles_each = tiles.min((ROWS / x.tile_rows()).max(1));
        let panels: usize = weight.sections().iter().map(Section::panels).sum();
        let panels_each = if threads == 1 {
            panels
        } else {
            let worth = BYTES.div_ceil(weight.bytes().div_ceil(panels).max(1) * x.rows().min(ROWS));
            let fair = panels.div_ceil(threads * 8);
            // So many panels share the loads of activations.
            let floats = weight.needs().contains(Needs::F32) && x.rows() >= float::MANY;
            worth.min(panels.div_ceil(threads)).max(fair).next_multiple_of(if floats {
                float::PANELS
            } else {
                2
            })
        };
        let runs = weight.sections().iter().map(|s| s.panels().div_ceil(panels_each)).sum();
        Self { panels_each, tiles_each, runs, tasks: runs * tiles.div_ceil(tiles_each) }
    }

    fn task<'a>(
        &self,
        weight: &'a Matrix,
        x: &Activations,
        index: usize,
    ) -> (&'a Section, Range<usize>, Range<usize>) {
        let first_tile = index / self.runs * self.tiles_each;
        let tiles = first_tile..x.tiles().min(first_tile + self.tiles_each);
        let mut run = index % self.runs;
        for section in weight.sections() {
            let runs = section.panels().div_ceil(self.panels_each);
            if run < runs {
                let first = run * self.panels_each;
                return (section, first..section.panels().min(first + self.panels_each), tiles);
            }
            run -= runs;
        }
        unreachable!("every run lies in a section")
    }
}

/// A run of panels times a run of tiles.
struct Task<'a> {
    cpu: Cpu,
    weight: &'a Matrix,
    section: &'a Section,
    panels: Range<usize>,
    tiles: Range<usize>,
    x: &'a Activations,
    out: &'a SharedMut<'a, f32>,
}

impl Task<'_> {
    /// Writes the 16 outputs of a panel for one activation row; fewer if the weight ends before.
    #[inline(always)]
    fn write(&self, panel: usize, row: usize, values: &[f32; PANEL]) {
        let rows = &self.section.rows;
        let first = rows.start + panel * PANEL;
        let count = PANEL.min(rows.end - first);
        let start = row * self.weight.rows() + first;
        // SAFETY: every panel and tile belongs to one task, which writes its outputs once.
        let out = unsafe { self.out.range(start..start + count) };
        match out.first_chunk_mut::<PANEL>() {
            Some(out) => *out = *values,
            None => out.copy_from_slice(&values[..count]),
        }
    }

    /// Writes the outputs of up to `P` panels for all activation rows from `row`.
    fn write_panels<const P: usize>(&self, panel: usize, row: usize, sums: &[[[f32; PANEL]; P]]) {
        self.cpu.run(WritePanels { task: self, panel, row, sums });
    }

    /// Where a panel's outputs for an activation row will be written.
    #[inline(always)]
    fn output_address(&self, panel: usize, row: usize) -> *const u8 {
        let first = self.section.rows.start + panel * PANEL;
        self.out.address(row * self.weight.rows() + first).cast()
    }

    /// The task's first activation row and how many there are.
    fn rows(&self) -> (usize, usize) {
        let (first, last) = (self.x.tile(self.tiles.start), self.x.tile(self.tiles.end - 1));
        (first.row, self.x.rows().min(last.row + last.width) - first.row)
    }
}

struct WritePanels<'a, const P: usize> {
    task: &'a Task<'a>,
    panel: usize,
    row: usize,
    sums: &'a [[[f32; PANEL]; P]],
}

impl<const P: usize> Kernel for WritePanels<'_, P> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { task, panel, row, sums } = self;
        let rows = &task.section.rows;
        let first = rows.start + panel * PANEL;
        let panels = (task.panels.end - panel).min(P);
        let count = (panels * PANEL).min(rows.end - first);
        for (t, sums) in sums.iter().enumerate() {
            let start = (row + t) * task.weight.rows() + first;
            // SAFETY: every panel and tile belongs to one task, which writes its outputs once.
            let out = unsafe { task.out.range(start..start + count) };
            let (whole, part) = out.as_chunks_mut::<PANEL>();
            for (out, sums) in whole.iter_mut().zip(sums) {
                s.store(s.load(sums), out);
            }
            if let Some(sums) = sums.get(whole.len()) {
                part.copy_from_slice(&sums[..part.len()]);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
