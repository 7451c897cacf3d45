//! Rotary position embeddings (Su et al. 2021) and their scalings: from a [`RopeSpec`] to the
//! cosines and sines of the rows in a step. Which pairs are rotated, and by what, is all here; the
//! rotation itself is a kernel.

use std::f64::consts::PI;

pub use scaffold_kernels::RopeStyle;

/// A rotary embedding.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeSpec {
    /// The frequencies' base (`rope_theta`).
    pub base: f64,
    /// How many of a head's values are rotated, from the first on; even.
    pub dims: usize,
    /// Which values form a pair.
    pub style: RopeStyle,
    /// How the frequencies are stretched for longer contexts.
    pub scaling: RopeScaling,
}

/// How the frequencies of a rope are stretched.
#[derive(Clone, Debug, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All frequencies divided by `factor`.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// The base grows with the sequence once it is longer than `original` ("dynamic NTK").
    Dynamic {
        /// Growth of the base.
        factor: f64,
        /// The context before scaling.
        original: usize,
    },
    /// Llama 3.1: low frequencies divided by `factor`, high ones kept, a ramp between.
    Llama3 {
        /// The divisor.
        factor: f64,
        /// Wavelengths above `original / low` are divided.
        low: f64,
        /// Wavelengths below `original / high` are kept.
        high: f64,
        /// The context before scaling.
        original: usize,
    },
    /// YaRN (Peng et al. 2023).
    Yarn {
        /// The divisor of the low frequencies.
        factor: f64,
        /// Pairs that turn more often than this over the original context are kept.
        beta_fast: f64,
        /// Pairs that turn less often are divided.
        beta_slow: f64,
        /// The ramp's ends are rounded to whole pairs.
        truncate: bool,
        /// Factor on cosines and sines.
        attention_factor: f64,
        /// The context before scaling.
        original: usize,
    },
    /// LongRoPE (Ding et al. 2024): two lists of divisors, one a pair.
    LongRope {
        /// For sequences of at most `original` tokens.
        short: Vec<f32>,
        /// For longer ones.
        long: Vec<f32>,
        /// Factor on cosines and sines.
        attention_factor: f64,
        /// The context before scaling.
        original: usize,
    },
    /// One divisor a pair (the `rope_freqs` tensor of a GGUF file).
    Factors(Vec<f32>),
}

impl RopeSpec {
    /// Frequencies depend on how long the sequence is, so a cached key cannot serve a sequence of
    /// another regime.
    pub fn depends_on_length(&self) -> bool {
        matches!(self.scaling, RopeScaling::Dynamic { .. } | RopeScaling::LongRope { .. })
    }

    /// How far the rope reaches where a configuration says `context` positions. Those of YaRN,
    /// linear and dynamic scaling mostly give the number before scaling; Llama 3's and LongRoPE's
    /// the one after it.
    pub(crate) fn stretched_context(&self, context: usize) -> usize {
        let times = |original: usize, factor: f64| (original as f64 * factor).min(1e9) as usize;
        match self.scaling {
            RopeScaling::Linear { factor } | RopeScaling::Dynamic { factor, .. } => {
                context.max(times(context, factor))
            }
            RopeScaling::Yarn { factor, original, .. } => context.max(times(original, factor)),
            _ => context,
        }
    }

    /// Lengths with the same number have the same frequencies.
    pub(crate) fn regime(&self, length: usize) -> usize {
        match &self.scaling {
            RopeScaling::Dynamic { original, .. } if length > *original => length,
            RopeScaling::LongRope { original, .. } if length > *original => 1,
            _ => 0,
        }
    }

    /// Factor on cosines and sines.
    pub fn attention_factor(&self) -> f32 {
        match &self.scaling {
            RopeScaling::Yarn { attention_factor, .. }
            | RopeScaling::LongRope { attention_factor, .. } => *attention_factor as f32,
            _ => 1.0,
        }
    }

    /// The frequency of each pair `[dims / 2]`, in radians a token, for a sequence of `length`
    /// tokens.
    pub fn frequencies(&self, length: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.dims / 2];
        self.frequencies_into(length, &mut out);
        out
    }

    /// [`RopeSpec::frequencies`] into a buffer of `dims / 2` values.
    pub(crate) fn frequencies_into(&self, length: usize, out: &mut [f32]) {
        let dims = self.dims as f64;
        let base = match self.scaling {
            RopeScaling::Dynamic { factor, original } if length > original => {
                let stretch = factor * length as f64 / original as f64 - (factor - 1.0);
                self.base * stretch.powf(dims / (dims - 2.0))
            }
            _ => self.base,
        };
        for (i, f) in out.iter_mut().enumerate() {
            let plain = base.powf(-(2.0 * i as f64) / dims);
            *f = self.stretched(i, plain, length) as f32;
        }
    }

    /// Pair `i`'s frequency after scaling.
    fn stretched(&self, i: usize, plain: f64, length: usize) -> f64 {
        match &self.scaling {
            RopeScaling::None | RopeScaling::Dynamic { .. } => plain,
            RopeScaling::Linear { factor } => plain / factor,
            RopeScaling::Llama3 { factor, low, high, original } => {
                let turns = *original as f64 * plain / (2.0 * PI);
                let keep = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                plain * (keep + (1.0 - keep) / factor)
            }
            RopeScaling::Yarn { factor, beta_fast, beta_slow, truncate, original, .. } => {
                let (first, last) = self.yarn_ramp(*beta_fast, *beta_slow, *truncate, *original);
                let divided = ((i as f64 - first) / (last - first)).clamp(0.0, 1.0);
                plain * (divided / factor + (1.0 - divided))
            }
            RopeScaling::LongRope { short, long, original, .. } => {
                let factors = if length > *original { long } else { short };
                plain / f64::from(factors[i])
            }
            RopeScaling::Factors(factors) => plain / f64::from(factors[i]),
        }
    }

    /// The pairs between which YaRN goes from kept to divided.
    fn yarn_ramp(
        &self,
        beta_fast: f64,
        beta_slow: f64,
        truncate: bool,
        original: usize,
    ) -> (f64, f64) {
        let dims = self.dims as f64;
        let pair = |turns: f64| {
            dims * (original as f64 / (turns * 2.0 * PI)).ln() / (2.0 * self.base.ln())
        };
        let (mut first, mut last) = (pair(beta_fast), pair(beta_slow));
        if truncate {
            (first, last) = (first.floor(), last.ceil());
        }
        (first, last) = (first.max(0.0), last.min(dims - 1.0));
        if first == last {
            last += 0.001;
        }
        (first, last)
    }
}

/// The cosines and sines of a step's rows, `[rows, dims / 2]` each.
#[derive(Debug, Default)]
pub(crate) struct RopeTable {
    pub(crate) cos: Vec<f32>,
    pub(crate) sin: Vec<f32>,
    frequencies: Vec<f32>,
}

impl RopeTable {
    /// A table with room for `rows` rows.
    pub(crate) fn new(rope: &RopeSpec, rows: usize) -> Self {
        let half = rope.dims / 2;
        let mut frequencies = vec![0.0; half];
        rope.frequencies_into(0, &mut frequencies);
        Self {
            cos: Vec::with_capacity(rows * half),
            sin: Vec::with_capacity(rows * half),
            frequencies,
        }
    }

    /// Drops the rows of the step before.
    pub(crate) fn clear(&mut self) {
        self.cos.clear();
        self.sin.clear();
    }

    /// Appends the rows at positions `start ..` of a sequence that was planned for `planned`
    /// tokens.
    ///
    /// Ropes that depend on the length take the planned one for every row inside it, so that a
    /// prompt is rotated alike however it is cut, and the row's own length after it, as
    /// `transformers` does while it generates.
    pub(crate) fn extend(&mut self, rope: &RopeSpec, start: usize, rows: usize, planned: usize) {
        let factor = rope.attention_factor();
        for position in start..start + rows {
            if rope.depends_on_length() {
                rope.frequencies_into(planned.max(position + 1), &mut self.frequencies);
            }
            for f in &self.frequencies {
                let angle = position as f32 * f;
                self.cos.push(angle.cos() * factor);
                self.sin.push(angle.sin() * factor);
            }
        }
    }
}

#[cfg(test)]
mod tests;
