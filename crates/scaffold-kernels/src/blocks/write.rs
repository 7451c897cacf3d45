//! A block in its parts as the bytes of its type: what [`Block::read`] takes apart, put together.

use super::Block;
use crate::block_type::BlockType;

impl Block {
    /// Appends the bytes of one block of the quantized `ty`; codes, scales and minima are in the range of the type.
    pub(crate) fn write(&self, ty: BlockType, out: &mut Vec<u8>) {
        let start = out.len();
        match ty {
            BlockType::F32 | BlockType::F16 | BlockType::BF16 => {
                unreachable!("plain floats are not blocks")
            }
            BlockType::Q4_0 | BlockType::IQ4_NL => {
                self.halves::<1>(out);
                self.row_of_nibbles(0, out);
            }
            BlockType::Q4_1 => {
                self.halves::<2>(out);
                self.row_of_nibbles(0, out);
            }
            BlockType::Q5_0 => {
                self.halves::<1>(out);
                self.fifth_bits(out);
                self.row_of_nibbles(0, out);
            }
            BlockType::Q5_1 => {
                self.halves::<2>(out);
                self.fifth_bits(out);
                self.row_of_nibbles(0, out);
            }
            BlockType::Q8_0 => {
                self.halves::<1>(out);
                out.extend(self.codes[..32].iter().map(|code| code ^ 0x80));
            }
            BlockType::Q2_K => {
                out.extend(self.sub.iter().zip(&self.sub_min).map(|(s, m)| (s & 15) | (m << 4)));
                self.crumbs(out);
                self.halves::<2>(out);
            }
            BlockType::Q3_K => {
                self.high_bits(2, out);
                self.crumbs(out);
                out.extend(q3_scales(&self.sub));
                self.halves::<1>(out);
            }
            BlockType::Q4_K => {
                self.halves::<2>(out);
                out.extend(self.six_bit_scales());
                self.quarters(out);
            }
            BlockType::Q5_K => {
                self.halves::<2>(out);
                out.extend(self.six_bit_scales());
                self.high_bits(4, out);
                self.quarters(out);
            }
            BlockType::Q6_K => {
                self.six_bit_codes(out);
                out.extend(self.sub);
                self.halves::<1>(out);
            }
            BlockType::IQ4_XS => {
                self.halves::<1>(out);
                out.extend(xs_scales(&self.sub));
                (0..8).for_each(|group| self.row_of_nibbles(32 * group, out));
            }
        }
        debug_assert_eq!(out.len() - start, ty.bytes());
    }

    /// The f16 scale, and as the second the f16 minimum.
    fn halves<const N: usize>(&self, out: &mut Vec<u8>) {
        out.extend([self.d, self.m].iter().take(N).flat_map(|half| half.to_le_bytes()));
    }

    /// 16 bytes of the 32 codes from `at`: the low nibbles are the first half, the high ones the second.
    fn row_of_nibbles(&self, at: usize, out: &mut Vec<u8>) {
        let codes = &self.codes[at..at + 32];
        out.extend((0..16).map(|j| (codes[j] & 15) | (codes[j + 16] << 4)));
    }

    /// Four bytes: the fifth bits of 32 codes.
    fn fifth_bits(&self, out: &mut Vec<u8>) {
        let bits =
            self.codes[..32].iter().rev().fold(0u32, |all, c| (all << 1) | u32::from(c >> 4 & 1));
        out.extend(bits.to_le_bytes());
    }

    /// 64 bytes of the codes' two low bits.
    fn crumbs(&self, out: &mut Vec<u8>) {
        for half in self.codes.as_chunks::<128>().0 {
            out.extend(
                (0..32).map(|j| (0..4).fold(0, |byte, s| byte | (half[32 * s + j] & 3) << (2 * s))),
            );
        }
    }

    /// 128 bytes of the codes' four low bits, 64 values at a time.
    fn quarters(&self, out: &mut Vec<u8>) {
        for quarter in self.codes.as_chunks::<64>().0 {
            out.extend((0..32).map(|j| (quarter[j] & 15) | (quarter[j + 32] << 4)));
        }
    }

    /// 32 bytes of the codes' bit number `bit`.
    fn high_bits(&self, bit: u32, out: &mut Vec<u8>) {
        out.extend(
            (0..32)
                .map(|j| (0..8).fold(0, |byte, i| byte | (self.codes[32 * i + j] >> bit & 1) << i)),
        );
    }

    /// 128 bytes of low nibbles and 64 of the two high bits.
    fn six_bit_codes(&self, out: &mut Vec<u8>) {
        let halves = self.codes.as_chunks::<128>().0;
        for half in halves {
            out.extend((0..64).map(|j| (half[j] & 15) | (half[j + 64] << 4)));
        }
        for half in halves {
            out.extend(
                (0..32).map(|j| {
                    (0..4).fold(0, |byte, s| byte | (half[32 * s + j] >> 4 & 3) << (2 * s))
                }),
            );
        }
    }

    /// Eight scales and eight minima of six bits in 12 bytes.
    fn six_bit_scales(&self) -> [u8; 12] {
        let (scales, minima) = (&self.sub, &self.sub_min);
        std::array::from_fn(|i| match i {
            0..4 => (scales[i] & 63) | (scales[i + 4] >> 4) << 6,
            4..8 => (minima[i - 4] & 63) | (minima[i] >> 4) << 6,
            _ => (scales[i - 4] & 15) | (minima[i - 4] & 15) << 4,
        })
    }
}

/// 16 signed scales of six bits in 12 bytes.
fn q3_scales(scales: &[u8; 16]) -> [u8; 12] {
    let raised = scales.map(|scale| scale.wrapping_add(32) & 63);
    std::array::from_fn(|i| match i {
        0..8 => (raised[i] & 15) | (raised[i + 8] & 15) << 4,
        _ => (0..4).fold(0, |byte, group| byte | (raised[4 * group + i - 8] >> 4) << (2 * group)),
    })
}

/// 8 signed scales of six bits in 2 bytes of high bits and 4 of low ones.
fn xs_scales(scales: &[u8; 16]) -> [u8; 6] {
    let raised = scales.map(|scale| scale.wrapping_add(32) & 63);
    let high = (0..8).fold(0u16, |bits, j| bits | u16::from(raised[j] >> 4) << (2 * j));
    let [first, second] = high.to_le_bytes();
    let low = |i: usize| (raised[2 * i] & 15) | (raised[2 * i + 1] & 15) << 4;
    [first, second, low(0), low(1), low(2), low(3)]
}
