//! A small cache of the words met so far. Text repeats its words, and a word always has the same
//! tokens.

use super::Scratch;
use ahash::RandomState;
use std::sync::Mutex;

const SLOTS: usize = 1 << 13;
const KEY: usize = 22;
const IDS: usize = 8;

/// One word and its tokens, in one cache line and a half; longer ones are not kept.
#[derive(Clone)]
struct Slot {
    length: u8,
    count: u8,
    key: [u8; KEY],
    ids: [u32; IDS],
}

const EMPTY: Slot = Slot { length: 0, count: 0, key: [0; KEY], ids: [0; IDS] };

/// What one call of `encode` works with: the cache and the buffers of the merging.
pub(crate) struct Workspace {
    slots: Box<[Slot]>,
    hasher: RandomState,
    pub(crate) symbols: Vec<u32>,
    pub(crate) scratch: Scratch,
}

impl Workspace {
    fn new() -> Self {
        Workspace {
            slots: vec![EMPTY; SLOTS].into_boxed_slice(),
            hasher: RandomState::new(),
            symbols: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Appends the tokens of `word`: the remembered ones, or those that `compute` leaves in
    /// `symbols`.
    pub(crate) fn word(
        &mut self,
        word: &[u8],
        out: &mut Vec<u32>,
        compute: impl FnOnce(&mut Vec<u32>, &mut Scratch),
    ) {
        if word.len() > KEY {
            compute(&mut self.symbols, &mut self.scratch);
            out.extend_from_slice(&self.symbols);
            return;
        }
        let index = self.hasher.hash_one(word) as usize % SLOTS;
        let slot = &self.slots[index];
        if usize::from(slot.length) == word.len() && slot.key[..word.len()] == *word {
            out.extend_from_slice(&slot.ids[..usize::from(slot.count)]);
            return;
        }
        compute(&mut self.symbols, &mut self.scratch);
        out.extend_from_slice(&self.symbols);
        if self.symbols.len() <= IDS {
            let slot = &mut self.slots[index];
            slot.length = word.len() as u8;
            slot.count = self.symbols.len() as u8;
            slot.key[..word.len()].copy_from_slice(word);
            slot.ids[..self.symbols.len()].copy_from_slice(&self.symbols);
        }
    }
}

/// Workspaces that no call uses at the moment: each thread takes one and puts it back.
#[derive(Default)]
pub(crate) struct Workspaces {
    idle: Mutex<Vec<Workspace>>,
}

/// At most this many are kept for later; the others are freed after use.
const KEPT: usize = 8;

impl Workspaces {
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Workspace) -> T) -> T {
        let taken = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut workspace = taken.unwrap_or_else(Workspace::new);
        let result = work(&mut workspace);
        if let Ok(mut idle) = self.idle.lock()
            && idle.len() < KEPT
        {
            idle.push(workspace);
        }
        result
    }
}

impl std::fmt::Debug for Workspaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Workspaces")
    }
}
