//! Rotary position embedding (Su et al., 2021).

use crate::{
    exec::Exec,
    shared::SharedMut,
    simd::{Kernel, Simd},
};

/// Which two values of a head are rotated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RopeStyle {
    /// Value i with value i + half of the rotated part (GPT-NeoX, Llama in `transformers`).
    Halves,
    /// Value 2i with value 2i + 1 (GPT-J, and Llama's weights as GGUF stores them).
    Interleaved,
}

/// Cosines and sines for the rows of a batch: computed once a step, used in every layer.
///
/// ```
/// use scaffold_kernels::*;
/// let exec = Exec::new(1);
/// let mut angles = RopeAngles::new();
/// angles.load(&[0, 7], &[1.0, 0.1], 1.0);
/// let mut x = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]; // two rows, one head of four values
/// rope(&exec, &mut x, 1, 4, &angles, RopeStyle::Halves);
/// assert_eq!(x[..4], [1.0, 0.0, 0.0, 1.0]); // position 0 rotates nothing
/// assert_eq!(x[4], 7f32.cos());
/// ```
#[derive(Debug, Default, Clone)]
pub struct RopeAngles {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl RopeAngles {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// The angles of rows at `positions`: position times inverse frequency in f32, as
    /// `transformers` computes it, and cosine and sine multiplied by `attention_factor` (1 unless
    /// the scaling of YaRN or LongRoPE asks for another). `inv_freq` has one entry for each pair.
    pub fn load(&mut self, positions: &[u32], inv_freq: &[f32], attention_factor: f32) {
        self.half = inv_freq.len();
        self.cos.clear();
        self.sin.clear();
        for &position in positions {
            for &frequency in inv_freq {
                let (sin, cos) = f64::from(position as f32 * frequency).sin_cos();
                self.cos.push(cos as f32 * attention_factor);
                self.sin.push(sin as f32 * attention_factor);
            }
        }
    }

    /// Takes cosines and sines as they are, each `[rows, pairs]`.
    ///
    /// # Panics
    /// If the two differ in length or are not whole rows.
    pub fn load_tables(&mut self, cos: &[f32], sin: &[f32], pairs: usize) {
        assert_eq!(cos.len(), sin.len(), "a sine for each cosine");
        assert!(pairs > 0 && cos.len().is_multiple_of(pairs), "{} in rows of {pairs}", cos.len());
        self.half = pairs;
        self.cos.clear();
        self.sin.clear();
        self.cos.extend_from_slice(cos);
        self.sin.extend_from_slice(sin);
    }

    /// Rows that are loaded.
    pub fn rows(&self) -> usize {
        self.cos.len().checked_div(self.half).unwrap_or(0)
    }
}

/// Rotates the heads of each row in place. `x` is `[rows, heads, head_dim]`; of each head the
/// first `2 * pairs` values are rotated and the rest is left (partial rotary embedding).
///
/// # Panics
/// If `x` has not as many rows as `angles`, or a head is shorter than the rotated part.
pub fn rope(
    exec: &Exec,
    x: &mut [f32],
    heads: usize,
    head_dim: usize,
    angles: &RopeAngles,
    style: RopeStyle,
) {
    let (rows, cols, half) = (angles.rows(), heads * head_dim, angles.half);
    assert_eq!(x.len(), rows * cols, "the angles are for {rows} rows");
    assert!(2 * half <= head_dim, "{half} pairs in a head of {head_dim}");
    let shared = SharedMut::new(x);
    exec.over_rows(rows, cols, &|first, count| {
        for row in first..first + count {
            // SAFETY: every row is given to one call.
            let x = unsafe { shared.range(row * cols..(row + 1) * cols) };
            let cos = &angles.cos[row * half..(row + 1) * half];
            let sin = &angles.sin[row * half..(row + 1) * half];
            match style {
                RopeStyle::Halves => exec.cpu.run(Halves { x, head_dim, cos, sin }),
                RopeStyle::Interleaved => interleaved(x, head_dim, cos, sin),
            }
        }
    });
}

struct Halves<'a> {
    x: &'a mut [f32],
    head_dim: usize,
    cos: &'a [f32],
    sin: &'a [f32],
}

impl Kernel for Halves<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let half = self.cos.len();
        let (cos, cos_tail) = self.cos.as_chunks::<16>();
        let (sin, sin_tail) = self.sin.as_chunks::<16>();
        for head in self.x.chunks_exact_mut(self.head_dim) {
            let (a, b) = head[..2 * half].split_at_mut(half);
            let ((a, a_tail), (b, b_tail)) = (a.as_chunks_mut::<16>(), b.as_chunks_mut::<16>());
            for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                let (va, vb, cos, sin) = (s.load(a), s.load(b), s.load(cos), s.load(sin));
                s.store(s.sub(s.mul(va, cos), s.mul(vb, sin)), a);
                s.store(s.add(s.mul(vb, cos), s.mul(va, sin)), b);
            }
            for (((a, b), cos), sin) in a_tail.iter_mut().zip(b_tail).zip(cos_tail).zip(sin_tail) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}

fn interleaved(x: &mut [f32], head_dim: usize, cos: &[f32], sin: &[f32]) {
    for head in x.chunks_exact_mut(head_dim) {
        for (([a, b], cos), sin) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
            (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cpu, Team, matmul::tests::noise};

    #[test]
    fn rotations_match_the_formula_on_all_levels() {
        for (heads, head_dim, half) in [(3, 64, 32), (2, 80, 16), (1, 96, 48), (2, 10, 3)] {
            let inv: Vec<f32> =
                (0..half).map(|i| 10000f32.powf(-(i as f32) / half as f32)).collect();
            let positions = [0u32, 1, 500, 131_071];
            let mut angles = RopeAngles::new();
            angles.load(&positions, &inv, 1.25);
            assert_eq!(angles.rows(), 4);
            let mut next = noise(half as u64);
            let source: Vec<f32> = (0..4 * heads * head_dim).map(|_| next()).collect();
            for style in [RopeStyle::Halves, RopeStyle::Interleaved] {
                for level in Cpu::available() {
                    let exec = Exec { cpu: Cpu::at(level).unwrap(), team: Team::new(1) };
                    let mut x = source.clone();
                    rope(&exec, &mut x, heads, head_dim, &angles, style);
                    for (i, got) in x.iter().enumerate() {
                        let (row, d) = (i / (heads * head_dim), i % head_dim);
                        let (pair, first, partner) = match style {
                            RopeStyle::Halves => (
                                d % half,
                                d < half,
                                if d < half { i + half } else { i - half.min(i) },
                            ),
                            RopeStyle::Interleaved => (d / 2, d % 2 == 0, i ^ 1),
                        };
                        let expected = if d >= 2 * half {
                            source[i]
                        } else {
                            let (sin, cos) = (positions[row] as f32 * inv[pair]).sin_cos();
                            let turn = if first { -sin } else { sin };
                            (source[i] * cos + source[partner] * turn) * 1.25
                        };
                        assert!(
                            (got - expected).abs() < 1e-5,
                            "{style:?} {level} {i}: {got} {expected}"
                        );
                    }
                }
            }
        }
    }
}
