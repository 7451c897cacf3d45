//! The best scale of one group of values: 16 or 32 that share it.
//!
//! The scale that brings the largest value to the end of the range is rarely the best one: a little more or less moves every other
//! value's rounding. So a row of scales near it is tried, and for the codes that each gives, the scale (and minimum) with the
//! least squares is worked out in closed form. What is least is the error weighted by `weights`.

use super::lanes::{code, sums};

/// How far scales are tried, in codes, in each direction, and in what steps.
const STEPS: i32 = 10;
const STEP: f32 = 0.1;

/// The values of a group, and what an error in each of them weighs.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    pub(super) values: &'a [f32],
    pub(super) weights: &'a [f32],
}

/// A scale, and what is subtracted from every multiple of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fit {
    pub(super) scale: f32,
    pub(super) minimum: f32,
}

impl Group<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }

    /// The code of the value at `i`.
    #[inline(always)]
    pub(super) fn code(&self, i: usize, fit: Fit, inverse: f32, low: f32, high: f32) -> f32 {
        code((self.values[i] + fit.minimum) * inverse, low, high)
    }

    /// The weighted error when every value takes its nearest code from `low` to `high`.
    #[inline(always)]
    pub(super) fn error(&self, fit: Fit, low: f32, high: f32) -> f32 {
        let inverse = inverse(fit.scale);
        let [error] = sums(self.len(), |i| {
            let code = self.code(i, fit, inverse, low, high);
            let off = fit.scale * code - fit.minimum - self.values[i];
            [self.weights[i] * off * off]
        });
        error
    }

    /// The best scale for codes from `-half` to `half - 1`.
    #[inline(always)]
    pub(super) fn symmetric(&self, half: f32) -> f32 {
        let larger = |a: f32, &b: &f32| if b.abs() > a.abs() { b } else { a };
        let extreme = self.values.iter().fold(0.0, larger);
        if extreme == 0.0 {
            return 0.0;
        }
        let (mut best, mut gain) = (extreme / -half, f32::NEG_INFINITY);
        for step in -STEPS..=STEPS {
            let inverse = -(half + STEP * step as f32) / extreme;
            let [with_code, of_codes] = sums(self.len(), |i| {
                let code = code(inverse * self.values[i], -half, half - 1.0);
                let weighted = self.weights[i] * code;
                [weighted * self.values[i], weighted * code]
            });
            // The error is what the values weigh, less this.
            let gained = with_code * with_code / of_codes;
            if of_codes > 0.0 && gained > gain {
                (best, gain) = (with_code / of_codes, gained);
            }
        }
        best
    }

    /// The best scale and minimum for codes from 0 to `top`; the minimum is not negative unless it may be.
    #[inline(always)]
    pub(super) fn affine(&self, top: f32, signed: bool) -> Fit {
        let least = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let most = self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let least = if signed { least } else { least.min(0.0) };
        if most <= least {
            return Fit { scale: 0.0, minimum: -least };
        }
        let start = Fit { scale: (most - least) / top, minimum: -least };
        let (mut best, mut error) = (start, self.error(start, 0.0, top));
        let [weight, of_values] =
            sums(self.len(), |i| [self.weights[i], self.weights[i] * self.values[i]]);
        for step in -STEPS..=STEPS {
            let inverse = (top + STEP * step as f32) / (most - least);
            let [of_codes, of_squares, with_code] = sums(self.len(), |i| {
                let code = code(inverse * (self.values[i] - least), 0.0, top);
                let weighted = self.weights[i] * code;
                [weighted, weighted * code, weighted * self.values[i]]
            });
            let over = weight * of_squares - of_codes * of_codes;
            if over <= 0.0 {
                continue;
            }
            let mut fit = Fit {
                scale: (weight * with_code - of_values * of_codes) / over,
                minimum: (of_codes * with_code - of_squares * of_values) / over,
            };
            if fit.minimum < 0.0 && !signed {
                fit = Fit { scale: with_code / of_squares, minimum: 0.0 };
            }
            let found = self.error(fit, 0.0, top);
            if found < error {
                (best, error) = (fit, found);
            }
        }
        best
    }
}

/// One over `scale`, where that can be told.
#[inline(always)]
pub(super) fn inverse(scale: f32) -> f32 {
    let inverse = 1.0 / scale;
    if inverse.is_finite() { inverse } else { 0.0 }
}
