//! Functions of whole registers, the same bits on every level.

use crate::simd::Simd;

/// e^x within 2 units in the last place; 0 below -87.3 (instead of a subnormal), infinite above
/// 88.7.
///
/// Range reduction and polynomial of Cephes' `expf`.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    const LOW: f32 = -87.336_54;
    const HIGH: f32 = 88.722_83;
    let inside = s.max(s.min(x, s.splat(HIGH)), s.splat(LOW));
    let n = s.round(s.mul(inside, s.splat(std::f32::consts::LOG2_E)));
    let y = exp_mantissa(s, inside, n);
    // 2^128 is no float: multiply by two powers of half the size.
    let half = s.round(s.mul(n, s.splat(0.5)));
    let scaled = s.mul(s.mul(y, s.pow2(half)), s.pow2(s.sub(n, half)));
    let low_end = s.select_lt(x, s.splat(LOW), s.splat(0.0), scaled);
    let high_end = s.select_lt(s.splat(HIGH), x, s.splat(f32::INFINITY), low_end);
    // A comparison with NaN is false either way: let it through.
    s.select_lt(x, s.splat(f32::INFINITY), high_end, x)
}

/// [`exp`] of values that are not above 0, with the same bits and in less time.
#[inline(always)]
pub(crate) fn exp_of_negative<S: Simd>(s: S, x: S::F) -> S::F {
    const LOW: f32 = -87.336_54;
    let inside = s.max(x, s.splat(LOW));
    let n = s.round(s.mul(inside, s.splat(std::f32::consts::LOG2_E)));
    let scaled = s.mul(exp_mantissa(s, inside, n), s.pow2(n));
    let low_end = s.select_lt(x, s.splat(LOW), s.splat(0.0), scaled);
    s.select_lt(x, s.splat(f32::INFINITY), low_end, x)
}

/// e^x / 2^n for the nearest integer n to x / ln 2.
#[inline(always)]
fn exp_mantissa<S: Simd>(s: S, x: S::F, n: S::F) -> S::F {
    // ln 2 in two parts, so that n times the first is exact.
    let r = s.mul_add(n, s.splat(-0.693_359_375), x);
    let r = s.mul_add(n, s.splat(2.121_944_4e-4), r);
    let mut p = s.splat(1.987_569_1e-4);
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.000_000_1e-1] {
        p = s.mul_add(p, r, s.splat(c));
    }
    s.add(s.mul_add(p, s.mul(r, r), r), s.splat(1.0))
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    s.div(one, s.add(one, exp(s, s.sub(s.splat(0.0), x))))
}

/// Hyperbolic tangent, within 3 units in the last place (polynomial of Cephes' `tanhf` near 0).
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    let magnitude = s.abs(x);
    let square = s.mul(x, x);
    let mut p = s.splat(-5.704_988_7e-3);
    for c in [2.063_908_9e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328_2e-1] {
        p = s.mul_add(p, square, s.splat(c));
    }
    let near = s.mul_add(s.mul(p, square), x, x);
    let one = s.splat(1.0);
    let e = exp(s, s.add(magnitude, magnitude));
    let far = s.sub(one, s.div(s.splat(2.0), s.add(e, one)));
    s.select_lt(magnitude, s.splat(0.625), near, s.copysign(far, x))
}

/// The error function, within 1.5 units in the last place (minimax polynomials by N. Juffa).
#[inline(always)]
pub(crate) fn erf<S: Simd>(s: S, x: S::F) -> S::F {
    let t = s.abs(x);
    let square = s.mul(x, x);
    let high = s.mul_add(s.splat(-1.728_534_7e-5), t, s.splat(3.831_971_3e-4));
    let low = s.mul_add(s.splat(-3.883_964_4e-3), t, s.splat(2.425_462_2e-2));
    let mut r = s.mul_add(high, square, low);
    for c in [-1.067_778_8e-1, -6.348_468_7e-1, -1.287_175_1e-1] {
        r = s.mul_add(r, t, s.splat(c));
    }
    r = s.mul_add(r, t, s.sub(s.splat(0.0), t));
    let far = s.copysign(s.sub(s.splat(1.0), exp(s, r)), x);
    let mut p = s.splat(-5.967_617e-4);
    for c in [4.991_194_2e-3, -2.676_813_5e-2, 1.128_199_25e-1, -3.761_253_4e-1, 1.283_791_66e-1] {
        p = s.mul_add(p, square, s.splat(c));
    }
    let near = s.mul_add(p, x, x);
    s.select_lt(t, s.splat(0.927_734_4), near, far)
}

#[cfg(test)]
mod tests;
