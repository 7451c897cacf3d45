//! How weights lie in memory: panels of 16 rows, so that 16 rows fill a register's lanes.
//!
//! **Integer weights.** A panel is a plane of codes followed by its scales. The plane has, for each
//! block of 32 columns, `low` lines with the codes' low bits and `high` lines with their high bits.
//! Eight *quads* make a block: quad g is a register with the codes of columns 4g to 4g+3, lane by
//! lane (byte 4·row + j). Low bits: 8 bits, one quad a line; 4 bits, quads 2i and 2i+1 in the
//! nibbles of line i; 2 bits, four quads a line. High bits: bit g of the line is quad g's, or two
//! bits for each of four quads a line.
//!
//! Scales, in units of 16 rows: for types with blocks of 32, an f16 for each block and, if the
//! type has one, the f16 minimum. For types with blocks of 256, the f16 scale, the f16 for the
//! minima if there are any, then for each group the integer scales and integer minima.
//!
//! **Float weights.** For each column the 16 rows' values.

use crate::{
    block_type::BlockType,
    blocks::{IQ4_LEVELS, Scales, Scheme},
    line::lines,
    simd::Simd,
};

/// Rows of a panel.
pub(crate) const PANEL: usize = 16;
/// Columns of a block of integer weights.
pub(crate) const BLOCK: usize = 32;

/// Lines of the code plane of one panel.
pub(crate) const fn plane_lines(scheme: Scheme, cols: usize) -> usize {
    cols / BLOCK * (scheme.low + scheme.high)
}

/// Units (of 16 f16, 32 bytes) that the scales of 256 columns of a panel take.
pub(crate) const fn super_units(scheme: Scheme) -> usize {
    let groups = 256 / scheme.group;
    if scheme.has_min() { 2 + groups } else { 1 + groups / 2 }
}

/// Bytes of the scales of one panel.
const fn scale_bytes(scheme: Scheme, cols: usize) -> usize {
    let units = match scheme.scales {
        Scales::Half => cols / BLOCK,
        Scales::HalfMin => cols / BLOCK * 2,
        Scales::SuperSigned | Scales::SuperMin => cols / 256 * super_units(scheme),
    };
    units * 32
}

/// Lines of one panel of `cols` columns.
pub(crate) fn panel_lines(ty: BlockType, cols: usize) -> usize {
    match Scheme::of(ty) {
        Some(scheme) => plane_lines(scheme, cols) + lines(scale_bytes(scheme, cols)),
        None => lines(cols * PANEL * ty.bytes()),
    }
}

/// A quantized type as a type, so that kernels are compiled for each.
pub(crate) trait Format: 'static {
    const SCHEME: Scheme;
    /// Whether codes may exceed 127.
    const WIDE: bool = Self::SCHEME.low == 8 || Self::SCHEME.table;
    /// Lines of codes in a block.
    const LINES: usize = Self::SCHEME.low + Self::SCHEME.high;
    /// Groups (of one scale) in a block.
    const GROUPS: usize = BLOCK / Self::SCHEME.group;
}

/// The scales of a panel, in two views of the same bytes.
#[derive(Clone, Copy)]
pub(crate) struct ScaleView<'a> {
    halves: &'a [[u16; 16]],
    bytes: &'a [[u8; 16]],
}

impl<'a> ScaleView<'a> {
    pub(crate) fn new(region: &'a [[u8; 64]]) -> Self {
        Self { halves: bytemuck::cast_slice(region), bytes: bytemuck::cast_slice(region) }
    }
}

/// The eight quads of a block, from its `F::LINES` lines.
#[inline(always)]
pub(crate) fn quads<S: Simd, F: Format>(s: S, block: &[[u8; 64]]) -> [S::I; 8] {
    let scheme = F::SCHEME;
    let mut quads = [s.splat_i32(0); 8];
    for g in 0..8 {
        let low = match scheme.low {
            8 => s.load_bytes(&block[g]),
            4 => {
                let line = s.load_bytes(&block[g / 2]);
                s.and(if g % 2 == 0 { line } else { s.shr(line, 4) }, 15)
            }
            _ => s.and(s.shr(s.load_bytes(&block[g / 4]), 2 * (g as u32 % 4)), 3),
        };
        quads[g] = match scheme.high {
            0 => low,
            1 => s.or(low, move_bits(s, s.load_bytes(&block[scheme.low]), g, scheme.low, 1)),
            _ => {
                let line = s.load_bytes(&block[scheme.low + g / 4]);
                s.or(low, move_bits(s, line, 2 * (g % 4), scheme.low, 3))
            }
        };
        if scheme.table {
            quads[g] = s.lookup(quads[g], &IQ4_LEVELS);
        }
    }
    quads
}

/// The bits `mask << from` of every byte, moved to `to`.
#[inline(always)]
fn move_bits<S: Simd>(s: S, line: S::I, from: usize, to: usize, mask: u8) -> S::I {
    let moved =
        if from < to { s.shl(line, (to - from) as u32) } else { s.shr(line, (from - to) as u32) };
    s.and(moved, mask << to)
}

/// Scale and minimum (zero without one) of the panel's rows in group `group` of the row.
#[inline(always)]
pub(crate) fn scale_min<S: Simd, F: Format>(
    s: S,
    view: ScaleView<'_>,
    group: usize,
) -> (S::F, S::F) {
    let scheme = F::SCHEME;
    match scheme.scales {
        Scales::Half => (s.load_f16(&view.halves[group]), s.splat(0.0)),
        Scales::HalfMin => {
            (s.load_f16(&view.halves[2 * group]), s.load_f16(&view.halves[2 * group + 1]))
        }
        Scales::SuperSigned => {
            let groups = 256 / scheme.group;
            let start = group / groups * super_units(scheme);
            let sub = s.load_i8(&view.bytes[2 * (start + 1) + group % groups]);
            (s.mul(s.load_f16(&view.halves[start]), sub), s.splat(0.0))
        }
        Scales::SuperMin => {
            let groups = 256 / scheme.group;
            let start = group / groups * super_units(scheme);
            let at = 2 * (start + 2 + group % groups);
            let (sub, sub_min) = (s.load_u8(&view.bytes[at]), s.load_u8(&view.bytes[at + 1]));
            let negative = s.sub(s.splat(0.0), s.load_f16(&view.halves[start + 1]));
            (s.mul(s.load_f16(&view.halves[start]), sub), s.mul(negative, sub_min))
        }
    }
}

macro_rules! formats {
    ($($name:ident),*) => {
        /// One marker type for each quantized block type.
        #[allow(non_camel_case_types)] // The names of the format's specification.
        pub(crate) mod formats {
            use crate::{block_type::BlockType, blocks::Scheme, matrix::layout::Format};

            $(pub(crate) struct $name;
            impl Format for $name {
                const SCHEME: Scheme = Scheme::of(BlockType::$name).unwrap();
            })*
        }

        /// A computation that is compiled for each quantized type.
        pub(crate) trait PerFormat {
            type Out;
            fn run<F: Format>(self) -> Self::Out;
        }

        /// Runs `op` with the marker of `ty`.
        #[inline(always)]
        pub(crate) fn with_format<P: PerFormat>(ty: BlockType, op: P) -> P::Out {
            match ty {
                BlockType::F32 | BlockType::F16 | BlockType::BF16 => {
                    unreachable!("plain floats have no format marker")
                }
                $(BlockType::$name => op.run::<formats::$name>(),)*
            }
        }
    };
}

formats!(Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS);
