//! Operations on rows: norms, activations, rope, loading of activations.

use scaffold_kernels::{
    Activation, Activations, BlockType, Exec, Matrix, MatrixSource, NormWeight, RopeAngles,
    RopeStyle, add, layer_norm, matmul, rms_norm, rope,
};

use crate::{
    arguments::Arguments,
    report::{Report, Work},
};

const COLS: usize = 2048;

pub(crate) fn measure(exec: &Exec, arguments: &Arguments, report: &mut Report) {
    for m in [1, 512] {
        let x: Vec<f32> = (0..m * COLS).map(|i| (i % 19) as f32 / 19.0 - 0.5).collect();
        let weight = vec![1.0; COLS];
        let mut out = x.clone();
        let bytes =
            |passes: usize| Work { bytes: (passes * 4 * m * COLS) as f64, ..Work::default() };
        let mut each = |name: &str, passes: usize, run: &mut dyn FnMut()| {
            let name = format!("{name} [{m}, {COLS}]");
            if arguments.wants(&name) {
                report.time(&name, bytes(passes), run);
            }
        };
        each("rms_norm", 2, &mut || {
            rms_norm(exec, &x, &weight, 1e-5, NormWeight::Plain, &mut out);
        });
        each("layer_norm", 2, &mut || {
            layer_norm(exec, &x, &weight, None, 1e-5, &mut out);
        });
        each("add", 3, &mut || add(exec, &mut out, &x));
        let mut angles = RopeAngles::new();
        angles.load(&vec![5; m], &[0.5; 32], 1.0);
        each("rope", 2, &mut || {
            rope(exec, &mut out, COLS / 64, 64, &angles, RopeStyle::Halves);
        });
        let bytes = vec![1; BlockType::Q4_0.row_bytes(COLS).expect("whole blocks") * 16];
        let source = MatrixSource::new(BlockType::Q4_0, 16, COLS, &bytes);
        let small = Matrix::pack(exec, &[source]).expect("a valid weight");
        let mut activations = Activations::new();
        each("load as 8-bit", 2, &mut || {
            activations.load(exec, &x, COLS, small.needs());
        });
        for activation in [Activation::Silu, Activation::Gelu, Activation::GeluTanh] {
            each(&format!("load gated {activation:?}"), 2, &mut || {
                activations.load_gated(exec, activation, &x, COLS / 2, small.needs());
            });
        }
        activations.load(exec, &x, COLS, small.needs());
        let mut tiny = vec![0.0; m * 16];
        each("matmul of 16 rows", 1, &mut || {
            matmul(exec, &small, &activations, &mut tiny);
        });
    }
}
