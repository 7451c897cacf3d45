//! Weights packed for the kernels.

pub(crate) mod layout;
mod pack;
mod row;
mod source;
mod storage;

use std::ops::{BitOr, Range};

use layout::{PANEL, panel_lines};
pub use source::MatrixSource;
pub use storage::PackedBytes;

use scaffold_error::{Error, err};

use crate::{
    block_type::BlockType,
    blocks::{Scheme, check_bytes, check_whole},
    exec::Exec,
    mapped::{Mapped, no_memory, too_large},
    shared::SharedMut,
};

/// What messages call a matrix here.
const WHAT: &str = "a packed matrix";

/// What a matmul has to find in its [`Activations`](crate::Activations): combine the needs of all
/// matrices that read the same input with `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs(pub(crate) u16);

impl Needs {
    /// The values as f32.
    pub const F32: Self = Self(1);
    /// The values as 8-bit integers with a scale for each block of 32.
    pub const Q8: Self = Self(2);
    /// Sums of 32 (scaled), for types with minima.
    pub(crate) const SUMS: Self = Self(4);
    /// Sums of 16 (scaled).
    pub(crate) const HALF_SUMS: Self = Self(8);

    /// Zero points with what their accumulators start from: the bit in `Needs` is 16 << index.
    pub(crate) const ZEROS: [(i32, usize); 5] = [(8, 32), (16, 32), (128, 32), (4, 16), (32, 16)];

    /// Whether everything in `other` is included.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn zero(index: usize) -> Self {
        Self(16 << index)
    }

    fn of(ty: BlockType) -> Self {
        let Some(scheme) = Scheme::of(ty) else {
            return Self::F32;
        };
        if scheme.has_min() {
            let sums = if scheme.group == 16 { Self::HALF_SUMS } else { Self::SUMS };
            return Self::Q8 | sums;
        }
        Self::Q8 | Self::zero(zero_index(scheme))
    }
}

impl BitOr for Needs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which of [`Needs::ZEROS`] a scheme without minima uses.
pub(crate) const fn zero_index(scheme: Scheme) -> usize {
    let mut index = 0;
    while index < Needs::ZEROS.len() {
        let (zero, group) = Needs::ZEROS[index];
        if zero == scheme.zero && group == scheme.group {
            return index;
        }
        index += 1;
    }
    panic!("every zero point is in the table")
}

/// A packed weight `[rows, cols]`, made of one or more parts stacked along the rows.
///
/// Stacking (query, key and value; gate and up) lets one matmul read its input once. Parts may be
/// of different types.
///
/// ```
/// use scaffold_kernels::*;
/// let exec = Exec::new(1);
/// let values: Vec<f32> = (0..64).map(|i| i as f32).collect();
/// let bytes = quantize(BlockType::F32, &values)?;
/// let source = MatrixSource::new(BlockType::F32, 2, 32, &bytes);
/// let weight = Matrix::pack(&exec, &[source])?;
///
/// let mut x = Activations::new();
/// x.load(&exec, &[1.0; 32], 32, weight.needs());
/// let mut out = [0.0; 2];
/// matmul(&exec, &weight, &x, &mut out);
/// assert_eq!(out, [496.0, 1520.0]);
/// # Ok::<(), Error>(())
/// ```
pub struct Matrix {
    rows: usize,
    cols: usize,
    sections: Vec<Section>,
    data: PackedBytes,
    needs: Needs,
}

/// A run of rows of one type.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) ty: BlockType,
    /// The rows in the whole matrix.
    pub(crate) rows: Range<usize>,
    /// Its first line in the matrix's data.
    first_line: usize,
    /// Lines of one panel.
    panel_lines: usize,
}

impl Section {
    pub(crate) fn panels(&self) -> usize {
        self.rows.len().div_ceil(PANEL)
    }
}

impl Matrix {
    /// Version of the packed layout: changes whenever stored packed bytes lose their meaning. The
    /// layout is the same for all instruction sets.
    pub const LAYOUT: u32 = 1;

    /// Packs the parts, stacked along their rows.
    ///
    /// # Errors
    /// When a part's bytes do not fit its shape and type, when columns differ, when there is nothing
    /// to pack, or when a part cannot be converted to the type that it is to be packed as.
    pub fn pack(exec: &Exec, parts: &[MatrixSource<'_>]) -> Result<Self, Error> {
        let cols = parts.first().map_or(0, |part| part.cols);
        for (index, part) in parts.iter().enumerate() {
            if part.cols != cols {
                return Err(err!(
                    Damaged,
                    "part {index} of a stacked matrix has {} columns, but the first part has {cols}; stacked parts share \
                     their input, so their columns must agree",
                    part.cols
                ));
            }
            check_whole(part.ty, cols)?;
            let values = part.rows.checked_mul(cols);
            let values = values.ok_or_else(|| too_large(WHAT, &[part.rows, cols]))?;
            check_bytes(part.ty, values, part.bytes.len())?;
        }
        let types = parts.iter().map(|part| (part.packed, part.rows));
        let (sections, line_count) = lay_out(cols, types)?;
        let mut data = Mapped::whole(line_count).ok_or_else(|| no_memory(WHAT, line_count * 64))?;
        for (section, part) in sections.iter().zip(parts) {
            let lines = section.panels() * section.panel_lines;
            let target = &mut data[section.first_line..section.first_line + lines];
            pack::pack(exec, part, section.panel_lines, target)?;
        }
        Ok(Self::from_sections(cols, sections, data.into()))
    }

    /// Memory that a matrix of `rows` rows of one type will take when it is packed.
    ///
    /// # Errors
    /// There is no such matrix: it is empty or too large, or the columns do not fill the type's
    /// blocks.
    pub fn bytes_of(ty: BlockType, rows: usize, cols: usize) -> Result<usize, Error> {
        let (_, lines) = lay_out(cols, std::iter::once((ty, rows)))?;
        Ok(lines * 64)
    }

    /// A matrix whose packed bytes ([`Matrix::packed`]) were stored, with the types and rows of its
    /// parts ([`Matrix::parts`]). Nothing is copied. Bytes are only valid for the
    /// [`Matrix::LAYOUT`] and byte order that they were packed with.
    ///
    /// # Errors
    /// When the number of bytes is not what the shape takes. The bytes' contents are not checked:
    /// wrong ones give wrong numbers.
    pub fn from_packed(
        cols: usize,
        parts: &[(BlockType, usize)],
        bytes: PackedBytes,
    ) -> Result<Self, Error> {
        let (sections, line_count) = lay_out(cols, parts.iter().copied())?;
        if bytes.bytes().len() != line_count * 64 {
            return Err(storage::unfit("its bytes do not fit its shape"));
        }
        Ok(Self::from_sections(cols, sections, bytes))
    }

    fn from_sections(cols: usize, sections: Vec<Section>, data: PackedBytes) -> Self {
        let needs = sections.iter().fold(Needs::default(), |needs, s| needs | Needs::of(s.ty));
        let rows = sections.last().map_or(0, |s| s.rows.end);
        Self { rows, cols, sections, data, needs }
    }

    /// Output features.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Input features.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Memory that the packed weight takes; a matmul with one row reads all of it once.
    pub fn bytes(&self) -> usize {
        self.data.bytes().len()
    }

    /// The packed bytes, to be stored and given to [`Matrix::from_packed`] later.
    pub fn packed(&self) -> &[u8] {
        self.data.bytes()
    }

    /// The packed bytes, shared: they stay in memory for as long as somebody holds them.
    pub fn share(&self) -> PackedBytes {
        self.data.clone()
    }

    /// What activations have to hold for this weight.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// The types of the parts, with their rows.
    pub fn parts(&self) -> impl Iterator<Item = (BlockType, Range<usize>)> + '_ {
        self.sections.iter().map(|s| (s.ty, s.rows.clone()))
    }

    /// Writes one row as f32, exactly as [`dequantize`](crate::dequantize) reads it: a lookup in an
    /// embedding table.
    ///
    /// # Panics
    /// If there is no such row or `out` is not one row long.
    pub fn read_row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows, "row {row} of a matrix with {} rows", self.rows);
        assert_eq!(out.len(), self.cols, "a row has as many values as the matrix has columns");
        let section =
            self.sections.iter().find(|s| s.rows.contains(&row)).expect("sections cover all rows");
        let row = row - section.rows.start;
        let panel = self.panel_lines(section, row / PANEL);
        row::read(section.ty, panel, row % PANEL, out);
    }

    /// [`Matrix::read_row`] for several rows: `out` is `[rows.len(), cols]`.
    ///
    /// # Panics
    /// As [`Matrix::read_row`].
    pub fn read_rows(&self, exec: &Exec, rows: &[u32], out: &mut [f32]) {
        let cols = self.cols;
        assert_eq!(out.len(), rows.len() * cols, "one row of output for each");
        let out = SharedMut::new(out);
        // Unpacking a value takes longer than copying one.
        exec.over_rows(rows.len(), 4 * cols, &|first, count| {
            for i in first..first + count {
                // SAFETY: every row is written once.
                let out = unsafe { out.range(i * cols..(i + 1) * cols) };
                self.read_row(rows[i] as usize, out);
            }
        });
    }

    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The lines of one panel.
    pub(crate) fn panel_lines(&self, section: &Section, panel: usize) -> &[[u8; 64]] {
        let start = section.first_line + panel * section.panel_lines;
        let bytes = &self.data.bytes()[start * 64..(start + section.panel_lines) * 64];
        bytes.as_chunks().0
    }
}

/// Where the parts of a matrix lie, and the lines of all together.
fn lay_out(
    cols: usize,
    parts: impl Iterator<Item = (BlockType, usize)>,
) -> Result<(Vec<Section>, usize), Error> {
    let mut sections = Vec::new();
    let (mut row, mut first_line) = (0usize, 0usize);
    for (ty, rows) in parts {
        check_whole(ty, cols)?;
        let too_large = || too_large(WHAT, &[row, rows, cols]);
        let end = row.checked_add(rows).ok_or_else(too_large)?;
        // A packed value takes at most twice the bytes of an f32.
        cols.checked_mul(8 * PANEL).ok_or_else(too_large)?;
        let panel_lines = panel_lines(ty, cols);
        let section = Section { ty, rows: row..end, first_line, panel_lines };
        let lines = section.panels().checked_mul(panel_lines).ok_or_else(too_large)?;
        first_line = first_line.checked_add(lines).ok_or_else(too_large)?;
        row = end;
        sections.push(section);
    }
    if row == 0 || cols == 0 {
        return Err(err!(
            Damaged,
            "a matrix of {row} rows and {cols} columns holds nothing to multiply with"
        ));
    }
    let fits = first_line.checked_mul(64).is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if fits { Ok((sections, first_line)) } else { Err(too_large(WHAT, &[row, cols])) }
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Matrix")
            .field("rows", &self.rows)
            .field("cols", &self.cols)
            .field("types", &self.sections.iter().map(|s| s.ty).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
