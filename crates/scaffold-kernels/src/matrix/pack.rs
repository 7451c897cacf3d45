//! From stored rows to panels.
//!
//! All 16 rows of a panel advance together, block by block, so that what is written stays in the
//! first-level cache. Codes move as words: a quad of one row is a `u32` in the packed lines.

mod floats;
mod quantized;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
mod words;

use super::{MatrixSource, layout::PANEL};
use crate::block_type::BlockType;
use crate::blocks::dequantize;
use crate::blocks::quantize;
use crate::exec::Exec;
use crate::turns::Turn;
use crate::{blocks::Scheme, line::Line, shared::SharedMut};

/// The rows of one panel as a file stores them: one after the other, 16 or fewer.
#[derive(Clone, Copy)]
struct Rows<'a> {
    bytes: &'a [u8],
    row_bytes: usize,
}

impl<'a> Rows<'a> {
    fn count(self) -> usize {
        (self.bytes.len() / self.row_bytes).min(PANEL)
    }

    fn row(self, lane: usize) -> &'a [u8] {
        &self.bytes[lane * self.row_bytes..][..self.row_bytes]
    }
}

/// Packs one part as `ty` (its own type, F32, or Q8_0 for floats) into zeroed lines.
pub(super) fn pack(
    exec: &Exec,
    ty: BlockType,
    part: &MatrixSource<'_>,
    panel_lines: usize,
    target: &mut [Line],
) {
    let row_bytes = part.ty.row_bytes(part.cols).expect("columns were checked");
    let shared = SharedMut::new(target);
    // A model that is loaded does not hold up those that answer, for longer than a panel takes.
    exec.team.run_in_turns(Turn::AWAITED, part.rows.div_ceil(PANEL), &|panel| {
        // SAFETY: every panel is packed once, into lines of its own.
        let lines = unsafe { shared.range(panel * panel_lines..(panel + 1) * panel_lines) };
        let rows = PANEL.min(part.rows - panel * PANEL);
        let rows =
            Rows { bytes: &part.bytes[panel * PANEL * row_bytes..][..rows * row_bytes], row_bytes };
        if ty != part.ty {
            converted(ty, part, rows, lines);
        } else if Scheme::of(ty).is_some() {
            quantized::panel(ty, rows, part.cols, lines);
        } else if ty == BlockType::F32 {
            floats::four_bytes(rows, bytemuck::cast_slice_mut(lines));
        } else {
            floats::two_bytes(rows, bytemuck::cast_slice_mut(lines));
        }
    });
}

/// A panel's rows as another type: any type as F32, or floats as blocks.
fn converted(ty: BlockType, part: &MatrixSource<'_>, rows: Rows<'_>, lines: &mut [Line]) {
    let mut values = vec![0.0f32; part.cols * rows.count()];
    dequantize(part.ty, rows.bytes, &mut values).expect("the part's bytes were checked");
    if Scheme::of(ty).is_none() {
        let rows =
            Rows { bytes: bytemuck::cast_slice(&values), row_bytes: part.cols * size_of::<f32>() };
        return floats::native(rows, bytemuck::cast_slice_mut(lines));
    }
    let blocks = quantize(ty, &values).expect("Q8_0 can be written, and the columns fill blocks");
    let rows = Rows { bytes: &blocks, row_bytes: blocks.len() / rows.count() };
    quantized::panel(ty, rows, part.cols, lines);
}
