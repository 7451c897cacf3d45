//! What is measured of a model.

use std::time::Duration;

use serde::Serialize;

/// What was measured of a model.
pub(super) struct Measured {
    pub(super) alone: Rates,
    pub(super) batch: Vec<Together>,
    pub(super) contexts: Vec<AtContext>,
    pub(super) load: Duration,
    pub(super) load_before: Option<f64>,
    pub(super) peak_rss_mib: Option<u64>,
}

/// How fast one sequence is read and written.
pub(super) struct Rates {
    pub(super) prefill_tok_s: f64,
    pub(super) decode_tok_s: f64,
    /// In seconds.
    pub(super) first_token: f64,
}

/// A prompt of another length.
#[derive(Serialize)]
pub(super) struct AtContext {
    /// Tokens of the prompt, and before the first new one.
    pub(super) context: u32,
    pub(super) prefill_tok_s: f64,
    pub(super) decode_tok_s: f64,
}

/// Several sequences written together.
#[derive(Serialize)]
pub(super) struct Together {
    pub(super) sequences: usize,
    /// New tokens of all a second.
    pub(super) tok_s: f64,
}
