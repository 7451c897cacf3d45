use super::*;
use proptest::prelude::*;

/// Bytes 0..4 as symbols, and a few merges over them that compete with each other.
fn table() -> Merges {
    let mut merges = Merges::default();
    for (rank, (left, right, id)) in [
        (0, 1, 10),
        (1, 1, 11),
        (10, 1, 12),
        (1, 0, 13),
        (11, 11, 14),
        (2, 2, 15),
        (15, 15, 16),
        (15, 2, 17),
    ]
    .into_iter()
    .enumerate()
    {
        merges.insert(left, right, rank as u32, id);
    }
    merges
}

fn short(word: &[u32]) -> Vec<u32> {
    let mut symbols = word.to_vec();
    table().apply_short(&mut symbols, &mut Vec::new());
    symbols
}

fn long(word: &[u32]) -> Vec<u32> {
    let mut symbols = word.to_vec();
    table().apply_long(&mut symbols, &mut Scratch::default());
    symbols
}

#[test]
fn the_lowest_rank_is_merged_first_and_the_leftmost_among_equals() {
    assert_eq!(short(&[0, 1, 1]), [12]);
    assert_eq!(short(&[1, 1, 1]), [11, 1]);
    assert_eq!(short(&[2, 2, 2, 2, 2]), [16, 2]);
    assert_eq!(short(&[]), [0; 0]);
    assert_eq!(short(&[3]), [3]);
}

proptest! {
    #[test]
    fn both_ways_of_merging_agree(word in prop::collection::vec(0u32..4, 0..120)) {
        prop_assert_eq!(short(&word), long(&word));
    }
}
