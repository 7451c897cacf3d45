//! Stored rows as rows of another type, by all workers.

use std::sync::OnceLock;

use scaffold_error::Error;

use super::{check_bytes, dequantize, quantize_searched};
use crate::block_type::BlockType;
use crate::exec::Exec;
use crate::mapped::too_large;
use crate::matrix::MatrixSource;
use crate::shared::SharedMut;

/// Rows that one worker converts at once.
const ROWS: usize = 16;

/// The rows of a weight as [`MatrixSource::packed`] stores them, in the order of a file: what
/// [`Matrix::pack`](crate::Matrix::pack) makes of them, for a file in place of memory.
///
/// # Errors
/// The bytes do not fit shape and type, or the values cannot be written as that type.
pub fn convert(exec: &Exec, source: &MatrixSource<'_>) -> Result<Vec<u8>, Error> {
    let MatrixSource { ty, rows, cols, bytes, packed, importance } = *source;
    let values = rows.checked_mul(cols).ok_or_else(|| too_large("a tensor", &[rows, cols]))?;
    check_bytes(ty, values, bytes.len())?;
    super::check_whole(packed, cols)?;
    if packed == ty {
        return Ok(bytes.to_vec());
    }
    let stored = |ty: BlockType| cols / ty.values() * ty.bytes();
    let (from, to) = (stored(ty), stored(packed));
    let mut out = vec![0; rows * to];
    let shared = SharedMut::new(&mut out);
    let failed = OnceLock::new();
    exec.team.run(rows.div_ceil(ROWS), &|chunk| {
        let rows = chunk * ROWS..rows.min((chunk + 1) * ROWS);
        let mut values = vec![0.0; rows.len() * cols];
        let made = dequantize(ty, &bytes[rows.start * from..rows.end * from], &mut values)
            .and_then(|()| quantize_searched(exec.cpu, packed, &values, importance));
        match made {
            Ok(made) => {
                // SAFETY: every row is written once, by the worker that has its chunk.
                let out = unsafe { shared.range(rows.start * to..rows.end * to) };
                out.copy_from_slice(&made);
            }
            Err(error) => drop(failed.set(error)),
        }
    });
    failed.into_inner().map_or(Ok(out), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::quantize;

    #[test]
    fn all_rows_are_converted_in_their_order() {
        let exec = Exec::new(2);
        let values: Vec<f32> = (0..50 * 256).map(|i| (i as f32 * 0.013).sin()).collect();
        let bytes = quantize(BlockType::F16, &values).unwrap();
        let mut rounded = vec![0.0; values.len()];
        dequantize(BlockType::F16, &bytes, &mut rounded).unwrap();
        for packed in [BlockType::F16, BlockType::F32, BlockType::Q8_0, BlockType::Q4_K] {
            let source = MatrixSource::new(BlockType::F16, 50, 256, &bytes).packed_as(packed);
            let whole = quantize_searched(exec.cpu, packed, &rounded, None).unwrap();
            assert!(convert(&exec, &source).unwrap() == whole, "{packed}");
        }
        let short = MatrixSource::new(BlockType::F16, 51, 256, &bytes);
        assert!(convert(&exec, &short).is_err());
        let odd = MatrixSource::new(BlockType::F16, 100, 128, &bytes).packed_as(BlockType::Q6_K);
        assert!(convert(&exec, &odd).is_err());
    }
}
