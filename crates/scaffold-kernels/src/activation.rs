//! Element-wise functions of rows: activations, gates, sums, caps.

use crate::{
    exec::Exec,
    math::{erf, exp, sigmoid, tanh},
    shared::SharedMut,
    simd::{Kernel, Simd},
};

/// An activation function, by the formulas of `transformers`' `ACT2FN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x`.
    Identity,
    /// `x · sigmoid(x)` (`silu`, `swish`).
    Silu,
    /// `x/2 · (1 + erf(x/√2))` (`gelu`).
    Gelu,
    /// `x/2 · (1 + tanh(√(2/π)(x + 0.044715 x³)))` (`gelu_new`, `gelu_pytorch_tanh`, `gelu_fast`).
    GeluTanh,
    /// `x · sigmoid(1.702 x)` (`quick_gelu`).
    QuickGelu,
    /// `max(x, 0)` (`relu`).
    Relu,
    /// `max(x, 0)²` (`relu2`).
    ReluSquared,
    /// `min(max(x, 0), 6)` (`relu6`).
    Relu6,
    /// `sigmoid(x)`.
    Sigmoid,
    /// `tanh(x)`.
    Tanh,
}

impl Activation {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F) -> S::F {
        let zero = s.splat(0.0);
        match self {
            Self::Identity => x,
            Self::Silu => s.div(x, s.add(s.splat(1.0), exp(s, s.sub(zero, x)))),
            Self::Gelu => {
                let half = s.mul(x, s.splat(0.5));
                let e = erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2)));
                s.mul_add(half, e, half)
            }
            Self::GeluTanh => {
                let half = s.mul(x, s.splat(0.5));
                let cube = s.mul(s.mul(x, x), x);
                let inner = s.mul_add(cube, s.splat(0.044_715), x);
                let t = tanh(s, s.mul(inner, s.splat(0.797_884_6)));
                s.mul_add(half, t, half)
            }
            Self::QuickGelu => s.mul(x, sigmoid(s, s.mul(x, s.splat(1.702)))),
            Self::Relu => s.max(x, zero),
            Self::ReluSquared => {
                let positive = s.max(x, zero);
                s.mul(positive, positive)
            }
            Self::Relu6 => s.min(s.max(x, zero), s.splat(6.0)),
            Self::Sigmoid => sigmoid(s, x),
            Self::Tanh => tanh(s, x),
        }
    }
}

/// Applies an activation in place.
pub fn activate(exec: &Exec, activation: Activation, x: &mut [f32]) {
    let len = x.len();
    let shared = SharedMut::new(x);
    exec.over_rows(len.div_ceil(PIECE), PIECE, &|first, count| {
        // SAFETY: every piece is given to one call.
        let x = unsafe { shared.range(first * PIECE..len.min((first + count) * PIECE)) };
        exec.cpu.run(InPlace { op: Op::Activate(activation), x, with: None });
    });
}

/// What [`Activations::load_gated`](crate::Activations::load_gated) quantizes, in memory: `x` is
/// `[rows, 2n]`, each row a gate followed by a value, and `out = activation(gate) * value` is
/// `[rows, n]`.
///
/// # Panics
/// If the sizes do not fit.
#[cfg(test)]
pub(crate) fn gated(exec: &Exec, activation: Activation, x: &[f32], n: usize, out: &mut [f32]) {
    assert!(n > 0 && out.len().is_multiple_of(n), "{} outputs in rows of {n}", out.len());
    assert_eq!(x.len(), 2 * out.len(), "a gate and a value for each output");
    let shared = SharedMut::new(out);
    exec.over_rows(x.len() / (2 * n), 2 * n, &|first, count| {
        for row in first..first + count {
            let (gate, value) = x[row * 2 * n..(row + 1) * 2 * n].split_at(n);
            // SAFETY: every row is given to one call.
            let out = unsafe { shared.range(row * n..(row + 1) * n) };
            exec.cpu.run(Gated { activation, gate, value, out });
        }
    });
}

/// `x += y`.
///
/// # Panics
/// If the lengths differ.
pub fn add(exec: &Exec, x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "one term for each value");
    in_place(exec, Op::Add, x, Some(y));
}

/// `x += factor * y`, rounded once: weighted sums of experts.
///
/// # Panics
/// If the lengths differ.
pub fn add_scaled(exec: &Exec, x: &mut [f32], y: &[f32], factor: f32) {
    assert_eq!(x.len(), y.len(), "one term for each value");
    in_place(exec, Op::AddScaled(factor), x, Some(y));
}

/// Adds `bias` to each row of `x`, `[rows, bias.len()]`.
///
/// # Panics
/// If `x` is not a whole number of rows.
pub fn add_bias(exec: &Exec, x: &mut [f32], bias: &[f32]) {
    assert!(!bias.is_empty() && x.len().is_multiple_of(bias.len()), "whole rows of {}", bias.len());
    let cols = bias.len();
    let rows = x.len() / cols;
    let shared = SharedMut::new(x);
    exec.over_rows(rows, cols, &|first, count| {
        for row in first..first + count {
            // SAFETY: every row is given to one call.
            let x = unsafe { shared.range(row * cols..(row + 1) * cols) };
            exec.cpu.run(InPlace { op: Op::Add, x, with: Some(bias) });
        }
    });
}

/// `x *= y`, element by element.
///
/// # Panics
/// If the lengths differ.
pub fn multiply(exec: &Exec, x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "one factor for each value");
    in_place(exec, Op::Multiply, x, Some(y));
}

/// `x *= factor`.
pub fn scale(exec: &Exec, x: &mut [f32], factor: f32) {
    in_place(exec, Op::Scale(factor), x, None);
}

/// `x = cap * tanh(x / cap)`: keeps values within ±cap (Gemma 2).
pub fn softcap(exec: &Exec, x: &mut [f32], cap: f32) {
    in_place(exec, Op::Softcap(cap), x, None);
}

/// Values that one call of an in-place kernel takes.
const PIECE: usize = 1024;

fn in_place(exec: &Exec, op: Op, x: &mut [f32], with: Option<&[f32]>) {
    let len = x.len();
    let shared = SharedMut::new(x);
    exec.over_rows(len.div_ceil(PIECE), PIECE, &|first, count| {
        let range = first * PIECE..len.min((first + count) * PIECE);
        let with = with.map(|with| &with[range.clone()]);
        // SAFETY: every piece is given to one call.
        let x = unsafe { shared.range(range) };
        exec.cpu.run(InPlace { op, x, with });
    });
}

#[derive(Clone, Copy)]
enum Op {
    Activate(Activation),
    Add,
    AddScaled(f32),
    Multiply,
    Scale(f32),
    Softcap(f32),
}

impl Op {
    #[inline(always)]
    fn apply<S: Simd>(self, s: S, x: S::F, with: S::F) -> S::F {
        match self {
            Self::Activate(activation) => activation.apply(s, x),
            Self::Add => s.add(x, with),
            Self::AddScaled(factor) => s.mul_add(s.splat(factor), with, x),
            Self::Multiply => s.mul(x, with),
            Self::Scale(factor) => s.mul(x, s.splat(factor)),
            Self::Softcap(cap) => s.mul(tanh(s, s.div(x, s.splat(cap))), s.splat(cap)),
        }
    }
}

/// A row's last values, filled up to a register; the padding is computed and dropped.
#[inline(always)]
fn padded(tail: &[f32]) -> [f32; 16] {
    let mut full = [0.0; 16];
    full[..tail.len()].copy_from_slice(tail);
    full
}

struct InPlace<'a> {
    op: Op,
    x: &'a mut [f32],
    with: Option<&'a [f32]>,
}

impl Kernel for InPlace<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (with, with_tail) = self.with.unwrap_or(&[]).as_chunks::<16>();
        let (body, tail) = self.x.as_chunks_mut::<16>();
        for (i, x) in body.iter_mut().enumerate() {
            let with = match with.get(i) {
                Some(with) => s.load(with),
                None => s.splat(0.0),
            };
            s.store(self.op.apply(s, s.load(x), with), x);
        }
        if !tail.is_empty() {
            let mut full = padded(tail);
            let y = self.op.apply(s, s.load(&full), s.load(&padded(with_tail)));
            s.store(y, &mut full);
            tail.copy_from_slice(&full[..tail.len()]);
        }
    }
}

pub(crate) struct Gated<'a> {
    pub(crate) activation: Activation,
    pub(crate) gate: &'a [f32],
    pub(crate) value: &'a [f32],
    pub(crate) out: &'a mut [f32],
}

impl Kernel for Gated<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ((gate, gate_tail), (value, value_tail)) =
            (self.gate.as_chunks::<16>(), self.value.as_chunks::<16>());
        let (out, tail) = self.out.as_chunks_mut::<16>();
        for ((gate, value), out) in gate.iter().zip(value).zip(out) {
            s.store(s.mul(self.activation.apply(s, s.load(gate)), s.load(value)), out);
        }
        if !tail.is_empty() {
            let gate = self.activation.apply(s, s.load(&padded(gate_tail)));
            let mut full = [0.0; 16];
            s.store(s.mul(gate, s.load(&padded(value_tail))), &mut full);
            tail.copy_from_slice(&full[..tail.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cpu, Team, matmul::tests::noise};

    fn execs() -> Vec<Exec> {
        let at = |level| Exec { cpu: Cpu::at(level).unwrap(), team: Team::new(2) };
        Cpu::available().into_iter().map(at).collect()
    }

    /// Values of `torch.nn.functional` at -3, -0.5, 0, 0.7 and 4 in f64.
    #[test]
    fn activations_match_their_formulas() {
        let xs = [-3.0f32, -0.5, 0.0, 0.7, 4.0];
        let cases: [(Activation, [f64; 5]); 9] = [
            (Activation::Silu, [-0.142_277_62, -0.188_770_33, 0.0, 0.467_731_44, 3.928_055_16]),
            (Activation::Gelu, [-0.004_049_69, -0.154_268_77, 0.0, 0.530_625_44, 3.999_873_31]),
            (Activation::GeluTanh, [-0.003_637_39, -0.154_285_99, 0.0, 0.530_570_13, 3.999_929_75]),
            (
                Activation::QuickGelu,
                [-0.018_071_31, -0.149_611_56, 0.0, 0.536_893_95, 3.995_585_28],
            ),
            (Activation::Relu, [0.0, 0.0, 0.0, 0.7, 4.0]),
            (Activation::ReluSquared, [0.0, 0.0, 0.0, 0.49, 16.0]),
            (Activation::Relu6, [0.0, 0.0, 0.0, 0.7, 4.0]),
            (Activation::Sigmoid, [0.047_425_87, 0.377_540_67, 0.5, 0.668_187_77, 0.982_013_79]),
            (Activation::Tanh, [-0.995_054_75, -0.462_117_16, 0.0, 0.604_367_78, 0.999_329_30]),
        ];
        for exec in execs() {
            for (activation, expected) in cases {
                let mut x = xs;
                activate(&exec, activation, &mut x);
                for (got, expected) in x.iter().zip(expected) {
                    assert!(
                        (f64::from(*got) - expected).abs() < 1e-6,
                        "{activation:?} {got} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn long_and_odd_rows_agree_on_all_levels() {
        let mut seen: Option<Vec<f32>> = None;
        for exec in execs() {
            let mut next = noise(3);
            let mut x: Vec<f32> = (0..40_007).map(|_| next() * 4.0).collect();
            let y: Vec<f32> = (0..x.len()).map(|_| next()).collect();
            add(&exec, &mut x, &y);
            add_scaled(&exec, &mut x, &y, 0.25);
            multiply(&exec, &mut x, &y);
            scale(&exec, &mut x, 1.5);
            softcap(&exec, &mut x, 3.0);
            assert!(x.iter().all(|v| v.abs() <= 3.0));
            let bias: Vec<f32> = (0..40_007 / 13).map(|_| next()).collect();
            let rows = x.len() / bias.len() * bias.len();
            add_bias(&exec, &mut x[..rows], &bias);
            let mut out = vec![0.0; 33 * 13];
            gated(&exec, Activation::Silu, &x[..66 * 13], 33, &mut out);
            for (i, out) in out.iter().enumerate() {
                let (gate, value) = (x[i / 33 * 66 + i % 33], x[i / 33 * 66 + 33 + i % 33]);
                assert!((out - gate / (1.0 + (-gate).exp()) * value).abs() < 1e-5);
            }
            x.extend(out);
            assert_eq!(seen.get_or_insert_with(|| x.clone()), &x, "{}", exec.cpu.level());
        }
    }
}
