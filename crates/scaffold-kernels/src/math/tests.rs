use super::*;
use crate::{Cpu, simd::Kernel};

struct Apply<'a, T>(&'a [f32], T);

#[derive(Clone, Copy)]
enum Function {
    Exp,
    Tanh,
    Erf,
    Sigmoid,
}

impl Kernel for Apply<'_, Function> {
    type Out = Vec<f32>;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Vec<f32> {
        let mut out = vec![0.0; self.0.len()];
        for (x, out) in self.0.as_chunks::<16>().0.iter().zip(out.as_chunks_mut::<16>().0) {
            let x = s.load(x);
            let y = match self.1 {
                Function::Exp => exp(s, x),
                Function::Tanh => tanh(s, x),
                Function::Erf => erf(s, x),
                Function::Sigmoid => sigmoid(s, x),
            };
            s.store(y, out);
        }
        out
    }
}

/// Taylor series of erf in f64, accurate for |x| < 4.
fn erf64(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..120 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn check(function: Function, range: f32, truth: fn(f64) -> f64, relative: f64) {
    let xs: Vec<f32> = (0..1 << 16).map(|i| (i as f32 / 32768.0 - 1.0) * range).collect();
    let mut all = Vec::new();
    for level in Cpu::available() {
        all.push(Cpu::at(level).unwrap().run(Apply(&xs, function)));
    }
    for other in &all[1..] {
        assert!(all[0].iter().zip(other).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
    for (x, y) in xs.iter().zip(&all[0]) {
        let expected = truth(f64::from(*x));
        let error = (f64::from(*y) - expected).abs();
        assert!(error <= relative * expected.abs().max(1e-37), "{x}: {y} instead of {expected}");
    }
}

#[test]
fn functions_are_accurate_and_equal_on_all_levels() {
    let ulp = f64::from(f32::EPSILON);
    check(Function::Exp, 87.0, f64::exp, 1.5 * ulp);
    check(Function::Tanh, 10.0, f64::tanh, 2.0 * ulp);
    check(Function::Erf, 3.9, erf64, 1.5 * ulp);
    check(Function::Sigmoid, 80.0, |x| 1.0 / (1.0 + (-x).exp()), 3.0 * ulp);
}

#[test]
fn ends_of_the_range() {
    let mut xs = [0.0f32; 16];
    xs[..8].copy_from_slice(&[
        f32::NEG_INFINITY,
        f32::INFINITY,
        -88.0,
        89.0,
        f32::NAN,
        0.0,
        88.7,
        -1e9,
    ]);
    for level in Cpu::available() {
        let cpu = Cpu::at(level).unwrap();
        let y = cpu.run(Apply(&xs, Function::Exp));
        assert_eq!(
            (y[0], y[1], y[2], y[3], y[5], y[7]),
            (0.0, f32::INFINITY, 0.0, f32::INFINITY, 1.0, 0.0)
        );
        assert!(y[4].is_nan());
        assert!((y[6] / 88.7f32.exp() - 1.0).abs() < 1e-6);
        let t = cpu.run(Apply(&xs, Function::Tanh));
        assert_eq!((t[0], t[1], t[5]), (-1.0, 1.0, 0.0));
        let e = cpu.run(Apply(&xs, Function::Erf));
        assert_eq!((e[0], e[1]), (-1.0, 1.0));
    }
}
