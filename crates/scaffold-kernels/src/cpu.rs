#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected;

use scaffold_error::{Error, err};

use crate::{
    level::Level,
    simd::{Kernel, scalar::Scalar},
};

/// Proof that this CPU can run the kernels of a level. Small and freely copied.
///
/// ```
/// use scaffold_kernels::{Cpu, Level};
/// let cpu = Cpu::detect();
/// assert!(Cpu::available().contains(&cpu.level()));
/// assert_eq!(Cpu::at(Level::Scalar)?.level(), Level::Scalar);
/// # Ok::<(), scaffold_kernels::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    /// Only ever a level that `runs` has confirmed.
    level: Level,
}

impl Cpu {
    /// The fastest level of this CPU.
    pub fn detect() -> Self {
        let level = Self::available().into_iter().next_back().unwrap_or(Level::Scalar);
        Self { level }
    }

    /// A given level, to compare levels or to leave instructions unused.
    ///
    /// # Errors
    /// When this CPU lacks the level's instructions; the error lists the levels that it has.
    pub fn at(level: Level) -> Result<Self, Error> {
        if runs(level) {
            Ok(Self { level })
        } else {
            let available =
                Self::available().iter().map(Level::to_string).collect::<Vec<_>>().join(", ");
            Err(err!(Usage, "this CPU cannot run the {level} kernels; it can run {available}"))
        }
    }

    /// The levels of this CPU, slowest first.
    pub fn available() -> Vec<Level> {
        Level::ALL.into_iter().filter(|&level| runs(level)).collect()
    }

    /// The level that this value stands for.
    pub const fn level(self) -> Level {
        self.level
    }

    /// Runs a kernel with the level's instructions.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Out {
        #[cfg(target_arch = "x86_64")]
        {
            // SAFETY, for all: a `Cpu` holds only a level whose features were detected.
            match self.level {
                // SAFETY: see above.
                Level::Amx | Level::Avx512Vnni => return unsafe { x86::avx512(kernel) },
                // SAFETY: see above.
                Level::AvxVnni if K::DOTS => return unsafe { x86::avx_vnni(kernel) },
                // SAFETY: see above; AVX-VNNI is never without AVX2.
                Level::AvxVnni | Level::Avx2 => return unsafe { x86::avx2(kernel) },
                // No other level runs on this architecture.
                _ => {}
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            // SAFETY, for all: a `Cpu` holds only a level whose features were detected.
            match self.level {
                // SAFETY: see above.
                Level::NeonDot if K::DOTS => return unsafe { arm::neon_dot(kernel) },
                // SAFETY: see above; dot products are never without NEON.
                Level::NeonDot | Level::Neon => return unsafe { arm::neon(kernel) },
                // No other level runs on this architecture.
                _ => {}
            }
        }
        kernel.run(Scalar)
    }
}

#[cfg(target_arch = "x86_64")]
fn runs(level: Level) -> bool {
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c");
    let avx512 = avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni");
    match level {
        Level::Scalar => true,
        Level::Avx2 => avx2,
        Level::AvxVnni => avx2 && is_x86_feature_detected!("avxvnni"),
        Level::Avx512Vnni => avx512,
        Level::Amx => avx512 && crate::simd::amx::usable(),
        Level::Neon | Level::NeonDot => false,
    }
}

#[cfg(target_arch = "aarch64")]
fn runs(level: Level) -> bool {
    let neon = is_aarch64_feature_detected!("neon");
    match level {
        Level::Scalar => true,
        Level::Neon => neon,
        Level::NeonDot => neon && is_aarch64_feature_detected!("dotprod"),
        Level::Avx2 | Level::AvxVnni | Level::Avx512Vnni | Level::Amx => false,
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn runs(level: Level) -> bool {
    level == Level::Scalar
}

/// The functions in which the wide instructions are allowed.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use crate::simd::{Kernel, avx2::Avx2, avx512::Avx512};

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
    pub(super) fn avx512<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Avx512::new() })
    }

    #[target_feature(enable = "avx2,fma,f16c,avxvnni")]
    pub(super) fn avx_vnni<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Avx2::<true>::new() })
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    pub(super) fn avx2<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Avx2::<false>::new() })
    }
}

/// The same on Arm.
#[cfg(target_arch = "aarch64")]
mod arm {
    use crate::simd::{Kernel, neon::Neon};

    #[target_feature(enable = "neon,dotprod")]
    pub(super) fn neon_dot<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Neon::<true>::new() })
    }

    #[target_feature(enable = "neon")]
    pub(super) fn neon<K: Kernel>(kernel: K) -> K::Out {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Neon::<false>::new() })
    }
}
