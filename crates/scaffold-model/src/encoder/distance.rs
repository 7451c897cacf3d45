//! The relative position bias of T5 (Raffel et al. 2020): one score a head and bucket of distances.

use crate::spec::RelativeBias;

/// The bias table `[buckets, heads]` spread over the distances of a text of `longest` tokens:
/// `[heads, 2 * longest - 1]`, from the key being the first token and the query the last.
pub(super) fn spread(bias: RelativeBias, table: &[f32], heads: usize, longest: usize) -> Vec<f32> {
    let reach = longest as isize - 1;
    let mut out = Vec::with_capacity(heads * (2 * longest - 1));
    for head in 0..heads {
        out.extend((-reach..=reach).map(|distance| table[bucket(bias, distance) * heads + head]));
    }
    out
}

/// The bucket of a distance (key minus query): exact for near ones, then ever wider, half of them
/// for each direction.
fn bucket(bias: RelativeBias, distance: isize) -> usize {
    let half = bias.buckets / 2;
    let side = if distance > 0 { half } else { 0 };
    let far = distance.unsigned_abs();
    let exact = half / 2;
    if far < exact {
        return side + far;
    }
    // In f32, as the reference computes it, so that the same distances fall on the borders.
    let steps = (far as f32 / exact as f32).ln() / (bias.max_distance as f32 / exact as f32).ln();
    let wide = exact + (steps * (half - exact) as f32) as usize;
    side + wide.min(half - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIAS: RelativeBias = RelativeBias { buckets: 32, max_distance: 128 };

    #[test]
    fn near_distances_have_buckets_of_their_own_and_far_ones_share() {
        let found: Vec<_> =
            [0, -1, -7, -8, -127, -128, -5000, 1, 7, 8, 128, 5000].map(|d| bucket(BIAS, d)).into();
        assert_eq!(found, [0, 1, 7, 8, 15, 15, 15, 17, 23, 24, 31, 31]);
    }

    #[test]
    fn the_spread_table_has_an_entry_for_every_distance() {
        let table: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let spread = spread(BIAS, &table, 2, 200);
        assert_eq!(spread.len(), 2 * 399);
        // Head 1, distance 0; head 0, the farthest key before the query; head 1, the farthest after.
        assert_eq!(
            (spread[399 + 199], spread[0], spread[399 + 398]),
            (table[1], table[15 * 2], table[31 * 2 + 1])
        );
    }
}
