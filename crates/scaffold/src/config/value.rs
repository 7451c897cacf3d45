//! The types of values and how each is read from text. `None` means: not a value of this kind.

use std::fmt;

use scaffold_engine::parameter::{self, Parameter};
use scaffold_hub::Address;
use scaffold_kernels::Level;

/// Where a model is computed (`LLM_DEVICE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The best device that this machine and this build have.
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA graphics card.
    Cuda,
}

/// The number format that weights are computed in (`LLM_TORCH_DTYPE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// As the weights are stored.
    Auto,
    /// IEEE half precision.
    Float16,
    /// The upper half of single precision.
    BFloat16,
    /// Single precision: quantized weights are unpacked into it.
    Float32,
    /// 8-bit blocks: floating-point weights are quantized while they are loaded.
    Int8,
}

/// The number format of the cache of keys and values (`SCAFFOLD_KV_TYPE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvFormat {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// 8-bit blocks.
    Q8,
}

/// Whether packed weights are kept between runs (`SCAFFOLD_PACKED_CACHE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedMode {
    /// Where the next start gains enough by them.
    Auto,
    /// Always.
    On,
    /// Never, and what is kept already is not read.
    Off,
}

/// What happens to keys of a model's `config.json` that are not known (`SCAFFOLD_UNKNOWN_KEYS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPolicy {
    /// The model is refused where other code than the known may read them.
    Refuse,
    /// They are passed over, with a notice.
    Ignore,
}

impl fmt::Display for KeyPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyPolicy::Refuse => "refuse",
            KeyPolicy::Ignore => "ignore",
        })
    }
}

/// What happens to the access token where it would go over plain HTTP to another machine
/// (`SCAFFOLD_TOKEN_OVER_HTTP`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainPolicy {
    /// Nothing is sent, and it is said why.
    Refuse,
    /// It is sent, for everyone on the way to read.
    Send,
}

impl fmt::Display for PlainPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlainPolicy::Refuse => "refuse",
            PlainPolicy::Send => "send",
        })
    }
}

impl fmt::Display for PackedMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PackedMode::Auto => "auto",
            PackedMode::On => "on",
            PackedMode::Off => "off",
        })
    }
}

impl fmt::Display for KvFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KvFormat::F32 => "f32",
            KvFormat::F16 => "f16",
            KvFormat::Q8 => "q8",
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Device::Auto => "auto",
            Device::Cpu => "cpu",
            Device::Cuda => "cuda",
        })
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dtype::Auto => "auto",
            Dtype::Float16 => "float16",
            Dtype::BFloat16 => "bfloat16",
            Dtype::Float32 => "float32",
            Dtype::Int8 => "int8",
        })
    }
}

pub(super) fn text(text: &str) -> Option<String> {
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
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

/// `auto` is `None` inside.
#[expect(
    clippy::option_option,
    reason = "outside: whether it is a value at all; inside: whether it is auto"
)]
pub(super) fn auto_or<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.eq_ignore_ascii_case("auto") { Some(None) } else { read(text).map(Some) }
}

/// More threads than any machine has would only be a slip of the keyboard.
pub(super) fn threads(text: &str) -> Option<usize> {
    positive_count(text).filter(|&n| n <= 1024)
}

/// One of a few words, in any case.
fn one_of<T: fmt::Display>(text: &str, choices: impl IntoIterator<Item = T>) -> Option<T> {
    choices.into_iter().find(|choice| text.eq_ignore_ascii_case(&choice.to_string()))
}

pub(super) fn device(text: &str) -> Option<Device> {
    one_of(text, [Device::Auto, Device::Cpu, Device::Cuda])
}

pub(super) fn dtype(text: &str) -> Option<Dtype> {
    one_of(text, [Dtype::Auto, Dtype::Float16, Dtype::BFloat16, Dtype::Float32, Dtype::Int8])
}

pub(super) fn cpu_level(text: &str) -> Option<Level> {
    one_of(text, Level::ALL)
}

pub(super) fn kv_format(text: &str) -> Option<KvFormat> {
    one_of(text, [KvFormat::F32, KvFormat::F16, KvFormat::Q8])
}

pub(super) fn packed_mode(text: &str) -> Option<PackedMode> {
    one_of(text, [PackedMode::Auto, PackedMode::On, PackedMode::Off])
}

pub(super) fn key_policy(text: &str) -> Option<KeyPolicy> {
    one_of(text, [KeyPolicy::Refuse, KeyPolicy::Ignore])
}

pub(super) fn plain_policy(text: &str) -> Option<PlainPolicy> {
    one_of(text, [PlainPolicy::Refuse, PlainPolicy::Send])
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
        assert_eq!(auto_or("Auto", threads), Some(None));
        assert_eq!(auto_or("3", threads), Some(Some(3)));
        assert_eq!(auto_or("x", threads), None);
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
