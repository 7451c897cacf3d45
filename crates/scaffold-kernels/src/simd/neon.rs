//! Arm's 128-bit NEON, and the same with 8-bit dot products: four registers for sixteen lanes, so
//! eight values fit the 32 registers.
//!
//! No closure here: see [`simd`](super). What all quarters do is written out four times, by a
//! macro.

use std::arch::{
    aarch64::{
        float32x4_t, int8x16_t, int32x4_t, uint8x16_t, vabsq_f32, vadd_f32, vaddq_f32, vaddq_s32,
        vandq_u8, vbslq_f32, vcgtq_f32, vcltq_f32, vcvt_f32_f16, vcvtq_f32_s32, vcvtq_f32_u32,
        vcvtq_s32_f32, vdivq_f32, vdupq_n_f32, vdupq_n_s8, vdupq_n_s16, vdupq_n_s32, vdupq_n_u8,
        vdupq_n_u32, veorq_u8, vfmaq_f32, vget_high_f32, vget_high_s16, vget_high_u16,
        vget_low_f32, vget_low_s8, vget_low_s16, vget_low_u16, vld1_s8, vld1_u8, vld1_u16,
        vld1q_f32, vld1q_u8, vmaxnmq_f32, vmaxnmvq_f32, vmovl_s8, vmovl_s16, vmovl_u8, vmovl_u16,
        vmull_high_s8, vmull_s8, vmulq_f32, vorrq_u8, vpadalq_s16, vpaddq_s16, vpadds_f32,
        vqtbl1q_u8, vreinterpret_f16_u16, vreinterpretq_f32_s32, vreinterpretq_f32_u8,
        vreinterpretq_f32_u32, vreinterpretq_s8_u8, vreinterpretq_s32_u8, vreinterpretq_u8_s32,
        vreinterpretq_u8_u16, vreinterpretq_u16_u8, vrndnq_f32, vshll_n_u16, vshlq_n_s32,
        vshlq_u16, vst1q_f32, vst1q_u8, vsubq_f32, vuzp1q_u8, vuzp1q_u16,
    },
    asm,
};

use super::Simd;

/// Proof that the CPU has NEON, and with `DOT` also the dot product instructions.
#[derive(Clone, Copy)]
pub(crate) struct Neon<const DOT: bool>(());

impl<const DOT: bool> Neon<DOT> {
    /// # Safety
    /// The CPU must have NEON, and if `DOT` then also the dot product instructions.
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }

    /// `acc` plus, in each lane, the four products of signed `a` (never -128) and signed `b`.
    #[inline(always)]
    fn signed_dot(self, acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
        if DOT {
            let mut sum = acc;
            // SAFETY: `self` proves that the CPU has `sdot` (whose intrinsic Rust has not
            // stabilized); it touches only the registers that are named.
            unsafe {
                asm!(
                    // Without optimization this is compiled outside of the function that has the
                    // feature.
                    ".arch_extension dotprod",
                    "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
                    sum = inout(vreg) sum,
                    a = in(vreg) a,
                    b = in(vreg) b,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            return sum;
        }
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe {
            let low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
            let high = vmull_high_s8(a, b);
            // Two products, 127 * 128 each at most, fit 16 bits.
            vpadalq_s16(acc, vpaddq_s16(low, high))
        }
    }

    /// [`Simd::dot`] of one quarter.
    #[inline(always)]
    fn dot_quarter(self, wide: bool, acc: uint8x16_t, u: uint8x16_t, a: uint8x16_t) -> uint8x16_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe {
            let (acc, a) = (vreinterpretq_s32_u8(acc), vreinterpretq_s8_u8(a));
            if !wide {
                let sum = self.signed_dot(acc, a, vreinterpretq_s8_u8(u));
                return vreinterpretq_u8_s32(sum);
            }
            // u is (u - 128) + 128, and u - 128 is u with its top bit turned, read as signed. The
            // sum of a is the same for all of a panel's rows, so that the compiler shares it.
            let less = vreinterpretq_s8_u8(veorq_u8(u, vdupq_n_u8(0x80)));
            let sum_a = self.signed_dot(vdupq_n_s32(0), a, vdupq_n_s8(1));
            let rest = vshlq_n_s32::<7>(sum_a);
            vreinterpretq_u8_s32(vaddq_s32(self.signed_dot(acc, a, less), rest))
        }
    }

    /// The low 16 bits of the lanes of both.
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "the value is the proof")]
    fn low_words(self, a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe {
            vreinterpretq_u8_u16(vuzp1q_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)))
        }
    }
}

type F = [float32x4_t; 4];
type I = [uint8x16_t; 4];

/// Methods that do the same on all quarters; `$q` is the quarter's index.
macro_rules! quarters {
    ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty, $q:pat_param = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: $ty),*) -> $out {
            // SAFETY: `self` proves that the CPU has the instruction; memory is reached through
            // references to arrays, each quarter within its bounds.
            unsafe {
                [
                    { let $q = 0_usize; $body },
                    { let $q = 1_usize; $body },
                    { let $q = 2_usize; $body },
                    { let $q = 3_usize; $body },
                ]
            }
        }
    )*};
}

/// Methods that store all quarters.
macro_rules! stores {
    ($(fn $name:ident($v:ident: $vt:ty, $to:ident: $tt:ty, $q:ident) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $v: $vt, $to: $tt) {
            // SAFETY: `self` proves that the CPU has the instruction; each quarter lies within the
            // array that is referred to.
            unsafe {
                { let $q = 0_usize; $body }
                { let $q = 1_usize; $body }
                { let $q = 2_usize; $body }
                { let $q = 3_usize; $body }
            }
        }
    )*};
}

impl<const DOT: bool> Simd for Neon<DOT> {
    type F = F;
    type I = I;
    const REGISTERS: usize = 8;
    const SLOW_WIDE: bool = true;

    quarters! {
        fn splat(v: f32) -> F, _ = vdupq_n_f32(v);
        fn load(from: &[f32; 16]) -> F, q = vld1q_f32(from.as_ptr().add(4 * q));
        fn load_f16(from: &[u16; 16]) -> F, q =
            vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from.as_ptr().add(4 * q))));
        fn load_bf16(from: &[u16; 16]) -> F, q =
            vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(from.as_ptr().add(4 * q))));
        fn add(a: F, b: F) -> F, q = vaddq_f32(a[q], b[q]);
        fn sub(a: F, b: F) -> F, q = vsubq_f32(a[q], b[q]);
        fn mul(a: F, b: F) -> F, q = vmulq_f32(a[q], b[q]);
        fn div(a: F, b: F) -> F, q = vdivq_f32(a[q], b[q]);
        fn mul_add(a: F, b: F, c: F) -> F, q = vfmaq_f32(c[q], a[q], b[q]);
        // Arm's own maximum and minimum treat NaN otherwise.
        fn max(a: F, b: F) -> F, q = vbslq_f32(vcgtq_f32(a[q], b[q]), a[q], b[q]);
        fn min(a: F, b: F) -> F, q = vbslq_f32(vcltq_f32(a[q], b[q]), a[q], b[q]);
        fn abs(a: F) -> F, q = vabsq_f32(a[q]);
        fn copysign(a: F, sign: F) -> F, q =
            vbslq_f32(vdupq_n_u32(0x8000_0000), sign[q], a[q]);
        fn round(a: F) -> F, q = vrndnq_f32(a[q]);
        fn select_lt(a: F, b: F, yes: F, no: F) -> F, q =
            vbslq_f32(vcltq_f32(a[q], b[q]), yes[q], no[q]);
        fn pow2(n: F) -> F, q = vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(
            vcvtq_s32_f32(n[q]),
            vdupq_n_s32(127),
        )));
        fn splat_i32(v: i32) -> I, _ = vreinterpretq_u8_s32(vdupq_n_s32(v));
        fn load_bytes(from: &[u8; 64]) -> I, q = vld1q_u8(from.as_ptr().add(16 * q));
        fn and(v: I, mask: u8) -> I, q = vandq_u8(v[q], vdupq_n_u8(mask));
        fn or(a: I, b: I) -> I, q = vorrq_u8(a[q], b[q]);
        // A shift to the right is one to the left by a negative number.
        fn shr(v: I, n: u32) -> I, q =
            vreinterpretq_u8_u16(vshlq_u16(vreinterpretq_u16_u8(v[q]), vdupq_n_s16(-(n as i16))));
        fn shl(v: I, n: u32) -> I, q =
            vreinterpretq_u8_u16(vshlq_u16(vreinterpretq_u16_u8(v[q]), vdupq_n_s16(n as i16)));
        fn lookup(v: I, table: &[u8; 16]) -> I, q =
            vqtbl1q_u8(vld1q_u8(table.as_ptr()), v[q]);
        fn bits_to_f32(v: I) -> F, q = vreinterpretq_f32_u8(v[q]);
        fn f32_to_i32(v: F) -> I, q = vreinterpretq_u8_s32(vcvtq_s32_f32(v[q]));
    }

    stores! {
        fn store(v: F, to: &mut [f32; 16], q) = vst1q_f32(to.as_mut_ptr().add(4 * q), v[q]);
        fn store_bytes(v: I, to: &mut [u8; 64], q) = vst1q_u8(to.as_mut_ptr().add(16 * q), v[q]);
    }

    #[inline(always)]
    fn load_i8(self, from: &[u8; 16]) -> F {
        // SAFETY: `self` proves that the CPU has NEON; twice 8 bytes of an array of 16 are read.
        unsafe {
            let low = vmovl_s8(vld1_s8(from.as_ptr().cast()));
            let high = vmovl_s8(vld1_s8(from.as_ptr().add(8).cast()));
            [
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                vcvtq_f32_s32(vmovl_s16(vget_high_s16(high))),
            ]
        }
    }

    #[inline(always)]
    fn load_u8(self, from: &[u8; 16]) -> F {
        // SAFETY: `self` proves that the CPU has NEON; twice 8 bytes of an array of 16 are read.
        unsafe {
            let low = vmovl_u8(vld1_u8(from.as_ptr()));
            let high = vmovl_u8(vld1_u8(from.as_ptr().add(8)));
            [
                vcvtq_f32_u32(vmovl_u16(vget_low_u16(low))),
                vcvtq_f32_u32(vmovl_u16(vget_high_u16(low))),
                vcvtq_f32_u32(vmovl_u16(vget_low_u16(high))),
                vcvtq_f32_u32(vmovl_u16(vget_high_u16(high))),
            ]
        }
    }

    #[inline(always)]
    fn dot(self, wide: bool, acc: I, u: I, a: I) -> I {
        [
            self.dot_quarter(wide, acc[0], u[0], a[0]),
            self.dot_quarter(wide, acc[1], u[1], a[1]),
            self.dot_quarter(wide, acc[2], u[2], a[2]),
            self.dot_quarter(wide, acc[3], u[3], a[3]),
        ]
    }

    #[inline(always)]
    fn store_i8(self, v: I, to: &mut [u8; 16]) {
        // SAFETY: `self` proves that the CPU has NEON; 16 bytes are written to an array of 16.
        unsafe {
            // The low halves of the lanes, then the low bytes of those.
            let (first, second) = (self.low_words(v[0], v[1]), self.low_words(v[2], v[3]));
            let bytes = vuzp1q_u8(first, second);
            vst1q_u8(to.as_mut_ptr(), bytes);
        }
    }

    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe {
            let a4 = vaddq_f32(vaddq_f32(a[0], a[2]), vaddq_f32(a[1], a[3]));
            vpadds_f32(vadd_f32(vget_low_f32(a4), vget_high_f32(a4)))
        }
    }

    #[inline(always)]
    fn largest(self, a: F) -> f32 {
        // SAFETY: `self` proves that the CPU has NEON.
        unsafe { vmaxnmvq_f32(vmaxnmq_f32(vmaxnmq_f32(a[0], a[1]), vmaxnmq_f32(a[2], a[3]))) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        // SAFETY: a prefetch never faults, whatever the address (Rust has not stabilized its
        // intrinsic).
        unsafe {
            asm!("prfm pldl1keep, [{at}]", at = in(reg) at, options(readonly, nostack, preserves_flags));
        }
    }

    #[inline(always)]
    fn prefetch_far(self, at: *const u8) {
        // SAFETY: a prefetch never faults, whatever the address.
        unsafe {
            asm!("prfm pldl2keep, [{at}]", at = in(reg) at, options(readonly, nostack, preserves_flags));
        }
    }
}
