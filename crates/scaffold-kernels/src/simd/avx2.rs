//! AVX2 with FMA and F16C, and the same with AVX-VNNI: two registers for sixteen lanes, eight
//! pairs.
//!
//! No closure here: see [`simd`](super). What both halves do is written out twice, by a macro.

use std::arch::x86_64::{
    __m256, __m256i, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0,
    _MM_HINT_T1, _mm_add_ps, _mm_add_ss, _mm_cvtsi32_si128, _mm_cvtss_f32, _mm_loadl_epi64,
    _mm_loadu_si128, _mm_max_ps, _mm_max_ss, _mm_movehl_ps, _mm_prefetch, _mm_setr_epi8,
    _mm_shuffle_ps, _mm_storeu_si128, _mm_unpacklo_epi32, _mm_unpacklo_epi64, _mm256_add_epi32,
    _mm256_add_ps, _mm256_and_ps, _mm256_and_si256, _mm256_andnot_ps, _mm256_blendv_ps,
    _mm256_broadcastsi128_si256, _mm256_castps256_ps128, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_cmp_ps, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps,
    _mm256_cvtepu8_epi32, _mm256_cvtepu16_epi32, _mm256_cvtph_ps, _mm256_cvtps_epi32,
    _mm256_div_ps, _mm256_dpbusd_avx_epi32, _mm256_extractf128_ps, _mm256_extracti128_si256,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_or_ps, _mm256_or_si256, _mm256_round_ps,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_shuffle_epi8,
    _mm256_sll_epi16, _mm256_slli_epi32, _mm256_srl_epi16, _mm256_storeu_ps, _mm256_storeu_si256,
    _mm256_sub_ps,
};

use super::Simd;

/// Proof that the CPU has AVX2, FMA and F16C, and with `VNNI` also AVX-VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Avx2<const VNNI: bool>(());

impl<const VNNI: bool> Avx2<VNNI> {
    /// # Safety
    /// The CPU must have AVX2, FMA and F16C, and if `VNNI` then also AVX-VNNI.
    pub(crate) const unsafe fn new() -> Self {
        Self(())
    }

    /// [`Simd::dot`] of one half.
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "the value is the proof")]
    fn dot_half(self, wide: bool, acc: __m256i, u: __m256i, a: __m256i) -> __m256i {
        // SAFETY: `self` proves that the CPU has AVX2, and AVX-VNNI if `VNNI`.
        unsafe {
            if VNNI {
                return _mm256_dpbusd_avx_epi32(acc, u, a);
            }
            let ones = _mm256_set1_epi16(1);
            if !wide {
                // 2 * 127 * 127 fits 16 bits.
                let pairs = _mm256_maddubs_epi16(u, a);
                return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, ones));
            }
            // The top bit on its own: 2 * 255 * 127 would saturate, 2 * 128 * 127 does not.
            let low = _mm256_maddubs_epi16(_mm256_and_si256(u, _mm256_set1_epi8(0x7f)), a);
            let top = _mm256_maddubs_epi16(_mm256_and_si256(u, _mm256_set1_epi8(-128)), a);
            let pairs =
                _mm256_add_epi32(_mm256_madd_epi16(low, ones), _mm256_madd_epi16(top, ones));
            _mm256_add_epi32(acc, pairs)
        }
    }
}

type F = [__m256; 2];
type I = [__m256i; 2];

/// Methods that do the same on both halves.
macro_rules! halves {
    ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty, $h:pat_param = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: $ty),*) -> $out {
            // SAFETY: `self` proves that the CPU has the instruction; memory is reached through
            // references to arrays, each half within its bounds.
            unsafe { [{ let $h = 0_usize; $body }, { let $h = 1_usize; $body }] }
        }
    )*};
}

/// Methods that store both halves.
macro_rules! stores {
    ($(fn $name:ident($v:ident: $vt:ty, $to:ident: $tt:ty, $h:ident) = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $v: $vt, $to: $tt) {
            // SAFETY: `self` proves that the CPU has the instruction; each half lies within the
            // array that is referred to.
            unsafe { { let $h = 0_usize; $body } { let $h = 1_usize; $body } }
        }
    )*};
}

const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

impl<const VNNI: bool> Simd for Avx2<VNNI> {
    type F = F;
    type I = I;
    const REGISTERS: usize = 8;
    const SLOW_WIDE: bool = !VNNI;

    halves! {
        fn splat(v: f32) -> F, _ = _mm256_set1_ps(v);
        fn load(from: &[f32; 16]) -> F, h = _mm256_loadu_ps(from.as_ptr().add(8 * h));
        fn load_f16(from: &[u16; 16]) -> F, h = _mm256_cvtph_ps(_mm_loadu_si128(from.as_ptr().add(8 * h).cast()));
        fn load_bf16(from: &[u16; 16]) -> F, h = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(
            _mm256_cvtepu16_epi32(_mm_loadu_si128(from.as_ptr().add(8 * h).cast())),
        ));
        fn load_i8(from: &[u8; 16]) -> F, h =
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.as_ptr().add(8 * h).cast())));
        fn load_u8(from: &[u8; 16]) -> F, h =
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from.as_ptr().add(8 * h).cast())));
        fn add(a: F, b: F) -> F, h = _mm256_add_ps(a[h], b[h]);
        fn sub(a: F, b: F) -> F, h = _mm256_sub_ps(a[h], b[h]);
        fn mul(a: F, b: F) -> F, h = _mm256_mul_ps(a[h], b[h]);
        fn div(a: F, b: F) -> F, h = _mm256_div_ps(a[h], b[h]);
        fn mul_add(a: F, b: F, c: F) -> F, h = _mm256_fmadd_ps(a[h], b[h], c[h]);
        fn max(a: F, b: F) -> F, h = _mm256_max_ps(a[h], b[h]);
        fn min(a: F, b: F) -> F, h = _mm256_min_ps(a[h], b[h]);
        fn abs(a: F) -> F, h = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a[h]);
        fn copysign(a: F, sign: F) -> F, h = {
            let mask = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_and_ps(mask, sign[h]), _mm256_andnot_ps(mask, a[h]))
        };
        fn round(a: F) -> F, h = _mm256_round_ps::<NEAREST>(a[h]);
        fn select_lt(a: F, b: F, yes: F, no: F) -> F, h =
            _mm256_blendv_ps(no[h], yes[h], _mm256_cmp_ps::<_CMP_LT_OQ>(a[h], b[h]));
        fn pow2(n: F) -> F, h = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(
            _mm256_cvtps_epi32(n[h]),
            _mm256_set1_epi32(127),
        )));
        fn splat_i32(v: i32) -> I, _ = _mm256_set1_epi32(v);
        fn load_bytes(from: &[u8; 64]) -> I, h = _mm256_loadu_si256(from.as_ptr().add(32 * h).cast());
        fn and(v: I, mask: u8) -> I, h = _mm256_and_si256(v[h], _mm256_set1_epi8(mask.cast_signed()));
        fn or(a: I, b: I) -> I, h = _mm256_or_si256(a[h], b[h]);
        fn lookup(v: I, table: &[u8; 16]) -> I, h = _mm256_shuffle_epi8(
            _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())),
            v[h],
        );
        fn bits_to_f32(v: I) -> F, h = _mm256_castsi256_ps(v[h]);
        fn f32_to_i32(v: F) -> I, h = _mm256_cvtps_epi32(v[h]);
    }

    stores! {
        fn store_bytes(v: I, to: &mut [u8; 64], h) = _mm256_storeu_si256(to.as_mut_ptr().add(32 * h).cast(), v[h]);
        fn store(v: F, to: &mut [f32; 16], h) = _mm256_storeu_ps(to.as_mut_ptr().add(8 * h), v[h]);
    }

    #[inline(always)]
    fn shr(self, v: I, n: u32) -> I {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe {
            let n = _mm_cvtsi32_si128(n.cast_signed());
            [_mm256_srl_epi16(v[0], n), _mm256_srl_epi16(v[1], n)]
        }
    }

    #[inline(always)]
    fn shl(self, v: I, n: u32) -> I {
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe {
            let n = _mm_cvtsi32_si128(n.cast_signed());
            [_mm256_sll_epi16(v[0], n), _mm256_sll_epi16(v[1], n)]
        }
    }

    #[inline(always)]
    fn dot(self, wide: bool, acc: I, u: I, a: I) -> I {
        [self.dot_half(wide, acc[0], u[0], a[0]), self.dot_half(wide, acc[1], u[1], a[1])]
    }

    #[inline(always)]
    fn store_i8(self, v: I, to: &mut [u8; 16]) {
        // SAFETY: `self` proves that the CPU has AVX2; 16 bytes are written to an array of 16.
        unsafe {
            // The low byte of every lane to the front of its 128 bits, then the four together.
            let front = _mm256_broadcastsi128_si256(_mm_setr_epi8(
                0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
            ));
            let (a, b) = (_mm256_shuffle_epi8(v[0], front), _mm256_shuffle_epi8(v[1], front));
            let low =
                _mm_unpacklo_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a));
            let high =
                _mm_unpacklo_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256::<1>(b));
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm_unpacklo_epi64(low, high));
        }
    }

    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        // SAFETY: `self` proves that the CPU has AVX.
        unsafe {
            let a8 = _mm256_add_ps(a[0], a[1]);
            let a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps::<1>(a8));
            let a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
            _mm_cvtss_f32(_mm_add_ss(a2, _mm_shuffle_ps::<1>(a2, a2)))
        }
    }

    #[inline(always)]
    fn largest(self, a: F) -> f32 {
        // SAFETY: `self` proves that the CPU has AVX.
        unsafe {
            let a8 = _mm256_max_ps(a[0], a[1]);
            let a4 = _mm_max_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps::<1>(a8));
            let a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
            _mm_cvtss_f32(_mm_max_ss(a2, _mm_shuffle_ps::<1>(a2, a2)))
        }
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        // SAFETY: a prefetch never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    fn prefetch_far(self, at: *const u8) {
        // SAFETY: a prefetch never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
}
