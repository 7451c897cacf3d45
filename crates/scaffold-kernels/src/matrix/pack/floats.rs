//! Plain floats: rows turned into columns, two rows at a time so that every store is twice as wide.

use super::Rows;
use crate::matrix::layout::PANEL;

/// Stored F32: little-endian, whatever this machine is.
pub(super) fn four_bytes(rows: Rows<'_>, columns: &mut [[u32; PANEL]]) {
    turn(rows, columns, u32::from_le_bytes);
}

/// F32 as this machine has it.
pub(super) fn native(rows: Rows<'_>, columns: &mut [[u32; PANEL]]) {
    turn(rows, columns, u32::from_ne_bytes);
}

/// Stored F16 and BF16. The columns may be followed by the rest of a line.
pub(super) fn two_bytes(rows: Rows<'_>, columns: &mut [[u16; PANEL]]) {
    turn(rows, columns, u16::from_le_bytes);
}

#[inline(always)]
fn turn<T: Copy, const SIZE: usize>(
    rows: Rows<'_>,
    columns: &mut [[T; PANEL]],
    read: impl Fn([u8; SIZE]) -> T,
) {
    /// Columns whose lines stay in the first-level cache while the rows pass.
    const TILE: usize = 64;
    let cols = rows.row_bytes / SIZE;
    for first in (0..cols).step_by(TILE) {
        let width = TILE.min(cols - first);
        let columns = &mut columns[first..first + width];
        let tile = |lane| rows.row(lane)[first * SIZE..][..width * SIZE].as_chunks::<SIZE>().0;
        let mut lane = 0;
        while lane + 1 < rows.count() {
            for ((column, &a), &b) in columns.iter_mut().zip(tile(lane)).zip(tile(lane + 1)) {
                column[lane] = read(a);
                column[lane + 1] = read(b);
            }
            lane += 2;
        }
        if lane < rows.count() {
            for (column, &a) in columns.iter_mut().zip(tile(lane)) {
                column[lane] = read(a);
            }
        }
    }
}
