//! Requests for measuring.

use scaffold::engine::{Request, Stop};

/// Prompts of which no two begin alike.
pub(super) struct Prompts {
    vocab: usize,
    made: u64,
}

impl Prompts {
    /// Of tokens below `vocab`.
    pub(super) fn new(vocab: usize) -> Self {
        Self { vocab, made: 0 }
    }

    /// The next prompt, of `length` tokens.
    pub(super) fn next(&mut self, length: usize) -> Vec<u32> {
        self.made += 1;
        prompt(length, self.vocab, self.made)
    }
}

/// Token ids without pattern, the same on every machine. No two `number`s begin alike, so none
/// finds another's prompt in the cache.
pub(super) fn prompt(length: usize, vocab: usize, number: u64) -> Vec<u32> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % vocab.max(1) as u64) as u32
    };
    (0..length).map(|_| next()).collect()
}

/// So many of the likeliest tokens after a prompt, whatever they are.
pub(super) fn exactly(prompt: Vec<u32>, tokens: usize) -> Request {
    let stop = Stop { max_new_tokens: Some(tokens), ignore_eos: true, ..Stop::default() };
    Request { stop, ..Request::new(prompt) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_in_the_vocabulary_and_differ_from_the_start() {
        let prompts: Vec<_> = (0..5).map(|number| prompt(100, 512, number)).collect();
        for (index, one) in prompts.iter().enumerate() {
            assert!(one.len() == 100 && one.iter().all(|&id| id < 512));
            assert!(prompts[..index].iter().all(|other| other[..16] != one[..16]));
        }
    }
}
