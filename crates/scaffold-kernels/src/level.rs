use std::{fmt, str::FromStr};

use scaffold_error::{Error, err};

/// An instruction set that the kernels are written for.
///
/// All levels give the same bits; they differ only in speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust; runs everywhere and is what the others are tested against.
    Scalar,
    /// x86-64 with AVX2, FMA and F16C.
    Avx2,
    /// AVX2 with 8-bit dot products (AVX-VNNI).
    AvxVnni,
    /// AVX-512 (F, BW, DQ, VL) with 8-bit dot products (VNNI).
    Avx512Vnni,
    /// The same with matrix tiles (AMX-INT8), used where many rows meet a quantized weight.
    Amx,
    /// 64-bit Arm: NEON, which all of them have.
    Neon,
    /// NEON with 8-bit dot products (FEAT_DotProd, in most cores since 2018).
    NeonDot,
}

impl Level {
    /// Every level; of those that one CPU has, a later one is faster.
    pub const ALL: [Self; 7] = [
        Self::Scalar,
        Self::Avx2,
        Self::AvxVnni,
        Self::Avx512Vnni,
        Self::Amx,
        Self::Neon,
        Self::NeonDot,
    ];

    /// The name used in settings and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avx-vnni",
            Self::Avx512Vnni => "avx512-vnni",
            Self::Amx => "amx",
            Self::Neon => "neon",
            Self::NeonDot => "neon-dot",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = Error;

    /// Reads a name as [`Level::name`] writes it.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|level| level.name() == name).ok_or_else(|| {
            let levels = Level::ALL.map(Level::name).join(", ");
            err!(Usage, "`{name}` is not a kernel level; the levels are {levels}")
        })
    }
}
