//! What this machine can do at most, measured: the roofs that kernels are compared with.
//!
//! A matmul with one row can be no faster than the weights are read from memory, one with many
//! rows no faster than the multiply-add units run (the roofline model of Williams et al., 2009).

use std::{
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use crate::{
    cpu::Cpu,
    level::Level,
    simd::{Kernel, Simd},
    team::Team,
};

/// The measured limits of a machine, for a team of threads: those of the processor, whichever level
/// is at work.
///
/// A level that is slower than it should be would have a low roof of its own, and look well beneath
/// it.
#[derive(Debug, Clone, PartialEq)]
pub struct Roof {
    /// Bytes read from memory per second.
    pub read: f64,
    /// Multiply-adds of 8-bit integers per second, at the best level. Matrix tiles are not counted.
    pub int8: f64,
    /// Multiply-adds of f32 per second, at the best level.
    pub fma: f64,
    /// What each level of the processor reaches, slowest level first.
    pub levels: Vec<LevelRoof>,
}

/// The most that one level reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelRoof {
    /// The level.
    pub level: Level,
    /// Multiply-adds of 8-bit integers per second.
    pub int8: f64,
    /// Multiply-adds of f32 per second.
    pub fma: f64,
}

/// Levels may be this much slower than a lower one and count as equally fast. Some are, on some
/// processors; and where other programs take one of two processors for the whole time of one
/// level's runs, it shows half of what it can do.
const EQUAL: f64 = 0.45;

impl Roof {
    /// Measures all, taking the best of `repeats` runs of some tens of milliseconds each, or fewer
    /// at a level that takes long. Memory is measured over a buffer of so many `bytes`, which
    /// should be more than any cache holds.
    pub fn measure(team: &Team, bytes: usize, repeats: usize) -> Self {
        let read = read_bandwidth(team, bytes, repeats);
        Self::of(read, of_levels(team, repeats))
    }

    fn of(read: f64, levels: Vec<LevelRoof>) -> Self {
        let best = |value: fn(&LevelRoof) -> f64| levels.iter().map(value).fold(0.0, f64::max);
        Self { read, int8: best(|level| level.int8), fma: best(|level| level.fma), levels }
    }

    /// Levels that reach clearly less than a lower one, each with that: something is wrong with
    /// them.
    pub fn slow_levels(&self) -> Vec<(LevelRoof, LevelRoof)> {
        let slower = |level: &LevelRoof, lower: &LevelRoof| {
            level.int8 < EQUAL * lower.int8 || level.fma < EQUAL * lower.fma
        };
        let slow = |(index, level): (usize, &LevelRoof)| {
            let lower = self.levels[..index].iter().find(|lower| slower(level, lower))?;
            Some((*level, *lower))
        };
        self.levels.iter().enumerate().filter_map(slow).collect()
    }
}

/// What a team reaches at each level of the processor, slowest level first: best of `10 * repeats`
/// runs.
///
/// Levels take turns, so that what else the machine does meanwhile makes none look slower than
/// another.
pub fn of_levels(team: &Team, repeats: usize) -> Vec<LevelRoof> {
    /// Runs of a turn: a processor takes about a millisecond to get used to wider or narrower
    /// registers.
    const TURN: usize = 5;
    let available = Cpu::available().into_iter().filter_map(|level| Cpu::at(level).ok());
    let mut peaks: Vec<(Level, Peak, Peak)> = available
        .map(|cpu| {
            let int8 = Peak::new(team, move |steps| cpu.run(Int8(steps)));
            let fma = Peak::new(team, move |steps| cpu.run(Fma(steps)));
            (cpu.level(), int8, fma)
        })
        .collect();
    for _ in 0..(repeats * 10).div_ceil(TURN).max(1) {
        for (_, int8, fma) in &mut peaks {
            (0..TURN).for_each(|_| int8.measure());
            (0..TURN).for_each(|_| fma.measure());
        }
    }
    let roof = |(level, int8, fma): (Level, Peak, Peak)| LevelRoof {
        level,
        int8: int8.best,
        fma: fma.best,
    };
    peaks.into_iter().map(roof).collect()
}

/// Bytes per second that the team reads from a buffer of `bytes` bytes: best of `repeats` passes,
/// each judged by its best 32 MiB, so that a busy machine still shows what it can do.
pub fn read_bandwidth(team: &Team, bytes: usize, repeats: usize) -> f64 {
    const PIECE: usize = 1 << 20;
    const WINDOW: usize = 32 * PIECE;
    let cpu = Cpu::detect();
    let buffer = vec![0x5au8; bytes.next_multiple_of(WINDOW)];
    let windows: Vec<&[u8]> = buffer.chunks_exact(WINDOW).collect();
    let mut turn = 0;
    best(WINDOW as f64, repeats.max(1) * windows.len(), || {
        let window = windows[turn % windows.len()];
        turn += 1;
        team.run(WINDOW / PIECE, &|piece| {
            cpu.run(Read(&window[piece * PIECE..(piece + 1) * PIECE]));
        });
    })
}

/// Multiply-adds per second that a team reaches, with everything in registers or close to them.
struct Peak<'a> {
    team: &'a Team,
    /// Does so many steps and returns the multiply-adds of one.
    run: Box<dyn Fn(usize) -> usize + Sync>,
    steps: usize,
    best: f64,
}

impl<'a> Peak<'a> {
    fn new(team: &'a Team, run: impl Fn(usize) -> usize + Sync + 'static) -> Self {
        const STEPS: f64 = 2_000.0;
        /// A step takes less at levels that are not plain code.
        const SECONDS: f64 = 2e-8;
        let start = Instant::now();
        run(STEPS as usize);
        // A level that is this slow gets fewer steps, so that no level takes longer than the
        // others.
        let slow = (start.elapsed().as_secs_f64() / SECONDS / STEPS).max(1.0);
        Self { team, run: Box::new(run), steps: (STEPS / slow).ceil() as usize, best: 0.0 }
    }

    fn measure(&mut self) {
        const PIECES: usize = 64;
        let (run, steps) = (&self.run, self.steps);
        let each = AtomicUsize::new(0);
        let start = Instant::now();
        self.team.run(PIECES, &|_| {
            each.store(run(steps), Ordering::Relaxed);
        });
        let work = (PIECES * steps * each.into_inner()) as f64;
        self.best = self.best.max(work / start.elapsed().as_secs_f64());
    }
}

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
        if S::REGISTERS >= 32 { int8::<S, 4, 6>(s, self.0) } else { int8::<S, 3, 2>(s, self.0) }
    }
}

/// Every one of `U` registers with every one of `A`, as in a matmul. With fewer factors the
/// compiler would share products, and with ones that it knows move them out of the loop: levels
/// that make a dot product of several instructions would seem faster than those that have one for
/// it.
#[inline(always)]
fn int8<S: Simd, const U: usize, const A: usize>(s: S, steps: usize) -> usize {
    let (us, factors) = ([[1_u8; 64]; U], [[3_u8; 64]; A]);
    let mut sums = [[s.splat_i32(0); U]; A];
    for _ in 0..steps {
        let (us, factors) = (black_box(&us), black_box(&factors));
        for a in 0..A {
            let factor = s.load_bytes(&factors[a]);
            for u in 0..U {
                sums[a][u] = s.dot(false, sums[a][u], s.load_bytes(&us[u]), factor);
            }
        }
    }
    for sum in sums.as_flattened() {
        black_box(s.sum(s.bits_to_f32(*sum)));
    }
    U * A * 64
}

/// Runs so many steps; returns the multiply-adds of one step.
struct Fma(usize);

impl Kernel for Fma {
    type Out = usize;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        if S::REGISTERS >= 32 { fma::<S, 24>(s, self.0) } else { fma::<S, 6>(s, self.0) }
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
        let team = Team::new(1);
        assert!(read_bandwidth(&team, 8 << 20, 1) > 1e8);
        let levels = of_levels(&team, 1);
        let names: Vec<Level> = levels.iter().map(|roof| roof.level).collect();
        assert_eq!(names, Cpu::available());
        assert!(levels.iter().all(|roof| roof.int8 > 1e6 && roof.fma > 1e5));
    }

    #[test]
    fn the_roof_is_the_best_levels_and_slow_levels_are_named() {
        let level = |level, int8, fma| LevelRoof { level, int8, fma };
        let scalar = level(Level::Scalar, 130.0, 1.0);
        let broken = level(Level::Avx2, 3.4, 130.0);
        let vnni = level(Level::AvxVnni, 500.0, 120.0);
        let roof = Roof::of(1.0, vec![scalar, broken, vnni]);
        assert_eq!((roof.int8, roof.fma), (500.0, 130.0));
        assert_eq!(roof.slow_levels(), [(broken, scalar)]);
    }
}
