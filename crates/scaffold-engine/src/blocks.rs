//! KV blocks: who holds which block of the pool, and which full blocks can be used again.
//!
//! The manager is pure bookkeeping: it knows block numbers and token ids, never tensors, so that
//! every state it can reach can be tested. A block is in exactly one of three states:
//!
//! - **held**: one or more sequences have it in their block table (`refs > 0`);
//! - **idle**: nobody holds it, but its content is indexed and can be adopted by a later request;
//! - **fresh**: nobody holds it and its content means nothing.
//!
//! A block that is full is *registered* under the hash of its tokens and of everything before them.
//! Before a registered block is adopted its tokens are compared, and its parent must be the very
//! entry that was matched before it, so that equal hashes of different prompts can never mix two
//! conversations.

use std::collections::{BTreeSet, HashMap};

use thiserror::Error;

/// The number of a block in the pool, as attention reads it from a block table.
pub type BlockId = u32;

/// Names one registered content (a prefix up to the end of one block). Never used twice, also not
/// after eviction.
pub type EntryId = u64;

/// The entry before the first block of every sequence whose prompt is of this length regime (see
/// [`LanguageModel::length_regime`](crate::LanguageModel::length_regime)): sequences of different
/// regimes share nothing.
pub fn root(regime: usize) -> EntryId {
    // Registered contents count up from 0 and never come near.
    EntryId::MAX - regime as EntryId
}

/// As [`root`], for sequences that share only with those of the same salt. `hash` is that of salt
/// and regime together by a hasher whose key nobody knows: nobody can choose two that are equal.
pub fn salted_root(hash: u64) -> EntryId {
    (hash >> 2) | (1 << 62)
}

/// What a registered block holds.
#[derive(Debug, Clone)]
struct Content {
    entry: EntryId,
    parent: EntryId,
    hash: u64,
    tokens: Vec<u32>,
}

/// A prefix found in the pool: its blocks in order, and the entry of the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// Registered blocks that hold the start of the sequence, all full.
    pub blocks: Vec<BlockId>,
    /// The entry of the last block, the root when nothing matched.
    pub entry: EntryId,
}

/// Fixed blocks of one pool, shared by all sequences.
#[derive(Debug)]
pub struct BlockManager {
    block_tokens: usize,
    refs: Vec<u32>,
    content: Vec<Option<Content>>,
    /// Hash of (parent entry, tokens) to the block that holds them.
    index: HashMap<u64, BlockId>,
    /// Blocks without content, the last one used first: memory that was touched before is touched
    /// again.
    fresh: Vec<BlockId>,
    /// Blocks with content that nobody holds, in the order in which they are given up.
    idle: BTreeSet<(u64, BlockId)>,
    stamps: Vec<u64>,
    next_stamp: u64,
    next_entry: EntryId,
    given_up: u64,
    hash: fn(EntryId, &[u32]) -> u64,
}

impl BlockManager {
    /// A pool of `blocks` blocks with `block_tokens` positions each.
    pub fn new(blocks: usize, block_tokens: usize) -> Self {
        Self::with_hash(blocks, block_tokens, hash_block)
    }

    /// As [`new`](Self::new), with another hash: tests use one that always collides.
    pub(crate) fn with_hash(
        blocks: usize,
        block_tokens: usize,
        hash: fn(EntryId, &[u32]) -> u64,
    ) -> Self {
        Self {
            block_tokens,
            refs: vec![0; blocks],
            content: vec![None; blocks],
            index: HashMap::new(),
            fresh: (0..blocks as BlockId).rev().collect(),
            idle: BTreeSet::new(),
            stamps: vec![0; blocks],
            next_stamp: 0,
            next_entry: 0,
            given_up: 0,
            hash,
        }
    }

    /// Positions in one block.
    pub fn block_tokens(&self) -> usize {
        self.block_tokens
    }

    /// Blocks in the pool.
    pub fn total(&self) -> usize {
        self.refs.len()
    }

    /// Blocks that can be allocated now: fresh ones and idle ones, whose content is then given up.
    pub fn available(&self) -> usize {
        self.fresh.len() + self.idle.len()
    }

    /// Blocks that nobody holds but whose content can be adopted.
    pub fn idle(&self) -> usize {
        self.idle.len()
    }

    /// Blocks that a sequence of `tokens` tokens occupies.
    pub fn blocks_for(&self, tokens: usize) -> usize {
        tokens.div_ceil(self.block_tokens)
    }

    /// Takes one block for writing, or `None` when every block is held.
    pub fn allocate(&mut self) -> Option<BlockId> {
        let block = match self.fresh.pop() {
            Some(block) => block,
            None => self.evict()?,
        };
        self.refs[block as usize] = 1;
        Some(block)
    }

    /// Contents that were given up for new ones until now.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Gives up the idle block that was released longest ago.
    fn evict(&mut self) -> Option<BlockId> {
        let (_, block) = self.idle.pop_first()?;
        self.given_up += 1;
        if let Some(content) = self.content[block as usize].take() {
            self.index.remove(&content.hash);
        }
        Some(block)
    }

    /// The longest run of registered blocks that hold the start of `tokens` after `root`. Takes
    /// nothing yet.
    pub fn find_prefix(&self, root: EntryId, tokens: &[u32]) -> Prefix {
        let mut found = Prefix { blocks: Vec::new(), entry: root };
        for chunk in tokens.chunks_exact(self.block_tokens) {
            let Some((block, entry)) = self.lookup(found.entry, chunk) else {
                break;
            };
            found.blocks.push(block);
            found.entry = entry;
        }
        found
    }

    /// The block that holds exactly `tokens` after `parent`: by hash first, then by content.
    fn lookup(&self, parent: EntryId, tokens: &[u32]) -> Option<(BlockId, EntryId)> {
        let block = *self.index.get(&(self.hash)(parent, tokens))?;
        let content = self.content[block as usize].as_ref()?;
        (content.parent == parent && content.tokens == tokens).then_some((block, content.entry))
    }

    /// How many of these blocks are idle now: adopting them lowers [`available`](Self::available)
    /// by that many.
    pub fn idle_among(&self, blocks: &[BlockId]) -> usize {
        blocks.iter().filter(|&&b| self.refs[b as usize] == 0).count()
    }

    /// Holds the blocks of a found prefix for one more sequence.
    pub fn adopt(&mut self, prefix: &Prefix) {
        for &block in &prefix.blocks {
            self.hold(block);
        }
    }

    fn hold(&mut self, block: BlockId) {
        let at = block as usize;
        if self.refs[at] == 0 {
            self.idle.remove(&(self.stamps[at], block));
        }
        self.refs[at] += 1;
    }

    /// Registers a full block of a sequence so that later requests can adopt it, and returns its
    /// entry together with the block that the sequence should hold from now on: when the same
    /// content is registered already, that is the other block, and the sequence's own one is
    /// released. Both hold the same bits, because a row's result does not depend on the batch or
    /// the chunk in which it was computed.
    pub fn register(
        &mut self,
        parent: EntryId,
        tokens: &[u32],
        block: BlockId,
    ) -> (EntryId, BlockId) {
        debug_assert_eq!(tokens.len(), self.block_tokens);
        if let Some((other, entry)) = self.lookup(parent, tokens) {
            if other != block {
                self.hold(other);
                self.release_one(block);
            }
            return (entry, other);
        }
        let entry = self.next_entry;
        self.next_entry += 1;
        let hash = (self.hash)(parent, tokens);
        // A different content with the same hash keeps its place; this block is then simply not
        // found again.
        if let std::collections::hash_map::Entry::Vacant(slot) = self.index.entry(hash) {
            slot.insert(block);
            self.content[block as usize] =
                Some(Content { entry, parent, hash, tokens: tokens.to_vec() });
        }
        (entry, block)
    }

    /// Gives a sequence's blocks back and empties its table. The end of the sequence is given up
    /// first when blocks run out, because its start is more likely to be asked for again.
    pub fn release(&mut self, table: &mut Vec<BlockId>) {
        while let Some(block) = table.pop() {
            self.release_one(block);
        }
    }

    fn release_one(&mut self, block: BlockId) {
        let at = block as usize;
        self.refs[at] -= 1;
        if self.refs[at] > 0 {
            return;
        }
        if self.content[at].is_some() {
            self.stamps[at] = self.next_stamp;
            self.next_stamp += 1;
            self.idle.insert((self.stamps[at], block));
        } else {
            self.fresh.push(block);
        }
    }

    /// Checks every invariant against the block tables of all sequences.
    ///
    /// # Errors
    /// The first broken invariant, with the block it concerns.
    pub fn check_integrity<'a>(
        &self,
        tables: impl IntoIterator<Item = &'a [BlockId]>,
    ) -> Result<(), Integrity> {
        let mut held = vec![0u32; self.refs.len()];
        for table in tables {
            for &block in table {
                *held.get_mut(block as usize).ok_or(Integrity::UnknownBlock { block })? += 1;
            }
        }
        let mut free = vec![0u32; self.refs.len()];
        for &block in self.fresh.iter().chain(self.idle.iter().map(|(_, block)| block)) {
            free[block as usize] += 1;
        }
        for (at, (&held, &free)) in held.iter().zip(&free).enumerate() {
            let block = at as BlockId;
            if held != self.refs[at] {
                return Err(Integrity::References {
                    block,
                    counted: held,
                    recorded: self.refs[at],
                });
            }
            if free != u32::from(held == 0) {
                return Err(Integrity::FreeLists { block, held, lists: free });
            }
            let idle = self.idle.contains(&(self.stamps[at], block));
            if held == 0 && idle != self.content[at].is_some() {
                return Err(Integrity::WrongList { block });
            }
            if let Some(content) = &self.content[at]
                && self.index.get(&content.hash) != Some(&block)
            {
                return Err(Integrity::Unindexed { block });
            }
        }
        let registered = self.content.iter().filter(|c| c.is_some()).count();
        if registered != self.index.len() {
            return Err(Integrity::IndexSize { index: self.index.len(), registered });
        }
        Ok(())
    }
}

/// A broken invariant of the block manager or the scheduler: always a bug, never an input's fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Integrity {
    /// A block table names a block outside the pool.
    #[error("block {block} is in a block table but not in the pool")]
    UnknownBlock {
        /// The block.
        block: BlockId,
    },
    /// The number of tables with this block differs from its reference count.
    #[error("block {block} is in {counted} block tables but has {recorded} references")]
    References {
        /// The block.
        block: BlockId,
        /// Tables that name it.
        counted: u32,
        /// Its reference count.
        recorded: u32,
    },
    /// A held block is in a free list, or a free one is in none or in several.
    #[error("block {block} is held {held} times and is in {lists} free lists")]
    FreeLists {
        /// The block.
        block: BlockId,
        /// Tables that name it.
        held: u32,
        /// Free lists that name it.
        lists: u32,
    },
    /// A free block with content is not idle, or one without content is.
    #[error("block {block} is in the wrong free list")]
    WrongList {
        /// The block.
        block: BlockId,
    },
    /// A block has content that the index does not find.
    #[error("block {block} has content that the index does not lead to")]
    Unindexed {
        /// The block.
        block: BlockId,
    },
    /// The index leads to blocks without content.
    #[error("the index has {index} entries for {registered} registered blocks")]
    IndexSize {
        /// Entries of the index.
        index: usize,
        /// Blocks with content.
        registered: usize,
    },
    /// A sequence's block table does not match what it has computed.
    #[error("sequence {sequence} has {computed} computed positions in {blocks} blocks")]
    Table {
        /// The sequence.
        sequence: u64,
        /// Positions whose keys and values are in the cache.
        computed: usize,
        /// Blocks in its table.
        blocks: usize,
    },
    /// A waiting sequence holds blocks, or sequences are out of order.
    #[error("sequence {sequence} is out of its place in the queue")]
    Queue {
        /// The sequence.
        sequence: u64,
    },
}

/// FNV-1a over the parent's entry and the tokens: speed matters more than strength, since content
/// is compared.
fn hash_block(parent: EntryId, tokens: &[u32]) -> u64 {
    let words = [parent as u32, (parent >> 32) as u32];
    words.iter().chain(tokens).fold(0xcbf2_9ce4_8422_2325, |hash: u64, &word| {
        (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
    })
}

#[cfg(test)]
mod tests;
