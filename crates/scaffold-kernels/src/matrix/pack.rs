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

use std::sync::OnceLock;

use scaffold_error::Error;

use super::{MatrixSource, layout::PANEL};
use crate::block_type::BlockType;
use crate::blocks::{dequantize, quantize_searched};
use crate::cpu::Cpu;
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

/// Packs one part as the type that it asks for into zeroed lines.
///
/// # Errors
/// The values cannot be converted to that type.
pub(super) fn pack(
    exec: &Exec,
    part: &MatrixSource<'_>,
    panel_lines: usize,
    target: &mut [Line],
) -> Result<(), Error> {
    let ty = part.packed;
    let failed = OnceLock::new();
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
            // The first of several failures is told of.
            if let Err(error) = converted(exec.cpu, part, rows, lines) {
                let _ = failed.set(error);
            }
        } else if Scheme::of(ty).is_some() {
            quantized::panel(ty, rows, part.cols, lines);
        } else if ty == BlockType::F32 {
            floats::four_bytes(rows, bytemuck::cast_slice_mut(lines));
        } else {
            floats::two_bytes(rows, bytemuck::cast_slice_mut(lines));
        }
    });
    failed.into_inner().map_or(Ok(()), Err)
}

/// A panel's rows as another type: any type as F32, or any as blocks.
fn converted(
    cpu: Cpu,
    part: &MatrixSource<'_>,
    rows: Rows<'_>,
    lines: &mut [Line],
) -> Result<(), Error> {
    let mut values = vec![0.0f32; part.cols * rows.count()];
    dequantize(part.ty, rows.bytes, &mut values)?;
    if part.packed == BlockType::F32 {
        let rows =
            Rows { bytes: bytemuck::cast_slice(&values), row_bytes: part.cols * size_of::<f32>() };
        floats::native(rows, bytemuck::cast_slice_mut(lines));
        return Ok(());
    }
    let blocks = quantize_searched(cpu, part.packed, &values, part.importance)?;
    let rows = Rows { bytes: &blocks, row_bytes: blocks.len() / rows.count() };
    match part.packed {
        BlockType::F16 | BlockType::BF16 => {
            floats::two_bytes(rows, bytemuck::cast_slice_mut(lines));
        }
        blocks => quantized::panel(blocks, rows, part.cols, lines),
    }
    Ok(())
}
