//! The element and block types that weights are stored in.

use std::fmt;

/// How the values of a tensor are stored: plain floats, or blocks of values that share their scales.
///
/// The quantized layouts are those of ggml (`ggml-common.h` in llama.cpp), byte for byte, little-endian.
/// A block never crosses the end of a row: a row's length is a multiple of [`values`](Self::values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
// The names are the field's own; spelling them in camel case would make them unrecognisable.
#[allow(non_camel_case_types)]
pub enum BlockType {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    BF16,
    /// 32 values: an f16 scale and 4-bit values centred on 8.
    Q4_0,
    /// 32 values: an f16 scale, an f16 minimum and 4-bit values.
    Q4_1,
    /// 32 values: an f16 scale and 5-bit values centred on 16.
    Q5_0,
    /// 32 values: an f16 scale, an f16 minimum and 5-bit values.
    Q5_1,
    /// 32 values: an f16 scale and signed 8-bit values.
    Q8_0,
    /// 256 values: 2-bit values, 4-bit scales and minima per 16, two f16 super-scales.
    Q2_K,
    /// 256 values: 3-bit values, 6-bit scales per 16, one f16 super-scale.
    Q3_K,
    /// 256 values: 4-bit values, 6-bit scales and minima per 32, two f16 super-scales.
    Q4_K,
    /// 256 values: 5-bit values, 6-bit scales and minima per 32, two f16 super-scales.
    Q5_K,
    /// 256 values: 6-bit values, 8-bit scales per 16, one f16 super-scale.
    Q6_K,
    /// 32 values: an f16 scale and 4-bit indices into a fixed table of 16 levels.
    IQ4_NL,
    /// 256 values: as `IQ4_NL` with 6-bit scales per 32 under one f16 super-scale.
    IQ4_XS,
}

impl BlockType {
    /// Every type, in the order of declaration.
    pub const ALL: [BlockType; 15] = [
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

    /// The name that GGUF tools print, such as `Q4_K`.
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

    /// Values per block: 1 for plain floats, 32 or 256 for quantized types.
    pub const fn values(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::IQ4_NL => 32,
            Self::Q2_K | Self::Q3_K | Self::Q4_K | Self::Q5_K | Self::Q6_K | Self::IQ4_XS => 256,
        }
    }

    /// Bytes per block.
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

    /// Bytes of a row of `cols` values; `None` where a block would cross the end of the row or the size overflows.
    pub const fn row_bytes(self, cols: usize) -> Option<usize> {
        if !cols.is_multiple_of(self.values()) {
            return None;
        }
        (cols / self.values()).checked_mul(self.bytes())
    }
}

impl fmt::Display for BlockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
