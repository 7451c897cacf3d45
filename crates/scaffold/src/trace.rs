//! What a program that uses `tracing` hears (the feature of that name): names, numbers and kinds of
//! errors. Words of prompts and answers are never among it, nor is what an error says, which may
//! quote them.

use std::time::Duration;

use scaffold_error::Error;

use crate::llm::Answer;

/// A model was loaded.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody hears it"))]
pub(crate) fn loaded(model: &str, took: Duration) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: "scaffold", model, seconds = took.as_secs_f64(), "loaded");
}

/// An answer has ended by itself, or at a limit.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody hears it"))]
pub(crate) fn answered(model: &str, answer: &Answer) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "scaffold",
        model,
        finish = answer.finish.name(),
        prompt_tokens = answer.usage.prompt_tokens,
        cached_tokens = answer.usage.cached_tokens,
        completion_tokens = answer.usage.completion_tokens,
        queue_s = answer.timings.queue.as_secs_f64(),
        prefill_s = answer.timings.prefill.as_secs_f64(),
        decode_s = answer.timings.decode.as_secs_f64(),
        "answered"
    );
}

/// Long prompts could not be kept.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody hears it"))]
pub(crate) fn not_kept(model: &str, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "scaffold", model, kind = error.kind().name(), "prompts were not kept");
}

/// A request has failed.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody hears it"))]
pub(crate) fn failed(model: &str, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "scaffold", model, kind = error.kind().name(), "failed");
}
