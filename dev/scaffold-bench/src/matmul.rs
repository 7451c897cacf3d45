//! Matmuls of one large layer, for each type and batch.

use scaffold_kernels::{Activations, BlockType, Exec, Matrix, MatrixSource, matmul, quantize};

use crate::{
    arguments::Arguments,
    report::{Report, Work},
};

/// Rows and columns: the up-projection of a 1.1B model, and a layer of a 135M model.
const SHAPES: [(usize, usize); 2] = [(5632, 2048), (1536, 576)];
/// Copies of the weight that are used in turn, so that the cache does not hold them.
const COPIES_BYTES: usize = 256 << 20;

pub(crate) fn measure(exec: &Exec, arguments: &Arguments, report: &mut Report) {
    for (rows, cols) in SHAPES {
        for ty in BlockType::ALL {
            let fits = cols % ty.values() == 0;
            let name = format!("matmul {ty} [{rows}, {cols}]");
            if !fits || !(arguments.only.starts_with(&name) || arguments.wants(&name)) {
                continue;
            }
            of_type(exec, ty, rows, cols, arguments, report);
        }
    }
}

/// A weight as files have it. Blocks may hold any bytes. Floats may not: bytes without thought are
/// subnormal numbers here and there, whose products take a processor a hundred times as long.
pub(crate) fn stored(ty: BlockType, rows: usize, cols: usize) -> Vec<u8> {
    if ty.is_quantized() {
        let bytes = rows * ty.row_bytes(cols).expect("the columns fit");
        return (0..bytes).map(|i| (i % 31) as u8).collect();
    }
    let values: Vec<f32> = (0..rows * cols).map(|i| (i % 31) as f32 / 31.0 - 0.5).collect();
    quantize(ty, &values).expect("floats are written")
}

fn of_type(
    exec: &Exec,
    ty: BlockType,
    rows: usize,
    cols: usize,
    arguments: &Arguments,
    report: &mut Report,
) {
    let bytes = stored(ty, rows, cols);
    let source = MatrixSource::new(ty, rows, cols, &bytes);
    let pack = || Matrix::pack(exec, &[source]).expect("a valid weight");
    let size = pack().bytes();
    let weights: Vec<Matrix> = (0..(COPIES_BYTES / size).clamp(1, 200)).map(|_| pack()).collect();
    let mut x = Activations::new();
    for m in [1, 2, 4, 8, 16, 64, 512] {
        let input: Vec<f32> = (0..m * cols).map(|i| (i % 17) as f32 - 8.0).collect();
        x.load(exec, &input, cols, weights[0].needs());
        let mut out = vec![0.0; m * rows];
        let macs = (m * rows * cols) as f64;
        let int8 = ty.is_quantized();
        let work = Work {
            int8: if int8 { macs } else { 0.0 },
            fma: if int8 { 0.0 } else { macs },
            bytes: size as f64,
        };
        let mut turn = 0;
        let name = format!("matmul {ty} [{rows}, {cols}] m={m}");
        if arguments.wants(&name) {
            report.time(&name, work, || {
                matmul(exec, &weights[turn % weights.len()], &x, &mut out);
                turn += 1;
            });
        }
    }
}
