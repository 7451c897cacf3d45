//! What an encoder has done until now, as plain values.

use scaffold_engine::Histogram;
use serde::Serialize;

/// What an encoder has done since it was loaded, and what it is at.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EncoderMetrics {
    /// Calls that wait: none of their texts is begun.
    pub waiting: usize,
    /// Calls of which something is begun.
    pub running: usize,
    /// Texts that are not begun, of all calls.
    pub waiting_texts: usize,
    /// Tokens of them.
    pub waiting_tokens: usize,
    /// Calls that were taken.
    pub submitted: u64,
    /// Calls that were not taken, because too many waited.
    pub refused: u64,
    /// Calls that were not begun in time.
    pub expired: u64,
    /// Calls that were stopped.
    pub cancelled: u64,
    /// Calls that failed, for a text of theirs or by a fault.
    pub failed: u64,
    /// Calls that have what they came for.
    pub completed: u64,
    /// Texts that were computed.
    pub texts: u64,
    /// Tokens that were computed.
    pub tokens: u64,
    /// Batches that were computed.
    pub batches: u64,
    /// Faults of the program's own that were met while batches were computed.
    pub panics: u64,
    /// Seconds from a call until its first text was begun.
    pub queue: Histogram,
    /// Seconds that calls took, those that failed among them.
    pub whole: Histogram,
}

impl EncoderMetrics {
    /// Tokens of a batch in the mean, as a part of those that are computed together at most; above 1
    /// where texts are longer than that. `None` where nothing was computed.
    pub fn batch_fill(&self) -> Option<f64> {
        let room = self.batches as f64 * super::sessions::BATCH_TOKENS as f64;
        (self.batches > 0).then(|| self.tokens as f64 / room)
    }
}
