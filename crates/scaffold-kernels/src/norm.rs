//! Normalisation of rows.

use crate::{
    exec::Exec,
    shared::SharedMut,
    simd::{Kernel, Simd},
};

/// How the weight of an [`rms_norm`] is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NormWeight {
    /// Multiplied as it is.
    #[default]
    Plain,
    /// Stored minus one, as Gemma does: multiplied as `1 + weight`.
    PlusOne,
}

/// Root-mean-square normalisation of each row (Zhang and Sennrich, 2019):
/// `out = x / sqrt(mean(x²) + eps) * weight`. `x` and `out` are `[rows, weight.len()]`.
///
/// # Panics
/// If `x` is not a whole number of rows or `out` has another size.
pub fn rms_norm(
    exec: &Exec,
    x: &[f32],
    weight: &[f32],
    eps: f32,
    kind: NormWeight,
    out: &mut [f32],
) {
    normalize(exec, x, &Norm { weight, bias: None, eps, mean: Mean::Ignored(kind) }, out);
}

/// Layer normalisation of each row (Ba et al., 2016):
/// `out = (x - mean) / sqrt(variance + eps) * weight + bias`. `x` and `out` are
/// `[rows, weight.len()]`.
///
/// # Panics
/// If `x` is not a whole number of rows, `out` has another size, or the bias another than the
/// weight.
pub fn layer_norm(
    exec: &Exec,
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    eps: f32,
    out: &mut [f32],
) {
    assert!(bias.is_none_or(|bias| bias.len() == weight.len()), "weight and bias have one length");
    normalize(exec, x, &Norm { weight, bias, eps, mean: Mean::Subtracted }, out);
}

#[derive(Clone, Copy)]
enum Mean {
    Ignored(NormWeight),
    Subtracted,
}

struct Norm<'a> {
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    eps: f32,
    mean: Mean,
}

fn normalize(exec: &Exec, x: &[f32], norm: &Norm<'_>, out: &mut [f32]) {
    let cols = norm.weight.len();
    assert!(cols > 0 && x.len().is_multiple_of(cols), "{} values in rows of {cols}", x.len());
    assert_eq!(x.len(), out.len(), "one output for each input");
    let shared = SharedMut::new(out);
    exec.over_rows(x.len() / cols, cols, &|first, count| {
        let range = first * cols..(first + count) * cols;
        let x = &x[range.clone()];
        // SAFETY: every row is given to one call.
        let out = unsafe { shared.range(range) };
        exec.cpu.run(Rows { x, norm, out });
    });
}

struct Rows<'a> {
    x: &'a [f32],
    norm: &'a Norm<'a>,
    out: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let &Norm { weight, bias, eps, mean } = self.norm;
        let cols = weight.len();
        for (x, out) in self.x.chunks_exact(cols).zip(self.out.chunks_exact_mut(cols)) {
            match mean {
                Mean::Ignored(kind) => {
                    let scale = 1.0 / (squares(s, x, 0.0) / cols as f32 + eps).sqrt();
                    let offset = if kind == NormWeight::PlusOne { 1.0 } else { 0.0 };
                    rms_row(s, x, weight, scale, offset, out);
                }
                Mean::Subtracted => {
                    let mean = sum(s, x) / cols as f32;
                    let scale = 1.0 / (squares(s, x, mean) / cols as f32 + eps).sqrt();
                    layer_row(s, x, [mean, scale], weight, bias, out);
                }
            }
        }
    }
}

/// Sum of a row: lane by lane, the tail last.
#[inline(always)]
fn sum<S: Simd>(s: S, x: &[f32]) -> f32 {
    let (body, tail) = x.as_chunks::<16>();
    let mut total = s.splat(0.0);
    for x in body {
        total = s.add(total, s.load(x));
    }
    s.sum(total) + tail.iter().sum::<f32>()
}

/// Sum of squared distances from `mean`.
#[inline(always)]
fn squares<S: Simd>(s: S, x: &[f32], mean: f32) -> f32 {
    let (body, tail) = x.as_chunks::<16>();
    let mut total = s.splat(0.0);
    for x in body {
        let d = s.sub(s.load(x), s.splat(mean));
        total = s.mul_add(d, d, total);
    }
    s.sum(total) + tail.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>()
}

#[inline(always)]
fn rms_row<S: Simd>(s: S, x: &[f32], weight: &[f32], scale: f32, offset: f32, out: &mut [f32]) {
    let ((x, x_tail), (w, w_tail)) = (x.as_chunks::<16>(), weight.as_chunks::<16>());
    let (out, out_tail) = out.as_chunks_mut::<16>();
    for ((x, w), out) in x.iter().zip(w).zip(out) {
        let w = s.add(s.load(w), s.splat(offset));
        s.store(s.mul(s.mul(s.load(x), s.splat(scale)), w), out);
    }
    for ((x, w), out) in x_tail.iter().zip(w_tail).zip(out_tail) {
        *out = x * scale * (w + offset);
    }
}

#[inline(always)]
fn layer_row<S: Simd>(
    s: S,
    x: &[f32],
    [mean, scale]: [f32; 2],
    weight: &[f32],
    bias: Option<&[f32]>,
    out: &mut [f32],
) {
    let ((xs, x_tail), (ws, w_tail)) = (x.as_chunks::<16>(), weight.as_chunks::<16>());
    let whole = xs.len() * 16;
    let (out, out_tail) = out.as_chunks_mut::<16>();
    for (i, ((x, w), out)) in xs.iter().zip(ws).zip(out).enumerate() {
        let unit = s.mul(s.sub(s.load(x), s.splat(mean)), s.splat(scale));
        let bias = match bias {
            Some(bias) => s.load(&bias.as_chunks::<16>().0[i]),
            None => s.splat(0.0),
        };
        s.store(s.mul_add(unit, s.load(w), bias), out);
    }
    for (i, ((x, w), out)) in x_tail.iter().zip(w_tail).zip(out_tail).enumerate() {
        *out = ((x - mean) * scale).mul_add(*w, bias.map_or(0.0, |b| b[whole + i]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cpu, Team, matmul::tests::noise};

    #[test]
    fn norms_match_a_plain_computation_on_all_levels() {
        for cols in [1, 15, 16, 17, 64, 577] {
            let mut next = noise(cols as u64);
            let x: Vec<f32> = (0..5 * cols).map(|_| next() * 3.0 + 0.5).collect();
            let w: Vec<f32> = (0..cols).map(|_| next()).collect();
            let b: Vec<f32> = (0..cols).map(|_| next()).collect();
            let mut seen: Option<Vec<f32>> = None;
            for level in Cpu::available() {
                let exec = Exec { cpu: Cpu::at(level).unwrap(), team: Team::new(2) };
                let mut out = vec![0.0; 3 * x.len()];
                let (rms, rest) = out.split_at_mut(x.len());
                let (plus, layer) = rest.split_at_mut(x.len());
                rms_norm(&exec, &x, &w, 1e-5, NormWeight::Plain, rms);
                rms_norm(&exec, &x, &w, 1e-5, NormWeight::PlusOne, plus);
                layer_norm(&exec, &x, &w, Some(&b), 1e-5, layer);
                for (i, &got) in out.iter().enumerate() {
                    let (kind, at) = (i / x.len(), i % x.len());
                    let row: Vec<f64> =
                        x[at / cols * cols..][..cols].iter().map(|v| f64::from(*v)).collect();
                    let (c, n) = (at % cols, cols as f64);
                    let mean = if kind == 2 { row.iter().sum::<f64>() / n } else { 0.0 };
                    let var = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
                    let unit = (row[c] - mean) / (var + 1e-5).sqrt();
                    let weight = f64::from(w[c]) + if kind == 1 { 1.0 } else { 0.0 };
                    let expected = unit * weight + if kind == 2 { f64::from(b[c]) } else { 0.0 };
                    assert!(
                        (f64::from(got) - expected).abs() < 2e-4,
                        "{kind} {cols} {i}: {got} {expected}"
                    );
                }
                assert_eq!(seen.get_or_insert_with(|| out.clone()), &out, "{level}");
            }
        }
    }
}
