//! Packing of weights at load: what a file stores, read once and written into panels.

use scaffold_kernels::{BlockType, Exec, Matrix, MatrixSource};

use crate::{
    arguments::Arguments,
    report::{Report, Work},
};

/// The up-projection of a 1.1B model.
const ROWS: usize = 5632;
const COLS: usize = 2048;

/// The GB/s that are shown count the stored bytes only; the packed ones are written besides.
pub(crate) fn measure(exec: &Exec, arguments: &Arguments, report: &mut Report) {
    for ty in BlockType::ALL {
        let row = ty.row_bytes(COLS).expect("the columns fit");
        for (packed, name) in [
            (ty, format!("pack {ty} [{ROWS}, {COLS}]")),
            (BlockType::F32, format!("pack {ty} as F32")),
        ] {
            if !arguments.wants(&name) {
                continue;
            }
            let bytes: Vec<u8> = (0..ROWS * row).map(|i| (i % 251) as u8).collect();
            let source = MatrixSource::new(ty, ROWS, COLS, &bytes).packed_as(packed);
            let work = Work { bytes: bytes.len() as f64, ..Work::default() };
            report.time(&name, work, || {
                Matrix::pack(exec, &[source]).expect("a valid weight");
            });
        }
    }
}
