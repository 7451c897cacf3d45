//! Blocks of 256 values, whose groups have whole numbers for scales.
//!
//! Every group has its best scale (and minimum) first. Then they are rounded to whole multiples of two f16 that the block shares,
//! which moves all of them a little: so the neighbours of each are tried again, and the two shared numbers are fitted to what was
//! chosen, by turns, until nothing is gained.

use half::f16;

use super::groups::{Fit, Group, inverse};
use super::lanes::sums;
use crate::blocks::{Block, Scales, Scheme};

/// Values of a block.
const VALUES: usize = 256;
/// How often scales and shared numbers are fitted to each other, at most.
const TURNS: usize = 4;

/// The range of a type's numbers.
#[derive(Clone, Copy)]
struct Range {
    /// Codes, less the scheme's zero.
    low: f32,
    high: f32,
    /// Scales and minima of groups.
    low_scale: i32,
    high_scale: i32,
}

impl Range {
    fn of(scheme: Scheme) -> Self {
        let codes = 1 << (scheme.low + scheme.high);
        let (low_scale, high_scale) = match (scheme.scales, codes) {
            (Scales::SuperMin, 4) => (0, 15),
            (Scales::SuperMin, _) => (0, 63),
            // Q3_K has six bits for them, Q6_K eight.
            (_, 8) => (-32, 31),
            _ => (-128, 127),
        };
        Self {
            low: -scheme.zero as f32,
            high: (codes - 1 - scheme.zero) as f32,
            low_scale,
            high_scale,
        }
    }
}

/// A block in the making.
struct Making<'a> {
    values: &'a [f32],
    weights: &'a [f32],
    size: usize,
    range: Range,
    has_min: bool,
}

/// What is looked for: two shared numbers, and whole multiples of them for each group.
#[derive(Clone, Copy)]
struct Chosen {
    scale: f32,
    minimum: f32,
    scales: [i32; 16],
    minima: [i32; 16],
}

impl Chosen {
    /// What a group has.
    fn fit(&self, index: usize) -> Fit {
        Fit {
            scale: self.scale * self.scales[index] as f32,
            minimum: self.minimum * self.minima[index] as f32,
        }
    }
}

/// The block that comes nearest to `values`.
#[inline(always)]
pub(super) fn block(scheme: Scheme, values: &[f32; VALUES], weights: &[f32; VALUES]) -> Block {
    let has_min = scheme.has_min();
    let making = Making { values, weights, size: scheme.group, range: Range::of(scheme), has_min };
    let mut best = making.start();
    let mut error = making.error(&best);
    for _ in 0..TURNS {
        let mut next = best;
        making.move_groups(&mut next);
        making.move_shared(&mut next);
        let found = making.error(&next);
        if found >= error {
            break;
        }
        (best, error) = (next, found);
    }
    making.written(&best, scheme.zero)
}

impl Making<'_> {
    fn groups(&self) -> usize {
        VALUES / self.size
    }

    #[inline(always)]
    fn group(&self, index: usize) -> Group<'_> {
        let range = index * self.size..(index + 1) * self.size;
        Group { values: &self.values[range.clone()], weights: &self.weights[range] }
    }

    /// The best scales of the groups, rounded.
    #[inline(always)]
    fn start(&self) -> Chosen {
        let Range { low, high, low_scale, high_scale } = self.range;
        let mut fits = [Fit::default(); 16];
        for (index, fit) in fits.iter_mut().enumerate().take(self.groups()) {
            let group = self.group(index);
            *fit = if self.has_min {
                group.affine(high, false)
            } else {
                Fit { scale: group.symmetric(-low), minimum: 0.0 }
            };
        }
        let larger = |a: f32, b: f32| if b.abs() > a.abs() { b } else { a };
        let scale = fits.iter().map(|fit| fit.scale).fold(0.0, larger);
        let minimum = fits.iter().map(|fit| fit.minimum).fold(0.0, larger);
        let end = if self.has_min { high_scale } else { low_scale };
        let (scale, minimum) = (half(scale / end as f32), half(minimum / high_scale as f32));
        let whole = |value: f32, unit: f32| {
            ((value * inverse(unit)).round_ties_even() as i32).clamp(low_scale, high_scale)
        };
        Chosen {
            scale,
            minimum,
            scales: fits.map(|fit| whole(fit.scale, scale)),
            minima: fits.map(|fit| whole(fit.minimum, minimum)),
        }
    }

    #[inline(always)]
    fn error(&self, chosen: &Chosen) -> f32 {
        let Range { low, high, .. } = self.range;
        (0..self.groups()).map(|index| self.group(index).error(chosen.fit(index), low, high)).sum()
    }

    /// Every group takes the best of its numbers' neighbours.
    #[inline(always)]
    fn move_groups(&self, chosen: &mut Chosen) {
        let Range { low, high, low_scale, high_scale } = self.range;
        let steps = if self.has_min { -1..=1 } else { 0..=0 };
        for index in 0..self.groups() {
            let (scale, minimum) = (chosen.scales[index], chosen.minima[index]);
            let mut least = f32::INFINITY;
            for (down, up) in (-1..=1).flat_map(|up| steps.clone().map(move |down| (down, up))) {
                let scale = (scale + up).clamp(low_scale, high_scale);
                let minimum = (minimum + down).clamp(low_scale, high_scale);
                let fit = Fit {
                    scale: chosen.scale * scale as f32,
                    minimum: chosen.minimum * minimum as f32,
                };
                let error = self.group(index).error(fit, low, high);
                if error < least {
                    least = error;
                    (chosen.scales[index], chosen.minima[index]) = (scale, minimum);
                }
            }
        }
    }

    /// The shared numbers with the least squares for the groups' numbers and codes.
    #[inline(always)]
    fn move_shared(&self, chosen: &mut Chosen) {
        let Range { low, high, .. } = self.range;
        // Of products of multiples of the two, a and b, and of the values, v.
        let [mut aa, mut ab, mut bb, mut av, mut bv] = [0.0f32; 5];
        for index in 0..self.groups() {
            let group = self.group(index);
            let fit = chosen.fit(index);
            let inverse = inverse(fit.scale);
            let (scale, minimum) = (chosen.scales[index] as f32, -chosen.minima[index] as f32);
            let [of_squares, of_codes, with_code, weight, of_values] = sums(self.size, |i| {
                let code = group.code(i, fit, inverse, low, high);
                let (weight, value) = (group.weights[i], group.values[i]);
                [weight * code * code, weight * code, weight * code * value, weight, weight * value]
            });
            aa += scale * scale * of_squares;
            ab += scale * minimum * of_codes;
            bb += minimum * minimum * weight;
            av += scale * with_code;
            bv += minimum * of_values;
        }
        let over = aa * bb - ab * ab;
        let (scale, minimum) = if over > 1e-6 * aa * bb {
            ((av * bb - bv * ab) / over, (bv * aa - av * ab) / over)
        } else {
            ((av - ab * chosen.minimum) / aa, chosen.minimum)
        };
        if scale.is_finite()
            && minimum.is_finite()
            && (!self.has_min || scale > 0.0 && minimum >= 0.0)
        {
            (chosen.scale, chosen.minimum) = (half(scale), half(minimum));
        }
    }

    #[inline(always)]
    fn written(&self, chosen: &Chosen, zero: i32) -> Block {
        let Range { low, high, .. } = self.range;
        let mut block = Block::new();
        block.d = f16::from_f32(chosen.scale).to_bits();
        block.m = f16::from_f32(chosen.minimum).to_bits();
        for index in 0..self.groups() {
            block.sub[index] = chosen.scales[index] as u8;
            block.sub_min[index] = chosen.minima[index] as u8;
            let group = self.group(index);
            let fit = chosen.fit(index);
            let inverse = inverse(fit.scale);
            for i in 0..self.size {
                let code = group.code(i, fit, inverse, low, high) as i32 + zero;
                block.codes[index * self.size + i] = code as u8;
            }
        }
        block
    }
}

/// The nearest number that an f16 has room for.
fn half(value: f32) -> f32 {
    let most = f16::MAX.to_f32();
    f16::from_f32(value.clamp(-most, most)).to_f32()
}
