//! The random numbers of sampling: Philox4x32-10, a counter-based generator.
//!
//! A counter-based generator has no state: the number drawn for a token is a function of the
//! request's seed, of the sequence within the request and of the token's position. What else is in
//! the batch, how often a sequence was put back and in which order tokens are sampled cannot change
//! it.
//!
//! Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// Added to the key each round: the golden ratio and √3 − 1.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: u32 = 10;

/// Philox4x32 with ten rounds: four random words from a counter and a key.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut words = counter;
    let mut key = key;
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let a = u64::from(MULTIPLIERS[0]) * u64::from(words[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(words[2]);
        words = [
            (b >> 32) as u32 ^ words[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ words[3] ^ key[1],
            a as u32,
        ];
    }
    words
}

/// A number in [0, 1) with 53 random bits, for the token at `position` of `sequence` under `seed`.
pub fn uniform(seed: u64, sequence: u32, position: u64) -> f64 {
    // The third counter word is left for further draws at the same position.
    let counter = [position as u32, (position >> 32) as u32, 0, sequence];
    let words = philox4x32(counter, [seed as u32, (seed >> 32) as u32]);
    let bits = (u64::from(words[0]) << 32 | u64::from(words[1])) >> 11;
    bits as f64 * (1.0 / (1u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the authors publish with their Random123 library (`kat_vectors`).
    #[test]
    fn published_vectors() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn every_argument_changes_the_number() {
        let base = uniform(1, 2, 3);
        assert_eq!(base, uniform(1, 2, 3));
        for other in [uniform(2, 2, 3), uniform(1, 3, 3), uniform(1, 2, 4), uniform(1 << 40, 2, 3)]
        {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn numbers_are_spread_over_the_unit_interval() {
        let mut bins = [0u32; 10];
        for position in 0..10_000 {
            let x = uniform(42, 0, position);
            assert!((0.0..1.0).contains(&x));
            bins[(x * 10.0) as usize] += 1;
        }
        assert!(bins.iter().all(|&n| (850..1150).contains(&n)), "{bins:?}");
    }
}
