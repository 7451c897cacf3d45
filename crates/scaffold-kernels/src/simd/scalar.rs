//! The plain Rust twin of every vector operation.

use half::{bf16, f16};

use super::Simd;

/// Needs nothing of the CPU.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

type F = [f32; 16];
type I = [i32; 16];

#[inline(always)]
fn zip(a: F, b: F, op: impl Fn(f32, f32) -> f32) -> F {
    std::array::from_fn(|i| op(a[i], b[i]))
}

#[inline(always)]
fn bytes(v: I) -> [u8; 64] {
    bytemuck::cast(v)
}

#[inline(always)]
fn words(v: I) -> [u16; 32] {
    bytemuck::cast(v)
}

impl Simd for Scalar {
    type F = F;
    type I = I;
    const REGISTERS: usize = 4;
    const SLOW_WIDE: bool = false;

    #[inline(always)]
    fn splat(self, v: f32) -> F {
        [v; 16]
    }
    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> F {
        *from
    }
    #[inline(always)]
    fn store(self, v: F, to: &mut [f32; 16]) {
        *to = v;
    }
    #[inline(always)]
    fn load_f16(self, from: &[u16; 16]) -> F {
        from.map(|b| f16::from_bits(b).to_f32_const())
    }
    #[inline(always)]
    fn load_bf16(self, from: &[u16; 16]) -> F {
        from.map(|b| bf16::from_bits(b).to_f32_const())
    }
    #[inline(always)]
    fn load_i8(self, from: &[u8; 16]) -> F {
        from.map(|b| f32::from(b.cast_signed()))
    }
    #[inline(always)]
    fn load_u8(self, from: &[u8; 16]) -> F {
        from.map(f32::from)
    }
    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn mul_add(self, a: F, b: F, c: F) -> F {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn abs(self, a: F) -> F {
        a.map(f32::abs)
    }
    #[inline(always)]
    fn copysign(self, a: F, sign: F) -> F {
        zip(a, sign, f32::copysign)
    }
    #[inline(always)]
    fn round(self, a: F) -> F {
        a.map(f32::round_ties_even)
    }
    #[inline(always)]
    fn select_lt(self, a: F, b: F, yes: F, no: F) -> F {
        std::array::from_fn(|i| if a[i] < b[i] { yes[i] } else { no[i] })
    }
    #[inline(always)]
    fn pow2(self, n: F) -> F {
        n.map(|n| f32::from_bits(((n as i32 + 127) << 23).cast_unsigned()))
    }
    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        let a8: [f32; 8] = std::array::from_fn(|i| a[i] + a[i + 8]);
        let a4: [f32; 4] = std::array::from_fn(|i| a8[i] + a8[i + 4]);
        (a4[0] + a4[2]) + (a4[1] + a4[3])
    }
    #[inline(always)]
    fn largest(self, a: F) -> f32 {
        a.into_iter().fold(f32::NEG_INFINITY, |m, v| if v > m { v } else { m })
    }

    #[inline(always)]
    fn splat_i32(self, v: i32) -> I {
        [v; 16]
    }
    #[inline(always)]
    fn load_bytes(self, from: &[u8; 64]) -> I {
        bytemuck::cast(*from)
    }
    #[inline(always)]
    fn store_bytes(self, v: I, to: &mut [u8; 64]) {
        *to = bytes(v);
    }
    #[inline(always)]
    fn and(self, v: I, mask: u8) -> I {
        bytemuck::cast(bytes(v).map(|b| b & mask))
    }
    #[inline(always)]
    fn or(self, a: I, b: I) -> I {
        std::array::from_fn(|i| a[i] | b[i])
    }
    #[inline(always)]
    fn shr(self, v: I, n: u32) -> I {
        bytemuck::cast(words(v).map(|w| w >> n))
    }
    #[inline(always)]
    fn shl(self, v: I, n: u32) -> I {
        bytemuck::cast(words(v).map(|w| w << n))
    }
    #[inline(always)]
    fn lookup(self, v: I, table: &[u8; 16]) -> I {
        bytemuck::cast(bytes(v).map(|b| table[usize::from(b & 15)]))
    }
    #[inline(always)]
    fn dot(self, _wide: bool, acc: I, u: I, a: I) -> I {
        let (u, a) = (bytes(u), bytes(a));
        std::array::from_fn(|lane| {
            (0..4).fold(acc[lane], |sum, j| {
                let i = lane * 4 + j;
                sum.wrapping_add(i32::from(u[i]) * i32::from(a[i].cast_signed()))
            })
        })
    }
    #[inline(always)]
    fn bits_to_f32(self, v: I) -> F {
        bytemuck::cast(v)
    }
    #[inline(always)]
    fn f32_to_i32(self, v: F) -> I {
        v.map(|v| v as i32)
    }
    #[inline(always)]
    fn store_i8(self, v: I, to: &mut [u8; 16]) {
        *to = v.map(|v| v as u8);
    }
    #[inline(always)]
    fn prefetch(self, _at: *const u8) {}
    #[inline(always)]
    fn prefetch_far(self, _at: *const u8) {}
}
