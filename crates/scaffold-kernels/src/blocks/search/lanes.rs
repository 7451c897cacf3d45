//! Sums that every level of the processor adds in the same order, and can add side by side.

/// Numbers that are added at once.
const LANES: usize = 16;

/// What is added up: a fixed number of sums over the values of a group.
#[inline(always)]
pub(super) fn sums<const K: usize>(len: usize, term: impl Fn(usize) -> [f32; K]) -> [f32; K] {
    let mut sums = [[0.0f32; LANES]; K];
    for start in (0..len).step_by(LANES) {
        for lane in 0..LANES {
            let terms = term(start + lane);
            for k in 0..K {
                sums[k][lane] += terms[k];
            }
        }
    }
    sums.map(|lanes| lanes.iter().sum())
}

/// The nearest whole number, ties to even, of a number below 2^22: a float has no room for the rest beside 1.5 * 2^23.
#[inline(always)]
pub(super) fn nearest(value: f32) -> f32 {
    const ROOM: f32 = 12_582_912.0;
    (value + ROOM) - ROOM
}

/// The code nearest to `value`, which is a multiple of the scale.
#[inline(always)]
pub(super) fn code(value: f32, low: f32, high: f32) -> f32 {
    nearest(value.max(low).min(high))
}
