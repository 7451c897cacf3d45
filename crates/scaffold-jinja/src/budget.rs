//! What a rendering may cost: templates come from strangers.

use crate::error::{Error, ErrorKind, Result};
use std::cell::Cell;

/// How much a rendering may cost before it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of the evaluator. A long chat takes some tens of thousands.
    pub steps: u64,
    /// Bytes of text and items made, all together.
    pub bytes: u64,
}

impl Default for Limits {
    /// 10 million steps and 512 MiB.
    fn default() -> Self {
        Limits { steps: 10_000_000, bytes: 512 << 20 }
    }
}

/// Parts of a step: bytes that are copied cost one each.
const PARTS: u64 = 64;
/// What a byte costs that is looked at by itself.
const ALONE: u64 = 8;

/// What is left of the limits.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    /// In parts.
    steps: Cell<u64>,
    bytes: Cell<u64>,
}

/// What an item of a list or dictionary is taken to weigh.
pub(crate) const ITEM: usize = 48;

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Budget {
            limits,
            steps: Cell::new(limits.steps.saturating_mul(PARTS)),
            bytes: Cell::new(limits.bytes),
        }
    }

    /// Takes so many steps.
    pub(crate) fn step(&self, steps: u64) -> Result<()> {
        match self.steps.get().checked_sub(steps.saturating_mul(PARTS)) {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => Err(Error::new(
                ErrorKind::Steps,
                format!("it took more than {} steps", self.limits.steps),
            )),
        }
    }

    /// Whether so many bytes are left; they are taken if so. Bytes cost steps as well: long texts
    /// take time.
    pub(crate) fn has(&self, bytes: usize) -> bool {
        self.pay(bytes, 1)
    }

    /// The same for text that is made character by character.
    pub(crate) fn has_alone(&self, bytes: usize) -> bool {
        self.pay(bytes, ALONE)
    }

    fn pay(&self, bytes: usize, cost: u64) -> bool {
        let left = self.bytes.get().checked_sub(bytes as u64);
        self.bytes.set(left.unwrap_or(0));
        let cost = (bytes as u64).saturating_mul(cost);
        let steps = self.steps.get().checked_sub(cost);
        self.steps.set(steps.unwrap_or(0));
        left.is_some() && steps.is_some()
    }

    /// Takes so many bytes.
    pub(crate) fn take(&self, bytes: usize) -> Result<()> {
        if self.has(bytes) { Ok(()) } else { Err(self.exhausted()) }
    }

    /// Takes the room of so many items.
    pub(crate) fn items(&self, count: usize) -> Result<()> {
        self.take(count.saturating_mul(ITEM))
    }

    pub(crate) fn exhausted(&self) -> Error {
        Error::new(
            ErrorKind::Memory,
            format!(
                "it made more than {} bytes of text, or took more than {} steps for it",
                self.limits.bytes, self.limits.steps
            ),
        )
    }
}
