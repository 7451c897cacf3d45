//! The CPU: every operation is a kernel, or a plain copy of rows.

use std::sync::Arc;

use scaffold_error::Error;
use scaffold_kernels::{
    self as kernels, Activation, Activations, AttendParams, AttendSpan, BidirectionalParams,
    DistanceBias, Exec, KvShape, KvStore, KvType, Mapped, Matrix, MatrixSource, Needs, NormWeight,
    RopeAngles, RopeStyle, Turn,
};

use super::{Backend, KvLayer, Linear, Norm, RouteRule, Routing, Scores};
use crate::packed::StoredMatrix;
use crate::spec::NormKind;

/// A buffer of activations.
type Floats = Mapped<f32>;

/// The CPU with its workers.
pub struct CpuBackend {
    exec: Arc<Exec>,
}

impl CpuBackend {
    /// Computes on these workers.
    pub fn new(exec: Arc<Exec>) -> Self {
        Self { exec }
    }
}

impl Backend for CpuBackend {
    type Matrix = Matrix;
    type Vector = Vec<f32>;
    type Buffer = Floats;
    type Input = Activations;
    type Angles = RopeAngles;
    type Kv = KvStore;

    fn turn(&self, weight: u32) -> Option<Turn<'_>> {
        Some(self.exec.team.turn(weight))
    }

    fn matrix(&self, parts: &[MatrixSource<'_>]) -> Result<Matrix, Error> {
        Matrix::pack(&self.exec, parts)
    }

    fn stored(&self, stored: StoredMatrix) -> Result<Option<Matrix>, Error> {
        let matrix = Matrix::from_packed(stored.cols, &stored.parts, stored.bytes)?;
        Ok(Some(matrix))
    }

    fn store(&self, matrix: &Matrix) -> Option<StoredMatrix> {
        Some(StoredMatrix {
            cols: matrix.cols(),
            parts: matrix.parts().map(|(ty, rows)| (ty, rows.len())).collect(),
            bytes: matrix.share(),
        })
    }

    fn matrix_bytes(&self, matrix: &Matrix) -> usize {
        matrix.bytes()
    }

    fn in_8_bits(&self, matrix: &Matrix) -> bool {
        matrix.needs().contains(Needs::Q8)
    }

    fn vector(&self, values: &[f32]) -> Vec<f32> {
        values.to_vec()
    }

    fn buffer(&self, len: usize) -> Floats {
        Floats::zeroed(len)
    }

    fn input(&self) -> Activations {
        Activations::new()
    }

    fn angles(&self) -> RopeAngles {
        RopeAngles::new()
    }

    fn kv(&self, shape: KvShape, ty: KvType) -> Result<KvStore, Error> {
        KvStore::new(shape, ty)
    }

    fn kv_bytes(&self, kv: &KvStore) -> usize {
        kv.bytes()
    }

    fn kv_block_bytes(&self, kv: &KvStore) -> usize {
        kv.block_bytes()
    }

    fn copy_kv_out(&self, kv: &KvStore, block: u32, out: &mut Vec<u8>) {
        kv.copy_out(block, out);
    }

    fn copy_kv_in(&self, kv: &mut KvStore, block: u32, bytes: &[u8]) {
        kv.copy_in(block, bytes);
    }

    fn read<'b>(&self, buffer: &'b mut Floats, len: usize) -> &'b [f32] {
        &buffer[..len]
    }

    fn set_angles(&self, cos: &[f32], sin: &[f32], pairs: usize, out: &mut RopeAngles) {
        out.load_tables(cos, sin, pairs);
    }

    fn embed(&self, table: &Matrix, ids: &[u32], out: &mut Floats) {
        table.read_rows(&self.exec, ids, &mut out[..ids.len() * table.cols()]);
    }

    fn prepare(&self, w: &Matrix, x: &Floats, rows: usize, out: &mut Activations) {
        out.load(&self.exec, &x[..rows * w.cols()], w.cols(), w.needs());
    }

    fn linear(&self, w: &Linear<Self>, input: &Activations, rows: usize, out: &mut Floats) {
        let out = &mut out[..rows * w.weight.rows()];
        kernels::matmul(&self.exec, &w.weight, input, out);
        if let Some(bias) = &w.bias {
            kernels::add_bias(&self.exec, out, bias);
        }
    }

    fn linear_fine(
        &self,
        w: &Linear<Self>,
        x: &Floats,
        rows: usize,
        input: &mut Activations,
        out: &mut Floats,
    ) {
        if !self.in_8_bits(&w.weight) {
            self.prepare(&w.weight, x, rows, input);
            return self.linear(w, input, rows, out);
        }
        let (cols, width) = (w.weight.cols(), w.weight.rows());
        input.load_fine(&self.exec, &x[..rows * cols], cols, w.weight.needs());
        let both = &mut out[..2 * rows * width];
        kernels::matmul(&self.exec, &w.weight, input, both);
        kernels::add_pairs(&self.exec, both, width);
        if let Some(bias) = &w.bias {
            kernels::add_bias(&self.exec, &mut out[..rows * width], bias);
        }
    }

    fn norm(&self, norm: &Norm<Self>, x: &Floats, rows: usize, out: &mut Floats) {
        let len = rows * norm.cols;
        let (x, out) = (&x[..len], &mut out[..len]);
        let weight = norm.weight.as_slice();
        match norm.kind {
            NormKind::Rms => {
                kernels::rms_norm(&self.exec, x, weight, norm.eps, NormWeight::Plain, out);
            }
            NormKind::Layer => {
                kernels::layer_norm(&self.exec, x, weight, norm.bias.as_deref(), norm.eps, out);
            }
        }
    }

    fn multiply_rows(&self, factors: &Vec<f32>, x: &mut Floats, rows: usize) {
        for row in x.chunks_exact_mut(factors.len()).take(rows) {
            kernels::multiply(&self.exec, row, factors);
        }
    }

    fn copy(&self, x: &Floats, len: usize, out: &mut Floats) {
        out[..len].copy_from_slice(&x[..len]);
    }

    fn split(&self, x: &Floats, rows: usize, widths: [usize; 3], out: [&mut Floats; 3]) {
        let total: usize = widths.iter().sum();
        let [q, k, v] = out;
        let parts =
            [&mut q[..rows * widths[0]], &mut k[..rows * widths[1]], &mut v[..rows * widths[2]]];
        kernels::split_columns(&self.exec, &x[..rows * total], rows, parts);
    }

    fn rope(
        &self,
        angles: &RopeAngles,
        style: RopeStyle,
        x: &mut Floats,
        heads: usize,
        head_dim: usize,
    ) {
        let x = &mut x[..angles.rows() * heads * head_dim];
        kernels::rope(&self.exec, x, heads, head_dim, angles, style);
    }

    fn write_kv(&self, at: &mut KvLayer<'_, Self>, k: &Floats, v: &Floats) -> bool {
        let (rows, shape) = (rows(at.spans), at.kv.shape());
        let k = &k[..rows * shape.kv_heads * shape.k_dim];
        let v = &v[..rows * shape.kv_heads * shape.v_dim];
        at.kv.write(&self.exec, at.layer, k, v, at.spans);
        at.kv.kv_type() != KvType::F16 || (fits_f16(k) && fits_f16(v))
    }

    fn attend(&self, at: &KvLayer<'_, Self>, q: &Floats, p: &Scores, out: &mut Floats) {
        let len = rows(at.spans) * p.heads * p.head_dim;
        let params =
            AttendParams { heads: p.heads, scale: p.scale, softcap: p.softcap, window: p.window };
        let (q, out) = (&q[..len], &mut out[..len]);
        kernels::attend(&self.exec, at.kv, at.layer, q, at.spans, &params, out);
    }

    fn attend_both(
        &self,
        qkv: [&Floats; 3],
        lengths: &[usize],
        p: &Scores,
        bias: Option<&Vec<f32>>,
        out: &mut Floats,
    ) {
        let rows: usize = lengths.iter().sum();
        let (wide, narrow) = (rows * p.heads * p.head_dim, rows * p.kv_heads * p.head_dim);
        let [q, k, v] = qkv;
        let params = BidirectionalParams {
            heads: p.heads,
            kv_heads: p.kv_heads,
            head_dim: p.head_dim,
            scale: p.scale,
            bias: bias
                .map(|values| DistanceBias { values, reach: (values.len() / p.heads - 1) / 2 }),
            window: p.window.map(|w| w / 2),
        };
        let (qkv, out) = ([&q[..wide], &k[..narrow], &v[..narrow]], &mut out[..wide]);
        kernels::attend_bidirectional(&self.exec, qkv, lengths, &params, out);
    }

    fn prepare_gated(
        &self,
        w: &Matrix,
        act: Activation,
        x: &Floats,
        rows: usize,
        out: &mut Activations,
    ) {
        let x = &x[..rows * 2 * w.cols()];
        out.load_gated(&self.exec, act, x, w.cols(), w.needs());
    }

    fn activate(&self, act: Activation, x: &mut Floats, len: usize) {
        kernels::activate(&self.exec, act, &mut x[..len]);
    }

    fn add(&self, x: &mut Floats, y: &Floats, factor: f32, len: usize) {
        if factor == 1.0 {
            kernels::add(&self.exec, &mut x[..len], &y[..len]);
        } else {
            kernels::add_scaled(&self.exec, &mut x[..len], &y[..len], factor);
        }
    }

    fn zero(&self, x: &mut Floats, len: usize) {
        x[..len].fill(0.0);
    }

    fn scale(&self, x: &mut Floats, factor: f32, len: usize) {
        kernels::scale(&self.exec, &mut x[..len], factor);
    }

    fn softcap(&self, x: &mut Floats, cap: f32, len: usize) {
        kernels::softcap(&self.exec, &mut x[..len], cap);
    }

    fn clamp(&self, x: &mut Floats, limit: f32, len: usize) {
        for value in &mut x[..len] {
            *value = value.clamp(-limit, limit);
        }
    }

    fn route(&self, scores: &Floats, rows: usize, rule: &RouteRule, routing: &mut Routing) {
        routing.choose(scores, rows, rule);
    }

    fn gates(&self, scores: &mut Floats, rows: usize, out: &mut Vec<f32>) {
        kernels::activate(&self.exec, Activation::Sigmoid, &mut scores[..rows]);
        out.clear();
        out.extend_from_slice(&scores[..rows]);
    }

    fn gather(&self, x: &Floats, ids: &[u32], cols: usize, out: &mut Floats) {
        for (row, &id) in out.chunks_exact_mut(cols).zip(ids) {
            row.copy_from_slice(&x[id as usize * cols..][..cols]);
        }
    }

    fn scatter_add(&self, y: &Floats, ids: &[u32], weights: &[f32], cols: usize, x: &mut Floats) {
        for ((row, &id), &weight) in y.chunks_exact(cols).zip(ids).zip(weights) {
            kernels::add_scaled(&self.exec, &mut x[id as usize * cols..][..cols], row, weight);
        }
    }
}

/// Rows of all spans.
fn rows(spans: &[AttendSpan<'_>]) -> usize {
    spans.iter().map(|span| span.rows).sum()
}

/// Whether no value becomes infinite as an `f16`. What is not a number is another matter.
fn fits_f16(values: &[f32]) -> bool {
    /// Rounds to 65536, which `f16` does not have.
    const FIRST_TOO_LARGE: f32 = 65520.0;
    // Bits without their sign are in the order of the values, and their highest is found for many
    // at once.
    let magnitude = |x: &f32| x.to_bits() & 0x7fff_ffff;
    let highest = values.iter().map(magnitude).fold(0, u32::max);
    highest < FIRST_TOO_LARGE.to_bits()
        || values.iter().all(|x| x.is_nan() || x.abs() < FIRST_TOO_LARGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_ends_at_65520() {
        let row = |x: f32| [&[0.5; 20][..], &[x]].concat();
        for (x, fits) in [
            (65519.0, true),
            (-65519.0, true),
            (65520.0, false),
            (-1e9, false),
            (f32::INFINITY, false),
            (f32::NAN, true),
        ] {
            assert_eq!(fits_f16(&row(x)), fits, "{x}");
        }
    }
}
