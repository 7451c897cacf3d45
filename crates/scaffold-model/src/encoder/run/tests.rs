use super::{RelativeBias, bucket, by_distance};

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
    let spread = by_distance(BIAS, &table, 2, 200);
    assert_eq!(spread.len(), 2 * 399);
    // Head 1, distance 0; head 0, the farthest key before the query; head 1, the farthest behind.
    assert_eq!(
        (spread[399 + 199], spread[0], spread[399 + 398]),
        (table[1], table[15 * 2], table[31 * 2 + 1])
    );
}
