//! The inputs of matmuls, in the form that the kernels read.

use std::ops::Range;

use crate::{
    activation::{Activation, Gated},
    exec::Exec,
    level::Level,
    matrix::{Needs, layout::BLOCK},
    owned::Owned,
    scratch::Scratch,
    shared::SharedMut,
    simd::{Kernel, Simd},
};

/// An f32 with these bits is 1.5·2^23 plus a small integer n, for the bits plus n: integer
/// accumulators that start from here can be read as floats without a conversion.
pub(crate) const BIAS_BITS: i32 = 0x4b40_0000;
/// The float of [`BIAS_BITS`].
pub(crate) const BIAS: f32 = 12_582_912.0;

/// Input rows `[rows, cols]` of matmuls: as f32, and where a weight needs it as 8-bit integers
/// with a scale for each block of 32 (scale = largest magnitude / 127, rounded to nearest even).
///
/// The buffers are reused: loading as many rows as before allocates nothing. How one row is stored
/// never depends on the others.
///
/// Rows lie in tiles of a few: all columns of the first tile, block by block, then the next tile.
/// Within a block the tile's rows follow each other, so that a kernel for a tile reads one stream.
/// The last tile may have fewer rows than the others; tiles for matrix registers are always whole,
/// the missing rows holding anything.
#[derive(Debug, Default)]
pub struct Activations {
    rows: usize,
    cols: usize,
    tile: usize,
    needs: Needs,
    /// Per tile `[cols][rows of the tile]`.
    floats: Owned<f32>,
    /// Per tile `[blocks][rows of the tile]`: 32 signed bytes as 8 words.
    codes: Owned<[i32; 8]>,
    /// Per tile `[blocks][rows of the tile]`.
    scales: Owned<f32>,
    /// Scale times the sum of the codes, laid out as `scales`.
    sums: Owned<f32>,
    /// The same for each 16 columns.
    half_sums: Owned<f32>,
    /// Where accumulators start, for each of `Needs::ZEROS`: the bias minus zero point times the
    /// sum of the codes.
    starts: [Owned<i32>; 5],
}

/// Rows of a matrix tile register.
pub(crate) const WHOLE: usize = 16;

/// Rows of a tile. Matrix tiles take as long for few rows as for sixteen, so few rows do without
/// (the limit is measured); and they know no floats.
fn tile_rows(level: Level, rows: usize, needs: Needs) -> usize {
    match level {
        Level::Amx if rows > 10 && !needs.contains(Needs::F32) => WHOLE,
        Level::Amx | Level::Avx512Vnni => 6,
        _ => 2,
    }
}

impl Activations {
    /// Empty; the first load allocates.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rows that are loaded.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the rows that are loaded.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// What is stored.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Stores the rows of `x` (`[rows, cols]`) as `needs` asks.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows, or if 8-bit blocks are needed and `cols` is not a
    /// multiple of 32.
    pub fn load(&mut self, exec: &Exec, x: &[f32], cols: usize, needs: Needs) {
        assert!(cols > 0 && x.len().is_multiple_of(cols), "{} values in rows of {cols}", x.len());
        self.fill(exec, x.len() / cols, cols, needs, &Source::Rows(x));
    }

    /// Stores `activation(gate) * value` of the rows of `x`, `[rows, 2 * cols]`, each a gate
    /// followed by a value: the gated activation takes no pass through memory of its own.
    ///
    /// # Panics
    /// As [`Activations::load`].
    pub fn load_gated(
        &mut self,
        exec: &Exec,
        activation: Activation,
        x: &[f32],
        cols: usize,
        needs: Needs,
    ) {
        assert!(
            cols > 0 && x.len().is_multiple_of(2 * cols),
            "{} gates and values in rows of {cols}",
            x.len()
        );
        let rows = x.len() / (2 * cols);
        self.fill(exec, rows, cols, needs, &Source::Gated(activation, x));
    }

    /// Stores every row of `x` (`[rows, cols]`) as two: the row, and after it what 8-bit integers
    /// miss of it. The sum of both rows' outputs is that of a row of about 16 bits.
    ///
    /// # Panics
    /// As [`Activations::load`].
    pub fn load_fine(&mut self, exec: &Exec, x: &[f32], cols: usize, needs: Needs) {
        assert!(cols > 0 && x.len().is_multiple_of(cols), "{} values in rows of {cols}", x.len());
        let rows = 2 * (x.len() / cols);
        self.fill(exec, rows, cols, needs, &Source::Fine(x));
    }

    fn fill(&mut self, exec: &Exec, rows: usize, cols: usize, needs: Needs, source: &Source<'_>) {
        let q8 = needs.contains(Needs::Q8);
        assert!(!q8 || cols.is_multiple_of(BLOCK), "{cols} columns in blocks of {BLOCK}");
        let blocks = if q8 { cols / BLOCK } else { 0 };
        (self.rows, self.cols, self.needs) = (rows, cols, needs);
        self.tile = tile_rows(exec.cpu.level(), rows, needs);
        let laid_out = if self.tile == WHOLE { rows.next_multiple_of(WHOLE) } else { rows };
        let sized = |need: Needs, len: usize| if needs.contains(need) { len } else { 0 };
        self.floats.resize(sized(Needs::F32, laid_out * cols));
        self.codes.resize(laid_out * blocks);
        self.scales.resize(laid_out * blocks);
        self.sums.resize(sized(Needs::SUMS, laid_out * blocks));
        self.half_sums.resize(sized(Needs::HALF_SUMS, laid_out * blocks * 2));
        for (index, (starts, (_, group))) in self.starts.iter_mut().zip(Needs::ZEROS).enumerate() {
            // Matrix tiles multiply signed codes.
            let len = if self.tile == WHOLE {
                0
            } else {
                sized(Needs::zero(index), laid_out * blocks * (BLOCK / group))
            };
            starts.resize(len);
        }
        let tile = self.tile;
        let floats = SharedMut::new(&mut self.floats);
        let codes = SharedMut::new(&mut self.codes);
        let scales = SharedMut::new(&mut self.scales);
        let sums = SharedMut::new(&mut self.sums);
        let half_sums = SharedMut::new(&mut self.half_sums);
        let starts = self.starts.each_mut().map(|s| SharedMut::new(&mut s[..]));
        let needs_sums =
            sums.len() + half_sums.len() + starts.iter().map(SharedMut::len).sum::<usize>() > 0;
        exec.over_rows(rows.div_ceil(tile), tile * cols, &|first, count| {
            for index in first..first + count {
                let row = index * tile;
                let width = tile.min(laid_out - row);
                // SAFETY, for all: every tile is filled once, in parts of its own of each buffer.
                exec.cpu.run(FillTile {
                    width,
                    row,
                    cols,
                    source,
                    count: width.min(rows - row),
                    needs_sums,
                    // SAFETY: see above.
                    floats: unsafe { part(&floats, row, width, cols) },
                    // SAFETY: see above.
                    codes: unsafe { part(&codes, row, width, blocks) },
                    // SAFETY: see above.
                    scales: unsafe { part(&scales, row, width, blocks) },
                    // SAFETY: see above.
                    sums: unsafe { part(&sums, row, width, blocks) },
                    // SAFETY: see above.
                    half_sums: unsafe { part(&half_sums, row, width, 2 * blocks) },
                    starts: std::array::from_fn(|i| {
                        let groups = blocks * (BLOCK / Needs::ZEROS[i].1);
                        // SAFETY: see above.
                        unsafe { part(&starts[i], row, width, groups) }
                    }),
                });
            }
        });
    }

    pub(crate) fn tiles(&self) -> usize {
        self.rows.div_ceil(self.tile.max(1))
    }

    pub(crate) fn tile_rows(&self) -> usize {
        self.tile
    }

    /// One tile, to be read by a kernel for its width.
    pub(crate) fn tile(&self, index: usize) -> Tile<'_> {
        let row = index * self.tile;
        let width = if self.tile == WHOLE { WHOLE } else { self.tile.min(self.rows - row) };
        Tile { x: self, row, width }
    }
}

impl Activations {
    /// Several whole tiles, which follow each other: `[tiles][..][16]`.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "no other architecture here has matrix registers")
    )]
    pub(crate) fn whole_tiles(&self, tiles: Range<usize>) -> Tile<'_> {
        assert_eq!(self.tile, WHOLE, "tiles for matrix registers");
        Tile { x: self, row: tiles.start * WHOLE, width: tiles.len() * WHOLE }
    }
}

/// The stored form of up to `tile_rows` rows.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    x: &'a Activations,
    /// The first row.
    pub(crate) row: usize,
    /// Rows that are laid out: of a whole tile, some may be missing.
    pub(crate) width: usize,
}

impl<'a> Tile<'a> {
    /// `[cols][width]`.
    #[inline(always)]
    pub(crate) fn floats(&self) -> &'a [f32] {
        slice(&self.x.floats, self.row, self.width, self.x.cols)
    }

    /// `[blocks][width]`.
    #[inline(always)]
    pub(crate) fn codes(&self) -> &'a [[i32; 8]] {
        slice(&self.x.codes, self.row, self.width, self.x.cols / BLOCK)
    }

    /// `[blocks][width]`.
    #[inline(always)]
    pub(crate) fn scales(&self) -> &'a [f32] {
        slice(&self.x.scales, self.row, self.width, self.x.cols / BLOCK)
    }

    /// Scaled sums of the codes: `[cols / group][width]`, the group being 32 or 16 columns.
    #[inline(always)]
    pub(crate) fn sums(&self, groups: usize) -> &'a [f32] {
        let sums = if groups == 1 { &self.x.sums } else { &self.x.half_sums };
        slice(sums, self.row, self.width, self.x.cols / BLOCK * groups)
    }

    /// Where accumulators start for one of `Needs::ZEROS`: `[cols / group][width]`.
    #[inline(always)]
    pub(crate) fn starts(&self, zero: usize) -> &'a [i32] {
        let groups = BLOCK / Needs::ZEROS[zero].1;
        slice(&self.x.starts[zero], self.row, self.width, self.x.cols / BLOCK * groups)
    }
}

/// The tile's part of a buffer with `per_row` entries a row; empty if the buffer is.
#[inline(always)]
fn slice<T>(buffer: &[T], row: usize, width: usize, per_row: usize) -> &[T] {
    if buffer.is_empty() { buffer } else { &buffer[row * per_row..(row + width) * per_row] }
}

/// # Safety
/// No other part may be borrowed that overlaps these rows.
#[expect(clippy::mut_from_ref, reason = "disjointness is the caller's promise")]
unsafe fn part<'a, T>(
    buffer: &'a SharedMut<'_, T>,
    row: usize,
    width: usize,
    per_row: usize,
) -> &'a mut [T] {
    let range = if buffer.len() == 0 { 0..0 } else { row * per_row..(row + width) * per_row };
    // SAFETY: the caller's promise.
    unsafe { buffer.range(range) }
}

/// Where rows come from.
enum Source<'x> {
    /// One after the other.
    Rows(&'x [f32]),
    /// From rows of a gate and a value.
    Gated(Activation, &'x [f32]),
    /// Each followed by what its 8-bit form misses.
    Fine(&'x [f32]),
}

impl Source<'_> {
    /// A row, made in `memory` (`cols` long for rows that are made) if it is not there.
    #[inline(always)]
    fn row<'r, S: Simd>(
        &'r self,
        s: S,
        row: usize,
        cols: usize,
        memory: &'r mut [f32],
    ) -> &'r [f32] {
        match *self {
            Self::Rows(x) => &x[row * cols..(row + 1) * cols],
            Self::Gated(activation, x) => {
                let (gate, value) = x[row * 2 * cols..(row + 1) * 2 * cols].split_at(cols);
                let gated = Gated { activation, gate, value, out: memory };
                gated.run(s);
                memory
            }
            Self::Fine(x) => {
                let x = &x[row / 2 * cols..(row / 2 + 1) * cols];
                if row.is_multiple_of(2) {
                    return x;
                }
                let blocks = x.as_chunks::<BLOCK>().0.iter();
                for (values, missed) in blocks.zip(memory.as_chunks_mut::<BLOCK>().0) {
                    let (codes, scale) = quantized(s, values);
                    let (values, missed) = (values.as_chunks().0, missed.as_chunks_mut().0);
                    for (half, codes) in codes.into_iter().enumerate() {
                        let negative = s.splat(-scale);
                        let rest = s.mul_add(codes, negative, s.load(&values[half]));
                        s.store(rest, &mut missed[half]);
                    }
                }
                memory
            }
        }
    }
}

struct FillTile<'a, 'x> {
    /// Rows that are laid out, and how many of them there are.
    width: usize,
    count: usize,
    /// The first row.
    row: usize,
    cols: usize,
    source: &'a Source<'x>,
    floats: &'a mut [f32],
    codes: &'a mut [[i32; 8]],
    scales: &'a mut [f32],
    sums: &'a mut [f32],
    half_sums: &'a mut [f32],
    starts: [&'a mut [i32]; 5],
    /// Whether any of the last three is there.
    needs_sums: bool,
}

impl Kernel for FillTile<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let made = matches!(self.source, Source::Gated(..) | Source::Fine(..));
        let mut memory = Scratch::take(if made { self.cols } else { 0 });
        for t in 0..self.count {
            let row = self.source.row(s, self.row + t, self.cols, &mut memory);
            if !self.floats.is_empty() {
                for (column, &value) in self.floats.chunks_exact_mut(self.width).zip(row) {
                    column[t] = value;
                }
            }
            if !self.codes.is_empty() {
                for (block, values) in row.as_chunks::<BLOCK>().0.iter().enumerate() {
                    self.quantize(s, block, t, values);
                }
            }
        }
    }
}

impl FillTile<'_, '_> {
    #[inline(always)]
    fn quantize<S: Simd>(&mut self, s: S, block: usize, t: usize, values: &[f32; BLOCK]) {
        let ([low, high], scale) = quantized(s, values);
        let at = block * self.width + t;
        let mut bytes = [[0; 16]; 2];
        s.store_i8(s.f32_to_i32(low), &mut bytes[0]);
        s.store_i8(s.f32_to_i32(high), &mut bytes[1]);
        self.codes[at] = bytemuck::cast(bytes);
        self.scales[at] = scale;
        if !self.needs_sums {
            return;
        }
        // Sums of integers this small are exact.
        let half = [s.sum(low), s.sum(high)];
        if !self.sums.is_empty() {
            self.sums[at] = scale * (half[0] + half[1]);
        }
        for h in 0..2 {
            if !self.half_sums.is_empty() {
                self.half_sums[(2 * block + h) * self.width + t] = scale * half[h];
            }
        }
        for (starts, (zero, group)) in self.starts.iter_mut().zip(Needs::ZEROS) {
            if starts.is_empty() {
                continue;
            }
            if group == BLOCK {
                starts[at] = BIAS_BITS - zero * (half[0] + half[1]) as i32;
            } else {
                for h in 0..2 {
                    starts[(2 * block + h) * self.width + t] = BIAS_BITS - zero * half[h] as i32;
                }
            }
        }
    }
}

/// A block as 8-bit integers (still in floats), and their scale.
#[inline(always)]
fn quantized<S: Simd>(s: S, values: &[f32; BLOCK]) -> ([S::F; 2], f32) {
    let [low, high] = values.as_chunks::<16>().0 else { unreachable!("a block is two registers") };
    let (low, high) = (s.load(low), s.load(high));
    let largest = s.largest(s.max(s.abs(low), s.abs(high)));
    let inverse = s.splat(if largest > 0.0 { 127.0 / largest } else { 0.0 });
    let codes = [s.round(s.mul(low, inverse)), s.round(s.mul(high, inverse))];
    (codes, largest / 127.0)
}
