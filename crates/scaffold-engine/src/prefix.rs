//! Prefixes of prompts that are kept elsewhere, such as on disk, and put back into the cache.
//!
//! A prefix moves block by block, each by a command of its own between two steps of the engine, so
//! that no step waits for more than one block. Nothing is held meanwhile: every command looks the
//! prefix up anew, and where others have needed its blocks in the meantime it says so.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use scaffold_error::{Error, err};

use crate::blocks::{BlockManager, EntryId};
use crate::forward::Forward;

/// The beginning of prompts, and of which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptPrefix {
    /// Its tokens.
    pub tokens: Arc<[u32]>,
    /// Tokens of the prompt that it begins: where positions are encoded for the length of a prompt,
    /// nothing can be shared between some lengths.
    pub prompt_tokens: usize,
    /// The [salt](crate::Standing::salt) of the requests that share it.
    pub salt: Option<Arc<str>>,
}

impl PromptPrefix {
    /// A prefix of prompts of about its own length, without a salt.
    pub fn new(tokens: impl Into<Arc<[u32]>>) -> Self {
        let tokens = tokens.into();
        Self { prompt_tokens: tokens.len(), tokens, salt: None }
    }
}

/// What the cache holds of a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    /// Blocks at its start.
    pub blocks: usize,
    /// Prefixes of prompts of other regimes have other contents.
    pub regime: usize,
}

/// One block of a prefix.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) prefix: PromptPrefix,
    /// Which block of it, from 0.
    pub(crate) index: usize,
}

/// What is asked of the engine's thread.
pub(crate) enum Ask {
    /// How much of a prefix is in the cache.
    Find(PromptPrefix, SyncSender<Cached>),
    /// The contents of a block.
    Out(Place, SyncSender<Result<Vec<u8>, Error>>),
    /// A block gets these contents.
    In(Place, Vec<u8>, SyncSender<Result<(), Error>>),
}

/// Answers an ask. `regime`: that of a length; `root`: where the cache of a prefix begins.
pub(crate) fn answer(
    ask: Ask,
    blocks: &mut BlockManager,
    session: &mut dyn Forward,
    regime: impl Fn(usize) -> usize,
    root: impl Fn(&PromptPrefix) -> EntryId,
) {
    let root_of = |place: &Place| root(&place.prefix);
    // Whoever asked may be gone.
    match ask {
        Ask::Find(prefix, reply) => {
            let found = blocks.find_prefix(root(&prefix), &prefix.tokens).blocks.len();
            let regime = regime(prefix.prompt_tokens);
            let _ = reply.send(Cached { blocks: found, regime });
        }
        Ask::Out(place, reply) => {
            drop(reply.send(copy_out(&place, root_of(&place), blocks, session)));
        }
        Ask::In(place, bytes, reply) => {
            drop(reply.send(copy_in(&place, root_of(&place), &bytes, blocks, session)));
        }
    }
}

fn copy_out(
    place: &Place,
    root: EntryId,
    blocks: &BlockManager,
    session: &dyn Forward,
) -> Result<Vec<u8>, Error> {
    let found = blocks.find_prefix(root, place.up_to(place.index + 1, blocks));
    match found.blocks.get(place.index) {
        Some(&block) => session.copy_out(block),
        None => Err(gone(place.index)),
    }
}

fn copy_in(
    place: &Place,
    root: EntryId,
    bytes: &[u8],
    blocks: &mut BlockManager,
    session: &mut dyn Forward,
) -> Result<(), Error> {
    let tokens = place.up_to(place.index + 1, blocks);
    let found = blocks.find_prefix(root, tokens);
    if found.blocks.len() > place.index {
        return Ok(());
    }
    if found.blocks.len() < place.index {
        return Err(gone(found.blocks.len()));
    }
    // Held, so that the new block does not take the place of one of them.
    blocks.adopt(&found);
    let mut table = found.blocks;
    let copied = match blocks.allocate() {
        None => Err(err!(
            Busy,
            "no block of the cache is free for a kept prefix, because requests hold all of them: repeat it when they are done, \
             or give the model a longer context"
        )),
        Some(block) => {
            let copied = session.copy_in(block, bytes);
            if copied.is_ok() {
                let last = &tokens[place.index * blocks.block_tokens()..];
                table.push(blocks.register(found.entry, last, block).1);
            } else {
                blocks.release(&mut vec![block]);
            }
            copied
        }
    };
    // From the last to the first: what is given up first is the end.
    blocks.release(&mut table);
    copied
}

/// Others have needed a block of the prefix.
fn gone(index: usize) -> Error {
    err!(
        Busy,
        "block {index} of the prefix is not in the cache any more, because requests needed it: repeat it when there are fewer, \
         or give the model a longer context"
    )
}

impl Place {
    /// The tokens of the first `count` blocks.
    fn up_to(&self, count: usize, blocks: &BlockManager) -> &[u32] {
        let tokens = count.saturating_mul(blocks.block_tokens());
        let all = &self.prefix.tokens;
        &all[..tokens.min(all.len())]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blocks::{Prefix, root};

    /// A cache whose blocks hold numbers.
    struct Numbers(Vec<u8>);

    impl Forward for Numbers {
        fn forward(&mut self, _: &[scaffold_model::Span<'_>]) -> Result<&[f32], Error> {
            Ok(&[])
        }

        fn copy_out(&self, block: u32) -> Result<Vec<u8>, Error> {
            Ok(vec![self.0[block as usize]])
        }

        fn copy_in(&mut self, block: u32, bytes: &[u8]) -> Result<(), Error> {
            let [byte] = bytes else { return Err(err!(Usage, "not a block")) };
            self.0[block as usize] = *byte;
            Ok(())
        }
    }

    fn place(tokens: &[u32], index: usize) -> Place {
        Place { prefix: PromptPrefix::new(tokens), index }
    }

    #[test]
    fn a_prefix_comes_back_as_it_was_and_its_end_goes_first() {
        let (mut blocks, mut session) = (BlockManager::new(4, 2), Numbers(vec![0; 4]));
        let tokens = [1, 2, 3, 4, 5, 6, 7];
        for index in 0..3 {
            let bytes = [10 + index as u8];
            copy_in(&place(&tokens, index), root(0), &bytes, &mut blocks, &mut session).unwrap();
        }
        blocks.check_integrity([]).unwrap();
        for index in 0..3 {
            let out = copy_out(&place(&tokens, index), root(0), &blocks, &session).unwrap();
            assert_eq!(out, [10 + index as u8]);
        }
        // Of the four blocks one is free; the second one that is taken was the end of the prefix.
        let taken: Vec<_> = (0..2).filter_map(|_| blocks.allocate()).collect();
        assert_eq!(blocks.find_prefix(root(0), &tokens).blocks.len(), 2);
        let error = copy_out(&place(&tokens, 2), root(0), &blocks, &session).unwrap_err();
        assert_eq!(error.kind(), scaffold_error::Kind::Busy);
        // It needs a block, and the only ones are those before it.
        let again = copy_in(&place(&tokens, 2), root(0), &[1], &mut blocks, &mut session);
        assert!(again.unwrap_err().to_string().contains("no block"));
        blocks.check_integrity([&taken[..]]).unwrap();
        // Not out of order, and not what is no block.
        let early = copy_in(&place(&[9; 6], 1), root(0), &[1], &mut blocks, &mut session);
        assert!(early.unwrap_err().to_string().contains("block 0 "));
        blocks.release(&mut taken.clone());
        let wrong = copy_in(&place(&tokens, 2), root(0), &[1, 2], &mut blocks, &mut session);
        assert!(wrong.is_err());
        blocks.check_integrity([]).unwrap();
    }

    proptest! {
        /// Whatever else is allocated meanwhile: no block is lost, and what is found is what was put
        /// in.
        #[test]
        fn no_block_is_lost(
            acts in prop::collection::vec((0u8..4, 0usize..4, 0u32..3), 1..80),
        ) {
            let (mut blocks, mut session) = (BlockManager::new(6, 2), Numbers(vec![0; 6]));
            let mut held: Vec<u32> = Vec::new();
            for (act, index, which) in acts {
                let tokens: Vec<u32> = (0..8).map(|at| at * 3 + which).collect();
                let byte = (which * 10) as u8 + index as u8;
                let at = place(&tokens, index);
                match act {
                    0 | 1 => {
                        let _ = copy_in(&at, root(0), &[byte], &mut blocks, &mut session);
                    }
                    2 => held.extend(blocks.allocate()),
                    _ => blocks.release(&mut held),
                }
                let Prefix { blocks: found, .. } = blocks.find_prefix(root(0), &tokens);
                for (index, &block) in found.iter().enumerate() {
                    prop_assert_eq!(session.0[block as usize], (which * 10) as u8 + index as u8);
                }
                prop_assert_eq!(blocks.check_integrity([&held[..]]), Ok(()));
            }
        }
    }
}
