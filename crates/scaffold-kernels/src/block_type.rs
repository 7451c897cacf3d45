use std::{fmt, str::FromStr};

use scaffold_error::{Error, err};

/// How the values of a tensor are stored: plain floats, or blocks of small integers with scales.
///
/// The layouts are those of GGUF (`ggml-common.h`); safetensors uses the first three.
///
/// ```
/// use scaffold_kernels::BlockType;
/// assert_eq!(BlockType::Q4_K.values(), 256);
/// assert_eq!(BlockType::Q4_K.row_bytes(2048), Some(8 * 144));
/// assert_eq!(BlockType::Q4_K.row_bytes(100), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(non_camel_case_types)] // The names of the format's specification.
pub enum BlockType {
    /// 32-bit IEEE floats.
    F32,
    /// 16-bit IEEE floats.
    F16,
    /// The upper half of a 32-bit float.
    BF16,
    /// Blocks of 32: a scale and 4-bit values around 8.
    Q4_0,
    /// Blocks of 32: a scale, a minimum and 4-bit values.
    Q4_1,
    /// Blocks of 32: a scale and 5-bit values around 16.
    Q5_0,
    /// Blocks of 32: a scale, a minimum and 5-bit values.
    Q5_1,
    /// Blocks of 32: a scale and signed 8-bit values.
    Q8_0,
    /// Blocks of 256: 2-bit values, 4-bit scales and minima for every 16.
    Q2_K,
    /// Blocks of 256: 3-bit values, 6-bit scales for every 16.
    Q3_K,
    /// Blocks of 256: 4-bit values, 6-bit scales and minima for every 32.
    Q4_K,
    /// Blocks of 256: 5-bit values, 6-bit scales and minima for every 32.
    Q5_K,
    /// Blocks of 256: 6-bit values, 8-bit scales for every 16.
    Q6_K,
    /// Blocks of 32: a scale and 4-bit indices into a fixed table of levels.
    IQ4_NL,
    /// Blocks of 256: 4-bit indices into a fixed table, 6-bit scales for every 32.
    IQ4_XS,
}

impl BlockType {
    /// Every type, in the order of the declaration.
    pub const ALL: [Self; 15] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2_K,
        Self::Q3_K,
        Self::Q4_K,
        Self::Q5_K,
        Self::Q6_K,
        Self::IQ4_NL,
        Self::IQ4_XS,
    ];

    /// The name as the format's specification writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q2_K => "Q2_K",
            Self::Q3_K => "Q3_K",
            Self::Q4_K => "Q4_K",
            Self::Q5_K => "Q5_K",
            Self::Q6_K => "Q6_K",
            Self::IQ4_NL => "IQ4_NL",
            Self::IQ4_XS => "IQ4_XS",
        }
    }

    /// How many values one block holds.
    pub const fn values(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::IQ4_NL => 32,
            Self::Q2_K | Self::Q3_K | Self::Q4_K | Self::Q5_K | Self::Q6_K | Self::IQ4_XS => 256,
        }
    }

    /// How many bytes one block takes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 | Self::IQ4_NL => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q2_K => 84,
            Self::Q3_K => 110,
            Self::Q4_K => 144,
            Self::Q5_K => 176,
            Self::Q6_K => 210,
            Self::IQ4_XS => 136,
        }
    }

    /// How many bytes a row of `cols` values takes; `None` if that is not a whole number of blocks
    /// or does not fit a `usize`.
    pub const fn row_bytes(self, cols: usize) -> Option<usize> {
        if !cols.is_multiple_of(self.values()) {
            return None;
        }
        (cols / self.values()).checked_mul(self.bytes())
    }

    /// Whether the values are small integers with scales rather than plain floats.
    pub const fn is_quantized(self) -> bool {
        self.values() > 1
    }
}

impl fmt::Display for BlockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BlockType {
    type Err = Error;

    /// Reads a name as [`BlockType::name`] writes it, in upper or lower case.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|ty| ty.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let types = BlockType::ALL.map(BlockType::name).join(", ");
            err!(Usage, "`{name}` is not a block type; the types are {types}")
        })
    }
}
