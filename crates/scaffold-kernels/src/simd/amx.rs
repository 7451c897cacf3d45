//! Matrix tiles (AMX-INT8): eight registers of 16 rows of 64 bytes, and an instruction that adds
//! the products of two of them to a third, 16 by 16 sums at once.
//!
//! Not a [`Simd`](super::Simd): tiles reach the other registers only through memory. The compiler
//! knows nothing of them, so the code that uses them is assembly. A thread has to configure its
//! tiles before use, and a process has to ask Linux for them once.

use std::arch::{asm, x86_64::__cpuid_count};
use std::sync::OnceLock;

/// Whether the CPU has 8-bit tiles and the operating system lets this process use them.
pub(crate) fn usable() -> bool {
    static USABLE: OnceLock<bool> = OnceLock::new();
    *USABLE.get_or_init(|| has_tiles() && permitted())
}

/// AMX-TILE and AMX-INT8 of the CPU (leaf 7 of CPUID), and tile state that the system saves
/// (bits 17 and 18 of XCR0).
fn has_tiles() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILE_AND_INT8: u32 = 3 << 24;
    if __cpuid_count(0, 0).eax < 7 || __cpuid_count(1, 0).ecx & OSXSAVE == 0 {
        return false;
    }
    let low: u32;
    // SAFETY: the system has set OSXSAVE, so the instruction exists; it reads register 0.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack));
    }
    low >> 17 & 3 == 3 && __cpuid_count(7, 0).edx & TILE_AND_INT8 == TILE_AND_INT8
}

/// Asks Linux for the tile state, which it gives a process only on request. See the kernel's
/// documentation "Using XSTATE features in user space applications".
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_ulong = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_ulong = 18;
    // SAFETY: the call takes two numbers and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

/// Other systems have ways of their own, which nobody has tried.
#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// What `ldtilecfg` reads: palette 1, and the shape of each tile.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// The tiles of this thread, shaped for products over `depth` columns: tiles 0 to 3 for 16 by 16
/// sums, 4 and 5 for 16 rows of activations, 6 and 7 for `depth / 4` quads of weights.
///
/// Dropping it releases the tiles: a thread that keeps them would slow down its task switches.
pub(crate) struct Tiles(());

impl Tiles {
    /// # Safety
    /// [`usable`] must have returned true, and the thread may hold no other `Tiles`.
    pub(crate) unsafe fn configure(depth: usize) -> Self {
        debug_assert!(depth == 16 || depth == 32);
        let (quads, depth) = ((depth / 4) as u8, depth as u16);
        let mut shapes = Shapes {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        shapes.rows[..8].copy_from_slice(&[16, 16, 16, 16, 16, 16, quads, quads]);
        shapes.row_bytes[..8].copy_from_slice(&[64, 64, 64, 64, depth, depth, 64, 64]);
        // SAFETY: the CPU has the instruction; the shapes are valid and 64 bytes long.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const shapes, options(nostack, readonly));
        }
        Self(())
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: there are tiles, as this value was made.
        unsafe { asm!("tilerelease", options(nomem, nostack)) }
    }
}
