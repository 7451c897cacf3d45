//! Activations, by the names of the Python classes that configurations write.

use scaffold_error::{Error, err};

/// A function on each number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x`.
    Identity,
    /// `tanh(x)`.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `max(x, 0)`.
    Relu,
    /// `x * Φ(x)`, exact.
    Gelu,
    /// `x * sigmoid(x)`.
    Silu,
}

/// The classes, without their package (`torch.nn.modules.activation.Tanh`,
/// `torch.nn.modules.linear.Identity`).
const CLASSES: [(&str, Activation); 6] = [
    ("Identity", Activation::Identity),
    ("Tanh", Activation::Tanh),
    ("Sigmoid", Activation::Sigmoid),
    ("ReLU", Activation::Relu),
    ("GELU", Activation::Gelu),
    ("SiLU", Activation::Silu),
];

impl Activation {
    /// The activation that a class of PyTorch computes.
    ///
    /// # Errors
    /// One that is not computed here.
    pub fn by_class(class: &str) -> Result<Activation, Error> {
        let name = class.strip_prefix("torch.nn.").and_then(|class| class.rsplit('.').next());
        let found = CLASSES.iter().find(|(known, _)| Some(*known) == name);
        found.map(|(_, activation)| *activation).ok_or_else(|| {
            let known: Vec<_> = CLASSES.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            err!(
                Unsupported,
                "the activation {class} is not computed here\n  accepted: torch.nn's {known}"
            )
        })
    }

    /// The value at `x`.
    pub fn at(self, x: f32) -> f32 {
        match self {
            Activation::Identity => x,
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => sigmoid(x),
            Activation::Relu => x.max(0.0),
            Activation::Gelu => 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)),
            Activation::Silu => x * sigmoid(x),
        }
    }
}

/// Neither side overflows.
fn sigmoid(x: f32) -> f32 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Abramowitz & Stegun 7.1.26 in double precision: off by 1.5e-7 at most, the last place of a
/// single.
fn erf(x: f32) -> f32 {
    let x = f64::from(x);
    let t = 1.0 / (1.0 + 0.3275911 * x.abs());
    let poly = t
        * (0.254829592
            + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    ((1.0 - poly * (-x * x).exp()) * x.signum()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_pytorch_are_known_by_their_last_name() {
        assert_eq!(
            Activation::by_class("torch.nn.modules.linear.Identity").unwrap(),
            Activation::Identity
        );
        assert_eq!(
            Activation::by_class("torch.nn.modules.activation.Sigmoid").unwrap(),
            Activation::Sigmoid
        );
        assert_eq!(Activation::by_class("torch.nn.Tanh").unwrap(), Activation::Tanh);
        assert!(Activation::by_class("mine.Tanh").is_err());
        assert!(Activation::by_class("torch.nn.Softplus").is_err());
    }

    #[test]
    fn values_are_those_of_the_formulas() {
        assert_eq!(Activation::Relu.at(-1.0), 0.0);
        assert_eq!(Activation::Identity.at(-1.5), -1.5);
        assert!((Activation::Sigmoid.at(9.35) - 0.999_913).abs() < 1e-6);
        assert!((Activation::Sigmoid.at(-100.0)).abs() < 1e-30);
        assert_eq!(Activation::Sigmoid.at(200.0), 1.0);
        assert!((Activation::Gelu.at(1.0) - 0.841_344_7).abs() < 1e-6);
        assert!((Activation::Gelu.at(-1.0) + 0.158_655_3).abs() < 1e-6);
        assert!((Activation::Silu.at(1.0) - 0.731_058_6).abs() < 1e-6);
    }
}
