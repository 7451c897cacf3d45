//! Sixteen lanes, on every CPU.
//!
//! Kernels are written once, over [`Simd`]: a register of 16 floats and one of 64 bytes (16 groups
//! of 4). A [`Kernel`] is run by [`Cpu::run`](crate::Cpu), inside a function that has the level's
//! `target_feature`s. Everything on the way is `#[inline(always)]`: only then may the compiler use
//! the wide instructions. A value of a type that implements `Simd` proves that the CPU has what
//! its methods need.
//!
//! A closure cannot be `#[inline(always)]`. The compiler looks at it by itself, without the level's
//! features, where each intrinsic is a call, and if it then seems too large to be inlined, calls
//! they stay. So no closure uses a `Simd` or an intrinsic. `cargo run -p xtask -- check` looks for
//! such places in the sources, `cargo run -p xtask -- symbols` for the intrinsics' functions in a
//! binary.
//!
//! All levels compute the same bits: the operations are single IEEE operations or exact integer
//! ones, `mul_add` is fused everywhere, and `sum` adds in one fixed order.

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod scalar;

pub(crate) trait Simd: Copy + 'static {
    /// Sixteen f32.
    type F: Copy;
    /// Sixty-four bytes, or sixteen i32.
    type I: Copy;
    /// How many values of `F` or `I` the register file holds: kernels choose their tile by it.
    const REGISTERS: usize;
    /// Whether `dot` takes longer for values above 127.
    const SLOW_WIDE: bool;

    fn splat(self, v: f32) -> Self::F;
    fn load(self, from: &[f32; 16]) -> Self::F;
    fn store(self, v: Self::F, to: &mut [f32; 16]);
    fn load_f16(self, from: &[u16; 16]) -> Self::F;
    fn load_bf16(self, from: &[u16; 16]) -> Self::F;
    fn load_i8(self, from: &[u8; 16]) -> Self::F;
    fn load_u8(self, from: &[u8; 16]) -> Self::F;

    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The larger; `b` where one is not a number.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller; `b` where one is not a number.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    fn abs(self, a: Self::F) -> Self::F;
    /// The magnitude of `a` with the sign of `sign`.
    fn copysign(self, a: Self::F, sign: Self::F) -> Self::F;
    /// To the nearest integer, ties to even.
    fn round(self, a: Self::F) -> Self::F;
    /// `yes` where `a < b`, `no` elsewhere (also where one is not a number).
    fn select_lt(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F;
    /// `2^n` for integral `n` from -126 to 127.
    fn pow2(self, n: Self::F) -> Self::F;
    /// Sum in a fixed order: lane i with i+8, then i+4, i+2, i+1.
    fn sum(self, a: Self::F) -> f32;
    /// Largest lane.
    fn largest(self, a: Self::F) -> f32;

    fn splat_i32(self, v: i32) -> Self::I;
    fn load_bytes(self, from: &[u8; 64]) -> Self::I;
    fn store_bytes(self, v: Self::I, to: &mut [u8; 64]);
    /// Every byte and `mask`.
    fn and(self, v: Self::I, mask: u8) -> Self::I;
    fn or(self, a: Self::I, b: Self::I) -> Self::I;
    /// Every byte less `n`, wrapping.
    #[inline(always)]
    fn sub_bytes(self, v: Self::I, n: u8) -> Self::I {
        let mut bytes = [0; 64];
        self.store_bytes(v, &mut bytes);
        self.load_bytes(&bytes.map(|byte| byte.wrapping_sub(n)))
    }
    /// Every 16-bit group shifted right by `n`.
    fn shr(self, v: Self::I, n: u32) -> Self::I;
    /// Every 16-bit group shifted left by `n`.
    fn shl(self, v: Self::I, n: u32) -> Self::I;
    /// Every byte (0 to 15) replaced by its entry in `table`.
    fn lookup(self, v: Self::I, table: &[u8; 16]) -> Self::I;
    /// `acc` plus, in each lane, the four products of unsigned `u` and signed `a` (never -128).
    /// `wide`, a constant, says that `u` may exceed 127.
    fn dot(self, wide: bool, acc: Self::I, u: Self::I, a: Self::I) -> Self::I;
    /// The same bits as floats.
    fn bits_to_f32(self, v: Self::I) -> Self::F;
    /// Integral floats in i32 range as i32.
    fn f32_to_i32(self, v: Self::F) -> Self::I;
    /// The low byte of every lane.
    fn store_i8(self, v: Self::I, to: &mut [u8; 16]);

    /// Asks for the cache line at `at` ahead of its use; any address is allowed.
    fn prefetch(self, at: *const u8);
    /// The same, into the second-level cache only.
    fn prefetch_far(self, at: *const u8);
}

/// An operation written for any [`Simd`]. `run` must be `#[inline(always)]`.
///
/// Each implementation is compiled for each level as one function: keep it to an inner loop and
/// leave choices (of a type, of a tile) to plain code outside.
pub(crate) trait Kernel {
    type Out;
    /// Whether it uses [`Simd::dot`]: only then levels that differ in it alone are told apart.
    const DOTS: bool = false;
    fn run<S: Simd>(self, s: S) -> Self::Out;
}
