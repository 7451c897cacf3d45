//! How alike two embeddings are.

use scaffold_error::{Error, err};
use std::fmt;

/// How two embeddings are compared. Larger is always more alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Similarity {
    /// The cosine of the angle between them, in [-1, 1].
    #[default]
    Cosine,
    /// The dot product.
    Dot,
    /// The distance, negated.
    Euclidean,
    /// The sum of the differences in each dimension, negated.
    Manhattan,
}

/// Below this a vector has no direction (as in PyTorch's `normalize`).
const SMALLEST_NORM: f32 = 1e-12;

impl Similarity {
    /// Every function.
    pub const ALL: [Similarity; 4] =
        [Similarity::Cosine, Similarity::Dot, Similarity::Euclidean, Similarity::Manhattan];

    /// The name in `similarity_fn_name`.
    pub fn name(self) -> &'static str {
        match self {
            Similarity::Cosine => "cosine",
            Similarity::Dot => "dot",
            Similarity::Euclidean => "euclidean",
            Similarity::Manhattan => "manhattan",
        }
    }

    /// The function of this name; `dot_product` is the same as `dot`.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn by_name(name: &str) -> Result<Similarity, Error> {
        if name == "dot_product" {
            return Ok(Similarity::Dot);
        }
        Similarity::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| {
            let known = Similarity::ALL.map(Similarity::name).join(", ");
            err!(Usage, "there is no similarity function `{name}`\n  accepted: {known}")
        })
    }

    /// The similarity of two embeddings of the same width.
    ///
    /// ```
    /// use scaffold::embed::Similarity;
    ///
    /// assert_eq!(Similarity::Cosine.of(&[3.0, 0.0], &[0.5, 0.0]), 1.0);
    /// assert_eq!(Similarity::Dot.of(&[3.0, 1.0], &[0.5, 2.0]), 3.5);
    /// ```
    pub fn of(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Similarity::Cosine => {
                dot(a, b) / (norm(a).max(SMALLEST_NORM) * norm(b).max(SMALLEST_NORM))
            }
            Similarity::Dot => dot(a, b),
            Similarity::Euclidean => -sum(a, b, |a, b| (a - b) * (a - b)).sqrt(),
            Similarity::Manhattan => -sum(a, b, |a, b| (a - b).abs()),
        }
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The length of a vector.
pub fn norm(a: &[f32]) -> f32 {
    dot(a, a).sqrt()
}

/// Scales a vector to length 1; one that is (almost) zero stays as it is.
pub fn normalize(a: &mut [f32]) {
    let length = norm(a).max(SMALLEST_NORM);
    for x in a {
        *x /= length;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |a, b| a * b)
}

/// In double precision: the fourth digit of a similarity must not depend on the order of the sum.
fn sum(a: &[f32], b: &[f32], each: impl Fn(f64, f64) -> f64) -> f32 {
    a.iter().zip(b).map(|(&a, &b)| each(f64::from(a), f64::from(b))).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_gives_what_sentence_transformers_gives() {
        let (a, b) = ([1.0, 2.0, -2.0], [0.0, 3.0, 4.0]);
        assert!((Similarity::Cosine.of(&a, &b) + 2.0 / 15.0).abs() < 1e-6);
        assert_eq!(Similarity::Dot.of(&a, &b), -2.0);
        assert!((Similarity::Euclidean.of(&a, &b) + 38f32.sqrt()).abs() < 1e-6);
        assert_eq!(Similarity::Manhattan.of(&a, &b), -8.0);
        for known in Similarity::ALL {
            assert_eq!(Similarity::by_name(known.name()).unwrap(), known);
        }
        assert!(Similarity::by_name("cos").is_err());
    }

    #[test]
    fn a_zero_vector_is_like_nothing_and_stays_zero() {
        let mut zero = [0.0; 3];
        assert_eq!(Similarity::Cosine.of(&zero, &[1.0, 0.0, 0.0]), 0.0);
        normalize(&mut zero);
        assert_eq!(zero, [0.0; 3]);
    }
}
