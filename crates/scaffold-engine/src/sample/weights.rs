//! Passes over a whole row of logits. They are written so that the compiler computes many values at
//! once: a vocabulary has up to 250,000 tokens, and the row is looked at after every single one.

/// Values whose weights are summed up together.
const CHUNK: usize = 256;
/// Independent running values: as many as fill wide registers.
const LANES: usize = 16;

/// The highest logit; `None` when one is not a number or plus infinity. Minus infinity is a ban,
/// which the model itself may express.
pub(crate) fn highest(logits: &[f32]) -> Option<f32> {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut numbers = [0u32; LANES];
    let chunks = logits.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, (highest, numbers)) in lanes.iter_mut().zip(&mut numbers).enumerate() {
            let x = chunk[lane];
            *highest = if x > *highest { x } else { *highest };
            *numbers += u32::from(x < f32::INFINITY);
        }
    }
    let numbers = numbers.into_iter().sum::<u32>() as usize
        + rest.iter().filter(|&&x| x < f32::INFINITY).count();
    let highest = lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    (numbers == logits.len()).then_some(highest)
}

/// The lowest id with this logit.
pub(crate) fn find(logits: &[f32], logit: f32) -> Option<u32> {
    let chunks = logits.chunks(CHUNK).enumerate();
    let (at, chunk) = chunks
        .into_iter()
        .find(|(_, chunk)| chunk.iter().map(|&x| u32::from(x == logit)).sum::<u32>() > 0)?;
    let within = chunk.iter().position(|&x| x == logit)?;
    Some((at * CHUNK + within) as u32)
}

/// Calls `found` with the id and logit of every token from `floor` upwards, in the order of ids.
/// Bans are left out.
pub(crate) fn each_from(logits: &[f32], floor: f32, mut found: impl FnMut(u32, f32)) {
    const FEW: usize = 64;
    let floor = floor.max(f32::MIN);
    for (at, chunk) in logits.chunks(FEW).enumerate() {
        if chunk.iter().map(|&x| u32::from(x >= floor)).sum::<u32>() == 0 {
            continue;
        }
        for (within, &logit) in chunk.iter().enumerate().filter(|(_, logit)| **logit >= floor) {
            found((at * FEW + within) as u32, logit);
        }
    }
}

/// The k-th largest logit; minus infinity when there are fewer.
pub(crate) fn kth_largest(logits: &[f32], k: usize) -> f32 {
    const FEW: usize = 64;
    if k >= logits.len() {
        return f32::NEG_INFINITY;
    }
    // The k largest so far, unsorted; cut back whenever the buffer is full.
    let mut best: Vec<f32> = Vec::with_capacity(2 * k + FEW);
    let mut floor = f32::NEG_INFINITY;
    for chunk in logits.chunks(FEW) {
        if chunk.iter().map(|&x| u32::from(x > floor)).sum::<u32>() == 0 {
            continue;
        }
        best.extend(chunk.iter().copied().filter(|&x| x > floor));
        if best.len() >= 2 * k {
            best.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
            best.truncate(k);
            floor = best[k - 1];
        }
    }
    if best.len() < k {
        return f32::NEG_INFINITY;
    }
    *best.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1
}

/// The weights exp((logit − highest) / temperature) of a whole row, with their sum.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    each: Vec<f32>,
    /// Sums of [`CHUNK`] weights.
    chunks: Vec<f64>,
    pub(crate) total: f64,
}

impl Weights {
    pub(crate) fn of(&mut self, logits: &[f32], highest: f32, temperature: f32) {
        self.each.clear();
        self.each.resize(logits.len(), 0.0);
        self.chunks.clear();
        for (weights, logits) in self.each.chunks_mut(CHUNK).zip(logits.chunks(CHUNK)) {
            for (weight, &logit) in weights.iter_mut().zip(logits) {
                *weight = weight_of((logit - highest) / temperature);
            }
            self.chunks.push(sum(weights));
        }
        self.total = self.chunks.iter().sum();
    }

    /// The token at which the running sum passes `u` (in [0, 1)) of the whole.
    pub(crate) fn draw(&self, u: f64) -> Option<u32> {
        let mut left = u * self.total;
        for (at, (&chunk, weights)) in self.chunks.iter().zip(self.each.chunks(CHUNK)).enumerate() {
            if left >= chunk {
                left -= chunk;
                continue;
            }
            for (within, &weight) in weights.iter().enumerate() {
                left -= f64::from(weight);
                if left < 0.0 {
                    return Some((at * CHUNK + within) as u32);
                }
            }
        }
        // Rounding can leave a hair's breadth after the last one.
        self.each.iter().rposition(|&weight| weight > 0.0).map(|id| id as u32)
    }
}

fn sum(weights: &[f32]) -> f64 {
    let mut lanes = [0.0f32; LANES];
    let chunks = weights.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (lane, &weight) in lanes.iter_mut().zip(chunk) {
            *lane += weight;
        }
    }
    lanes.into_iter().map(f64::from).sum::<f64>() + f64::from(rest)
}

/// e to the power of `x`, for `x` up to 0: within two units in the last place, and 0 below −87.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; a polynomial in r (the minimax coefficients of Cephes'
/// `expf`), times 2^n put together from bits. The standard library's function is a call, which
/// cannot be computed for many values at once.
#[inline]
pub(crate) fn weight_of(x: f32) -> f32 {
    /// Adding this rounds to a whole number, which is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let clamped = if x > -87.0 { x } else { -87.0 };
    let rounded = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = clamped - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    p = p * r * r + r + 1.0;
    let power =
        f32::from_bits((rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127)) << 23);
    if x > -87.0 { p * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_exponentials() {
        for i in 0..=870_000 {
            let x = -(i as f32) / 10_000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(weight_of(x)) - exact).abs() / exact;
            assert!(x <= -87.0 || error < 3e-7, "exp({x}) is off by {error}");
        }
        assert_eq!(
            (weight_of(0.0), weight_of(-88.0), weight_of(f32::NEG_INFINITY)),
            (1.0, 0.0, 0.0)
        );
    }

    #[test]
    fn passes_agree_with_plain_loops_at_all_lengths() {
        for n in [1usize, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1000] {
            let logits: Vec<f32> = (0..n).map(|i| ((i * 7919 + 13) % 101) as f32 - 50.0).collect();
            let mut sorted = logits.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            assert_eq!(highest(&logits), Some(sorted[0]));
            assert_eq!(
                find(&logits, sorted[n / 2]),
                logits.iter().position(|&x| x == sorted[n / 2]).map(|i| i as u32)
            );
            for k in [1, 2, n / 2, n.saturating_sub(1)].into_iter().filter(|&k| k > 0 && k < n) {
                assert_eq!(kth_largest(&logits, k), sorted[k - 1], "{k} of {n}");
            }
            let mut found = Vec::new();
            each_from(&logits, sorted[n / 3], |id, _| found.push(id));
            let expected: Vec<u32> =
                (0..n as u32).filter(|&i| logits[i as usize] >= sorted[n / 3]).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_not_a_number_is_found_anywhere() {
        for bad in [f32::NAN, f32::INFINITY] {
            for at in [0, 16, 32, 33] {
                let mut logits = vec![0.0; 34];
                logits[at] = bad;
                assert_eq!(highest(&logits), None);
            }
        }
        assert_eq!(highest(&[f32::NEG_INFINITY, -1.0]), Some(-1.0));
    }

    #[test]
    fn a_draw_over_the_whole_row_follows_the_weights() {
        let mut weights = Weights::default();
        let logits: Vec<f32> =
            (0..600).map(|i| if i % 300 == 5 { 0.0 } else { f32::NEG_INFINITY }).collect();
        weights.of(&logits, 0.0, 1.0);
        assert_eq!(weights.total, 2.0);
        assert_eq!(
            [0.0, 0.49, 0.51, 0.999_999].map(|u| weights.draw(u)),
            [Some(5), Some(5), Some(305), Some(305)]
        );
    }
}
