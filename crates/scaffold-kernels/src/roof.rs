//! What this machine can do at most, measured: the roofs that kernels are compared with.
//!
//! A matmul with one row can be no faster than the weights are read from memory, one with many
//! rows no faster than the multiply-add units run (the roofline model of Williams et al., 2009).

use std::{hint::black_box, time::Instant};

use crate::{
    Exec,
    simd::{Kernel, Simd},
};

/// The measured limits of a machine, for a team of threads at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roof {
    /// Bytes read from memory per second.
    pub read: f64,
    /// Multiply-adds of 8-bit integers per second.
    pub int8: f64,
    /// Multiply-adds of f32 per second.
    pub fma: f64,
}

impl Roof {
    /// Measures all three, taking the best of `repeats` runs of some tens of milliseconds each.
    /// Needs 512 MiB of memory for the time of the call.
    pub fn measure(exec: &Exec, repeats: usize) -> Self {
        Self {
            read: read_bandwidth(exec, 512 << 20, repeats),
            int8: int8_peak(exec, repeats),
            fma: fma_peak(exec, repeats),
        }
    }
}

/// Bytes per second that the team reads from a buffer of `bytes` bytes: best of `repeats` passes,
/// each judged by its best 32 MiB, so that a busy machine still shows what it can do.
pub fn read_bandwidth(exec: &Exec, bytes: usize, repeats: usize) -> f64 {
    const PIECE: usize = 1 << 20;
    const WINDOW: usize = 32 * PIECE;
    let buffer = vec![0x5au8; bytes.next_multiple_of(WINDOW)];
    let windows: Vec<&[u8]> = buffer.chunks_exact(WINDOW).collect();
    let mut turn = 0;
    best(WINDOW as f64, repeats.max(1) * windows.len(), || {
        let window = windows[turn % windows.len()];
        turn += 1;
        exec.team.run(WINDOW / PIECE, &|piece| {
            exec.cpu
                .run(Read(&window[piece * PIECE..(piece + 1) * PIECE]));
        });
    })
}

/// Multiply-adds of 8-bit integers per second with everything in registers: best of `repeats`.
pub fn int8_peak(exec: &Exec, repeats: usize) -> f64 {
    let each = exec.cpu.run(Int8(1)) as f64 * STEPS as f64;
    best(PIECES as f64 * each, repeats * 10, || {
        exec.team.run(PIECES, &|_| {
            exec.cpu.run(Int8(STEPS));
        });
    })
}

/// Multiply-adds of f32 per second with everything in registers: best of `repeats`.
pub fn fma_peak(exec: &Exec, repeats: usize) -> f64 {
    let each = exec.cpu.run(Fma(1)) as f64 * STEPS as f64;
    best(PIECES as f64 * each, repeats * 10, || {
        exec.team.run(PIECES, &|_| {
            exec.cpu.run(Fma(STEPS));
        });
    })
}

const STEPS: usize = 2_000;
const PIECES: usize = 64;

fn best(work: f64, repeats: usize, mut run: impl FnMut()) -> f64 {
    run();
    let mut rate = |()| {
        let start = Instant::now();
        run();
        work / start.elapsed().as_secs_f64()
    };
    (0..repeats.max(1)).map(|_| rate(())).fold(0.0, f64::max)
}

struct Read<'a>(&'a [u8]);

impl Kernel for Read<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut seen = [s.splat_i32(0); 4];
        for lines in self.0.as_chunks::<64>().0.as_chunks::<4>().0 {
            for (seen, line) in seen.iter_mut().zip(lines) {
                s.prefetch(line.as_ptr().wrapping_add(4096));
                *seen = s.or(*seen, s.load_bytes(line));
            }
        }
        let all = s.or(s.or(seen[0], seen[1]), s.or(seen[2], seen[3]));
        black_box(s.sum(s.bits_to_f32(all)));
    }
}

/// Runs so many steps; returns the multiply-adds of one step.
struct Int8(usize);

impl Kernel for Int8 {
    type Out = usize;
    const DOTS: bool = true;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        if S::REGISTERS >= 32 {
            int8::<S, 24>(s, self.0)
        } else {
            int8::<S, 6>(s, self.0)
        }
    }
}

#[inline(always)]
fn int8<S: Simd, const N: usize>(s: S, steps: usize) -> usize {
    let (u, a) = (
        s.splat_i32(black_box(0x0102_0304)),
        s.splat_i32(black_box(0x0506_0708)),
    );
    let mut sums = [s.splat_i32(0); N];
    for _ in 0..steps {
        for sum in &mut sums {
            *sum = s.dot(false, *sum, u, a);
        }
    }
    for sum in sums {
        black_box(s.sum(s.bits_to_f32(sum)));
    }
    N * 64
}

/// Runs so many steps; returns the multiply-adds of one step.
struct Fma(usize);

impl Kernel for Fma {
    type Out = usize;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        if S::REGISTERS >= 32 {
            fma::<S, 24>(s, self.0)
        } else {
            fma::<S, 6>(s, self.0)
        }
    }
}

#[inline(always)]
fn fma<S: Simd, const N: usize>(s: S, steps: usize) -> usize {
    let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(1e-3)));
    let mut sums = [s.splat(1.0); N];
    for _ in 0..steps {
        for sum in &mut sums {
            *sum = s.mul_add(*sum, a, b);
        }
    }
    for sum in sums {
        black_box(s.sum(sum));
    }
    N * 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roofs_are_measured() {
        let exec = Exec::new(1);
        assert!(read_bandwidth(&exec, 8 << 20, 1) > 1e8);
        assert!(int8_peak(&exec, 1) > 1e8);
        assert!(fma_peak(&exec, 1) > 1e7);
    }
}
