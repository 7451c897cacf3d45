use proptest::prelude::*;

use super::*;

const ROOT: EntryId = EntryId::MAX;

/// Writes `tokens` the way a sequence does: adopts what it finds, allocates the rest, registers
/// full blocks.
fn write(manager: &mut BlockManager, tokens: &[u32]) -> Option<(Vec<BlockId>, usize)> {
    let prefix = manager.find_prefix(ROOT, tokens);
    manager.adopt(&prefix);
    let mut table = prefix.blocks.clone();
    while table.len() < manager.blocks_for(tokens.len()) {
        let Some(block) = manager.allocate() else {
            manager.release(&mut table);
            return None;
        };
        table.push(block);
    }
    let mut entry = prefix.entry;
    for (at, chunk) in
        tokens.chunks_exact(manager.block_tokens()).enumerate().skip(prefix.blocks.len())
    {
        (entry, table[at]) = manager.register(entry, chunk, table[at]);
    }
    Some((table, prefix.blocks.len()))
}

#[test]
fn a_released_prefix_is_found_again() {
    let mut manager = BlockManager::new(4, 2);
    let (mut table, reused) = write(&mut manager, &[1, 2, 3, 4, 5]).unwrap();
    assert_eq!((table.len(), reused), (3, 0));
    manager.release(&mut table);
    assert_eq!((manager.available(), manager.idle()), (4, 2));

    let (table, reused) = write(&mut manager, &[1, 2, 3, 4, 9]).unwrap();
    assert_eq!(reused, 2);
    manager.check_integrity([table.as_slice()]).unwrap();
}

#[test]
fn the_same_block_after_another_prefix_is_not_reused() {
    let mut manager = BlockManager::new(8, 2);
    let (first, _) = write(&mut manager, &[1, 2, 3, 4]).unwrap();
    let (second, reused) = write(&mut manager, &[7, 8, 3, 4]).unwrap();
    assert_eq!(reused, 0);
    assert_ne!(first[1], second[1]);
}

#[test]
fn prompts_of_another_length_regime_share_nothing() {
    let mut manager = BlockManager::new(4, 2);
    write(&mut manager, &[1, 2]).unwrap();
    assert_eq!(manager.find_prefix(root(0), &[1, 2]).blocks.len(), 1);
    assert_eq!(manager.find_prefix(root(1), &[1, 2]).blocks.len(), 0);
}

#[test]
fn equal_hashes_are_told_apart_by_content() {
    let mut manager = BlockManager::with_hash(8, 2, |_, _| 7);
    let (first, _) = write(&mut manager, &[1, 2]).unwrap();
    let (second, reused) = write(&mut manager, &[3, 4]).unwrap();
    assert_eq!(reused, 0);
    assert_ne!(first, second);
    assert_eq!(manager.find_prefix(ROOT, &[1, 2]).blocks, first);
    assert_eq!(manager.find_prefix(ROOT, &[3, 4]).blocks, Vec::<BlockId>::new());
    manager.check_integrity([first.as_slice(), second.as_slice()]).unwrap();
}

#[test]
fn the_end_of_a_sequence_is_evicted_before_its_start() {
    let mut manager = BlockManager::new(3, 1);
    let (mut table, _) = write(&mut manager, &[1, 2, 3]).unwrap();
    manager.release(&mut table);
    manager.allocate().unwrap();
    assert_eq!(manager.find_prefix(ROOT, &[1, 2, 3]).blocks.len(), 2);
}

#[test]
fn two_sequences_that_computed_the_same_block_end_up_sharing_it() {
    let mut manager = BlockManager::new(4, 2);
    let mut a = vec![manager.allocate().unwrap()];
    let mut b = vec![manager.allocate().unwrap()];
    let (entry_a, kept) = manager.register(ROOT, &[1, 2], a[0]);
    a[0] = kept;
    let (entry_b, kept) = manager.register(ROOT, &[1, 2], b[0]);
    b[0] = kept;
    assert_eq!((entry_a, &a), (entry_b, &b));
    assert_eq!(manager.available(), 3);
    manager.check_integrity([a.as_slice(), b.as_slice()]).unwrap();
}

#[test]
fn integrity_names_a_lost_block() {
    let mut manager = BlockManager::new(2, 2);
    let block = manager.allocate().unwrap();
    let error = manager.check_integrity([]).unwrap_err();
    assert_eq!(error, Integrity::References { block, counted: 0, recorded: 1 });
}

proptest! {
    /// Sequences over a tiny alphabet come and go in a small pool; with and without a hash that
    /// always collides.
    #[test]
    fn any_order_of_writes_and_releases_keeps_the_pool_whole(
        steps in prop::collection::vec((prop::collection::vec(0u32..3, 1..12), any::<prop::sample::Index>(), any::<bool>()), 1..60),
        collide in any::<bool>(),
    ) {
        let mut manager = if collide { BlockManager::with_hash(8, 2, |_, t| u64::from(t[0])) } else { BlockManager::new(8, 2) };
        let mut tables: Vec<(Vec<u32>, Vec<BlockId>)> = Vec::new();
        for (tokens, index, release) in steps {
            if release && !tables.is_empty() {
                let at = index.index(tables.len());
                let (_, mut table) = tables.swap_remove(at);
                manager.release(&mut table);
            } else if let Some((table, _)) = write(&mut manager, &tokens) {
                tables.push((tokens, table));
            }
            prop_assert_eq!(manager.check_integrity(tables.iter().map(|(_, t)| t.as_slice())), Ok(()));
            // A block that two sequences share holds the same tokens at the same place of both.
            for (a_tokens, a) in &tables {
                for (b_tokens, b) in &tables {
                    for (i, block) in a.iter().enumerate() {
                        if let Some(j) = b.iter().position(|other| other == block).filter(|_| a_tokens != b_tokens) {
                            prop_assert_eq!(i, j);
                            prop_assert_eq!(&a_tokens[..(i + 1) * 2], &b_tokens[..(i + 1) * 2]);
                        }
                    }
                }
            }
        }
        for (_, table) in &mut tables {
            manager.release(table);
        }
        prop_assert_eq!(manager.available(), manager.total());
    }
}
