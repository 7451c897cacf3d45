//! The types of values and how each is read from text. `None` means: not a value of this kind.

use std::fmt;

use scaffold_engine::parameter::{self, Parameter};
use scaffold_hub::Address;

use super::secret::Secret;

/// Types whose values are a few words: each value, what it means and how it is written.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$meaning:meta])* $value:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(non_camel_case_types)] // Names of formats, as their specification writes them.
        pub enum $name { $($(#[$meaning])* $value,)* }

        impl $name {
            pub(super) const ALL: [$name; [$($word),*].len()] = [$($name::$value),*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($name::$value => $word,)* })
            }
        }
    )*};
}

words! {
    /// Where a model is computed (`LLM_DEVICE`).
    Device {
        /// The best device that this machine and this build have.
        Auto = "auto",
        /// The processor.
        Cpu = "cpu",
        /// An NVIDIA graphics card.
        Cuda = "cuda",
    }

    /// The number format that weights are computed in (`LLM_TORCH_DTYPE`).
    Dtype {
        /// As the weights are stored.
        Auto = "auto",
        /// IEEE half precision.
        Float16 = "float16",
        /// The upper half of single precision.
        BFloat16 = "bfloat16",
        /// Single precision: quantized weights are unpacked into it.
        Float32 = "float32",
        /// 8-bit blocks: floating-point weights are quantized while they are loaded.
        Int8 = "int8",
    }

    /// What floating-point weights become while they are loaded (`LLM_QUANTIZE`).
    Quantize {
        /// They stay as they are stored.
        None = "none",
        /// Blocks of 32 values of 4 bits.
        Q4_0 = "q4_0",
        /// Blocks of 256 values of 4 bits, some matrices of 6: the Q4_K_M of GGUF files.
        Q4K = "q4_k",
        /// Blocks of 256 values of 5 bits, some matrices of 6.
        Q5K = "q5_k",
        /// Blocks of 256 values of 6 bits.
        Q6K = "q6_k",
        /// Blocks of 32 values of 8 bits.
        Q8_0 = "q8_0",
        /// The finest of them that fits into memory; nothing where the weights fit as they are stored.
        Auto = "auto",
    }

    /// Whether packed weights are kept between runs (`SCAFFOLD_PACKED_CACHE`).
    PackedMode {
        /// Where the next start gains enough by them.
        Auto = "auto",
        /// Always.
        On = "on",
        /// Never, and what is kept already is not read.
        Off = "off",
    }

    /// What happens to the access token where it would go over plain HTTP to another machine
    /// (`SCAFFOLD_TOKEN_OVER_HTTP`).
    PlainPolicy {
        /// Nothing is sent, and it is said why.
        Refuse = "refuse",
        /// It is sent, for everyone on the way to read.
        Send = "send",
    }
}

pub(super) fn text(text: &str) -> Option<String> {
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// The names of GGUF's mixtures, too, in any case.
pub(super) fn quantize(text: &str) -> Option<Quantize> {
    let name = text.to_ascii_lowercase();
    let plain = name.strip_suffix("_m").unwrap_or(&name);
    let known = name == plain || matches!(plain, "q4_k" | "q5_k");
    Quantize::ALL.into_iter().find(|value| known && value.to_string() == plain)
}

/// As the sampler's switches are read.
pub(super) fn boolean(text: &str) -> Option<bool> {
    parameter::switch(text)
}

/// A switch of `huggingface_hub`'s: as there, what is not true is false.
#[expect(clippy::unnecessary_wraps, reason = "as the other readers")]
pub(super) fn python_boolean(text: &str) -> Option<bool> {
    let word = text.trim().to_ascii_lowercase();
    Some(matches!(word.as_str(), "1" | "on" | "yes" | "true"))
}

pub(super) fn positive_count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&n| n > 0)
}

/// A number that a parameter of the sampler takes.
pub(super) fn real_of(parameter: &Parameter) -> impl Fn(&str) -> Option<f32> {
    |text| parameter.read(text).ok()?.real()
}

/// A whole number that a parameter of the sampler takes.
pub(super) fn count_of(parameter: &Parameter) -> impl Fn(&str) -> Option<usize> {
    |text| parameter.read(text).ok()?.count()
}

/// `auto` is `None` inside; outside, `None` is no value at all.
pub(super) fn auto<T>(read: impl Fn(&str) -> Option<T>) -> impl Fn(&str) -> Option<Option<T>> {
    move |text| {
        if text.eq_ignore_ascii_case("auto") { Some(None) } else { read(text).map(Some) }
    }
}

/// More threads than any machine has would only be a slip of the keyboard.
pub(super) fn threads(text: &str) -> Option<usize> {
    positive_count(text).filter(|&n| n <= 1024)
}

/// One of a few words, in any case.
pub(super) fn one_of<T: fmt::Display + Copy, const N: usize>(
    choices: [T; N],
) -> impl Fn(&str) -> Option<T> {
    move |text| choices.into_iter().find(|word| text.eq_ignore_ascii_case(&word.to_string()))
}

pub(super) fn token(written: &str) -> Option<Secret> {
    text(written.trim()).map(Secret::new)
}

pub(super) fn address(text: &str) -> Option<Address> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = !rest.is_empty() && !rest.chars().any(|c| c.is_whitespace() || c.is_control());
    plain.then(|| Address::from(text.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_in_python_and_in_shell_spelling() {
        for yes in ["true", "True", "TRUE", "1", "yes", "on"] {
            assert_eq!(boolean(yes), Some(true), "{yes}");
        }
        for no in ["false", "False", "0", "No", "off"] {
            assert_eq!(boolean(no), Some(false), "{no}");
        }
        for neither in ["", "2", "tru", "None"] {
            assert_eq!(boolean(neither), None, "{neither}");
        }
    }

    #[test]
    fn switches_of_pythons_are_read_as_there() {
        for yes in ["1", "ON", "Yes", "true"] {
            assert_eq!(python_boolean(yes), Some(true), "{yes}");
        }
        for no in ["0", "False", "n", "2", "None", ""] {
            assert_eq!(python_boolean(no), Some(false), "{no}");
        }
    }

    #[test]
    fn numbers_stay_in_their_ranges() {
        assert_eq!(positive_count("0"), None);
        assert_eq!(positive_count("12"), Some(12));
        assert_eq!(threads("1025"), None);
        assert_eq!(auto(threads)("Auto"), Some(None));
        assert_eq!(auto(threads)("3"), Some(Some(3)));
        assert_eq!(auto(threads)("x"), None);
    }

    #[test]
    fn addresses_are_web_addresses() {
        assert_eq!(
            address("https://mirror.example/"),
            Some(Address::from("https://mirror.example"))
        );
        for bad in ["huggingface.co", "file:///etc", "https://", "https://a b"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
