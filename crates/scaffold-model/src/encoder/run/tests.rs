use super::{RelativeBias, bucket, by_distance};

const BIAS: RelativeBias = RelativeBias {
    buckets: 32,
    max_distance: 128,
};

#[test]
fn near_distances_have_buckets_of_their_own_and_far_ones_share() {
    let found: Vec<_> = [0, -1, -7, -8, -127, -128, -5000, 1, 7, 8, 128, 5000]
        .map(|d| bucket(BIAS, d))
        .into();
    assert_eq!(found, [0, 1, 7, 8, 15, 15, 15, 17, 23, 24, 31, 31]);
}

#[test]
fn the_spread_table_ends_where_distances_share() {
    let table: Vec<f32> = (0..64).map(|i| i as f32).collect();
    let spread = by_distance(BIAS, &table, 2);
    assert_eq!(spread.len(), 2 * 257);
    // Head 1, distance 0.
    assert_eq!(spread[257 + 128], table[1]);
    assert_eq!(spread[0], table[15 * 2]);
    assert_eq!(bucket(BIAS, 129), bucket(BIAS, 128));
    assert_eq!(bucket(BIAS, -129), bucket(BIAS, -128));
}
