//! Float weights times f32 activations.

use super::Task;
use crate::{
    activations::Tile,
    block_type::BlockType,
    level::Level,
    scratch::Scratch,
    simd::{Kernel, Simd},
};

/// From this many rows on, turning weights into f32 once for all rows pays.
pub(super) const MANY: usize = 7;
/// Panels that share the loads of activations then, where there are registers enough.
pub(super) const PANELS: usize = 4;
/// Columns that are turned into f32 at a time: with four panels they stay in the first-level cache.
const COLUMNS: usize = 128;

/// A float type as a type.
trait Float: 'static {
    type Stored: bytemuck::Pod;
    fn load<S: Simd>(s: S, column: &[Self::Stored; 16]) -> S::F;
}

struct F32;
struct F16;
struct BF16;

impl Float for F32 {
    type Stored = f32;
    #[inline(always)]
    fn load<S: Simd>(s: S, column: &[f32; 16]) -> S::F {
        s.load(column)
    }
}

impl Float for F16 {
    type Stored = u16;
    #[inline(always)]
    fn load<S: Simd>(s: S, column: &[u16; 16]) -> S::F {
        s.load_f16(column)
    }
}

impl Float for BF16 {
    type Stored = u16;
    #[inline(always)]
    fn load<S: Simd>(s: S, column: &[u16; 16]) -> S::F {
        s.load_bf16(column)
    }
}

/// Computes a task.
pub(super) fn multiply(task: &Task<'_>) {
    match task.section.ty {
        BlockType::F16 => task.float::<F16>(),
        BlockType::BF16 => task.float::<BF16>(),
        _ => task.float::<F32>(),
    }
}

impl Task<'_> {
    fn float<W: Float>(&self) {
        if self.x.rows() >= MANY {
            return self.float_blocked::<W>();
        }
        for panel in self.panels.clone() {
            let columns = self.columns::<W>(panel);
            for index in self.tiles.clone() {
                let tile = self.x.tile(index);
                let mut sums = [[0.0; 16]; 6];
                for_width!(tile.width, "rows", T => {
                    self.cpu.run(Direct::<W, T> { columns, tile: &tile, out: &mut sums });
                });
                for (t, sums) in sums[..tile.width].iter().enumerate() {
                    self.write(panel, tile.row + t, sums);
                }
            }
        }
    }

    /// A panel, column by column.
    fn columns<W: Float>(&self, panel: usize) -> &[[W::Stored; 16]] {
        let columns: &[W::Stored] =
            bytemuck::cast_slice(self.weight.panel_lines(self.section, panel));
        &columns.as_chunks::<16>().0[..self.weight.cols()]
    }

    /// Many rows: some columns of a few panels become f32 once, and all tiles pass over them.
    fn float_blocked<W: Float>(&self) {
        let wide = matches!(self.cpu.level(), Level::Avx512Vnni | Level::Amx);
        let mut panel = self.panels.start;
        while panel < self.panels.end {
            if wide && self.panels.end - panel > 2 {
                self.float_panels::<W, PANELS>(panel);
                panel += PANELS;
            } else {
                self.float_panels::<W, 2>(panel);
                panel += 2;
            }
        }
    }

    /// `P` panels from `panel` with all tiles.
    fn float_panels<W: Float, const P: usize>(&self, panel: usize) {
        let cols = self.weight.cols();
        let (first_row, rows) = self.rows();
        let mut memory = Scratch::take((COLUMNS + rows) * P * 16);
        let (weights, sums) = memory.split_at_mut(COLUMNS * P * 16);
        let weights: &mut [[[f32; 16]; P]] = weights.as_chunks_mut().0.as_chunks_mut().0;
        let sums: &mut [[[f32; 16]; P]] = sums.as_chunks_mut().0.as_chunks_mut().0;
        sums.fill([[0.0; 16]; P]);
        for first in (0..cols).step_by(COLUMNS) {
            let count = COLUMNS.min(cols - first);
            for p in 0..P {
                // Missing panels are filled with the last.
                let panel = (panel + p).min(self.panels.end - 1);
                let columns = &self.columns::<W>(panel)[first..];
                self.cpu.run(Widen::<W, P> { columns, p, weights: &mut weights[..count] });
            }
            for index in self.tiles.clone() {
                let tile = self.x.tile(index);
                let output = (first + count == cols)
                    .then(|| (self.output_address(panel, tile.row), self.weight.rows() * 4));
                let sums = &mut sums[tile.row - first_row..][..tile.width];
                let weights = &weights[..count];
                for_width!(tile.width, "rows", T => {
                    let x = &tile.floats().as_chunks::<T>().0[first..first + count];
                    let sums = sums.first_chunk_mut().expect("as wide as the tile");
                    self.cpu.run(Step::<T, P> { weights, x, sums, output });
                });
            }
        }
        self.write_panels(panel, first_row, sums);
    }
}

/// One panel times one tile of `T` rows.
struct Direct<'a, W: Float, const T: usize> {
    columns: &'a [[W::Stored; 16]],
    tile: &'a Tile<'a>,
    out: &'a mut [[f32; 16]],
}

impl<W: Float, const T: usize> Kernel for Direct<'_, W, T> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        /// How far ahead of its use a column is asked for, in bytes.
        const AHEAD: usize = 4096;
        if S::REGISTERS < 32 && T > 2 {
            unreachable!("only wide register files load tiles of more than two rows");
        }
        let mut total = [s.splat(0.0); T];
        for (column, x) in self.columns.iter().zip(self.tile.floats().as_chunks::<T>().0) {
            s.prefetch(std::ptr::from_ref(column).cast::<u8>().wrapping_add(AHEAD));
            let weight = W::load(s, column);
            for t in 0..T {
                total[t] = s.mul_add(weight, s.splat(x[t]), total[t]);
            }
        }
        for (total, out) in total.into_iter().zip(self.out) {
            s.store(total, out);
        }
    }
}

/// Some columns of a panel as f32.
struct Widen<'a, W: Float, const P: usize> {
    columns: &'a [[W::Stored; 16]],
    p: usize,
    weights: &'a mut [[[f32; 16]; P]],
}

impl<W: Float, const P: usize> Kernel for Widen<'_, W, P> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (column, weight) in self.columns.iter().zip(self.weights) {
            s.prefetch_far(std::ptr::from_ref(column).wrapping_add(COLUMNS).cast());
            s.store(W::load(s, column), &mut weight[self.p]);
        }
    }
}

/// Some columns of `P` panels times a tile of `T` rows, added to `sums`.
struct Step<'a, const T: usize, const P: usize> {
    weights: &'a [[[f32; 16]; P]],
    x: &'a [[f32; T]],
    sums: &'a mut [[[f32; 16]; P]; T],
    /// Where the tile's outputs will be written soon, and the bytes from one row to the next.
    output: Option<(*const u8, usize)>,
}

impl<const T: usize, const P: usize> Kernel for Step<'_, T, P> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if S::REGISTERS < 32 && (T > 2 || P > 2) {
            unreachable!("only wide register files load tiles of more than two rows and panels");
        }
        if let Some((start, stride)) = self.output {
            for t in 0..T {
                for p in 0..P {
                    s.prefetch(start.wrapping_add(t * stride + p * 64));
                }
            }
        }
        let mut total = [[s.splat(0.0); P]; T];
        for t in 0..T {
            for p in 0..P {
                total[t][p] = s.load(&self.sums[t][p]);
            }
        }
        for (weight, x) in self.weights.iter().zip(self.x) {
            let mut lanes = [s.splat(0.0); P];
            for p in 0..P {
                lanes[p] = s.load(&weight[p]);
            }
            for t in 0..T {
                let x = s.splat(x[t]);
                for p in 0..P {
                    total[t][p] = s.mul_add(lanes[p], x, total[t][p]);
                }
            }
        }
        for t in 0..T {
            for p in 0..P {
                s.store(total[t][p], &mut self.sums[t][p]);
            }
        }
    }
}
