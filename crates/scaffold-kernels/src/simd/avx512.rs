//! AVX-512 with VNNI: one register for sixteen lanes, 32 registers.

use std::arch::x86_64::{
    __m512, __m512i, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0,
    _MM_HINT_T1, _mm_add_ps, _mm_add_ss, _mm_cvtsi32_si128, _mm_cvtss_f32, _mm_loadu_si128,
    _mm_max_ps, _mm_max_ss, _mm_movehl_ps, _mm_prefetch, _mm_shuffle_ps, _mm_storeu_si128,
    _mm256_add_ps, _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_loadu_si256,
    _mm256_max_ps, _mm512_add_ps, _mm512_and_si512, _mm512_andnot_si512, _mm512_broadcast_i32x4,
    _mm512_castps_si512, _mm512_castps512_ps256, _mm512_castsi512_ps, _mm512_cmp_ps_mask,
    _mm512_cvtepi8_epi32, _mm512_cvtepi32_epi8, _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32,
    _mm512_cvtepu16_epi32, _mm512_cvtph_ps, _mm512_cvtps_epi32, _mm512_div_ps, _mm512_dpbusd_epi32,
    _mm512_extractf32x8_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_blend_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_or_si512,
    _mm512_roundscale_ps, _mm512_scalef_ps, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_shuffle_epi8, _mm512_sll_epi16, _mm512_slli_epi32, _mm512_srl_epi16, _mm512_storeu_ps,
    _mm512_storeu_si512, _mm512_sub_epi8, _mm512_sub_ps,
};

use super::Simd;

/// Proof that the CPU has AVX-512 F, BW, DQ, VL and VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// # Safety
    /// The CPU must have AVX-512 F, BW, DQ, VL and VNNI.
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }
}

/// Methods that are one call of an intrinsic.
macro_rules! intrinsics {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: $ty),*) -> $out {
            // SAFETY: `self` proves that the CPU has the instruction; memory is reached through
            // references to arrays of the full register size.
            unsafe { $body }
        }
    )*};
}

type F = __m512;
type I = __m512i;

impl Simd for Avx512 {
    type F = F;
    type I = I;
    const REGISTERS: usize = 32;
    const SLOW_WIDE: bool = false;

    intrinsics! {
        fn splat(v: f32) -> F = _mm512_set1_ps(v);
        fn load(from: &[f32; 16]) -> F = _mm512_loadu_ps(from.as_ptr());
        fn store(v: F, to: &mut [f32; 16]) -> () = _mm512_storeu_ps(to.as_mut_ptr(), v);
        fn load_f16(from: &[u16; 16]) -> F = _mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast()));
        fn load_bf16(from: &[u16; 16]) -> F = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(
            _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.as_ptr().cast())),
        ));
        fn load_i8(from: &[u8; 16]) -> F =
            _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.as_ptr().cast())));
        fn load_u8(from: &[u8; 16]) -> F =
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.as_ptr().cast())));
        fn add(a: F, b: F) -> F = _mm512_add_ps(a, b);
        fn sub(a: F, b: F) -> F = _mm512_sub_ps(a, b);
        fn mul(a: F, b: F) -> F = _mm512_mul_ps(a, b);
        fn div(a: F, b: F) -> F = _mm512_div_ps(a, b);
        fn mul_add(a: F, b: F, c: F) -> F = _mm512_fmadd_ps(a, b, c);
        fn max(a: F, b: F) -> F = _mm512_max_ps(a, b);
        fn min(a: F, b: F) -> F = _mm512_min_ps(a, b);
        fn abs(a: F) -> F = _mm512_castsi512_ps(_mm512_and_si512(
            _mm512_castps_si512(a),
            _mm512_set1_epi32(0x7fff_ffff),
        ));
        fn round(a: F) -> F =
            _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a);
        fn select_lt(a: F, b: F, yes: F, no: F) -> F =
            _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes);
        fn pow2(n: F) -> F = _mm512_scalef_ps(_mm512_set1_ps(1.0), n);
        fn splat_i32(v: i32) -> I = _mm512_set1_epi32(v);
        fn load_bytes(from: &[u8; 64]) -> I = _mm512_loadu_si512(from.as_ptr().cast());
        fn store_bytes(v: I, to: &mut [u8; 64]) -> () = _mm512_storeu_si512(to.as_mut_ptr().cast(), v);
        fn and(v: I, mask: u8) -> I = _mm512_and_si512(v, _mm512_set1_epi8(mask.cast_signed()));
        fn sub_bytes(v: I, n: u8) -> I = _mm512_sub_epi8(v, _mm512_set1_epi8(n.cast_signed()));
        fn or(a: I, b: I) -> I = _mm512_or_si512(a, b);
        fn lookup(v: I, table: &[u8; 16]) -> I = _mm512_shuffle_epi8(
            _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())),
            v,
        );
        fn bits_to_f32(v: I) -> F = _mm512_castsi512_ps(v);
        fn f32_to_i32(v: F) -> I = _mm512_cvtps_epi32(v);
        fn store_i8(v: I, to: &mut [u8; 16]) -> () =
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(v));
        fn prefetch(at: *const u8) -> () = _mm_prefetch::<_MM_HINT_T0>(at.cast());
        fn prefetch_far(at: *const u8) -> () = _mm_prefetch::<_MM_HINT_T1>(at.cast());
    }

    #[inline(always)]
    fn copysign(self, a: F, sign: F) -> F {
        // SAFETY: `self` proves that the CPU has AVX-512 F.
        unsafe {
            let mask = _mm512_set1_epi32(i32::MIN);
            let sign = _mm512_and_si512(mask, _mm512_castps_si512(sign));
            let magnitude = _mm512_andnot_si512(mask, _mm512_castps_si512(a));
            _mm512_castsi512_ps(_mm512_or_si512(sign, magnitude))
        }
    }

    #[inline(always)]
    fn shr(self, v: I, n: u32) -> I {
        // SAFETY: `self` proves that the CPU has AVX-512 BW.
        unsafe { _mm512_srl_epi16(v, _mm_cvtsi32_si128(n.cast_signed())) }
    }

    #[inline(always)]
    fn shl(self, v: I, n: u32) -> I {
        // SAFETY: `self` proves that the CPU has AVX-512 BW.
        unsafe { _mm512_sll_epi16(v, _mm_cvtsi32_si128(n.cast_signed())) }
    }

    #[inline(always)]
    fn dot(self, _wide: bool, acc: I, u: I, a: I) -> I {
        // SAFETY: `self` proves that the CPU has AVX-512 VNNI.
        unsafe { _mm512_dpbusd_epi32(acc, u, a) }
    }

    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        // SAFETY: `self` proves that the CPU has AVX-512 DQ.
        unsafe {
            let a8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps::<1>(a8));
            let a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
            _mm_cvtss_f32(_mm_add_ss(a2, _mm_shuffle_ps::<1>(a2, a2)))
        }
    }

    #[inline(always)]
    fn largest(self, a: F) -> f32 {
        // SAFETY: `self` proves that the CPU has AVX-512 DQ.
        unsafe {
            let a8 = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a4 = _mm_max_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps::<1>(a8));
            let a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
            _mm_cvtss_f32(_mm_max_ss(a2, _mm_shuffle_ps::<1>(a2, a2)))
        }
    }
}
