//! What can go wrong with a call besides its texts.

use std::time::Duration;

use scaffold_engine::Overloaded;
use scaffold_error::{Error, err};

/// The call was stopped.
pub(super) fn cancelled() -> Error {
    err!(Cancelled, "the call was stopped on request before all of its texts were computed")
}

/// The call was not begun in time.
pub(super) fn late(waited: Duration) -> Error {
    err!(
        Busy,
        "the call has waited for {:.1} s and was not begun: the time that it may wait is over, because others were before it. \
         Repeat it later, or let it wait longer",
        waited.as_secs_f64()
    )
}

/// Too many calls wait.
pub(super) fn full(overloaded: Overloaded) -> Error {
    err!(
        Busy,
        "{overloaded}. Make the call again when others are complete, or load the model with room for more (max_waiting)"
    )
    .because(overloaded)
}

/// The model broke off in the middle of a batch.
pub(super) fn panicked(detail: &str) -> Error {
    err!(
        Internal,
        "the model broke off while it computed texts of this call: {detail}. This is a fault of the program, not of the \
         texts. Other calls go on: repeat the call, and report this with the model's name if it comes again"
    )
}

/// Nothing is left to be done for a call that has not come to its end.
pub(super) fn lost() -> Error {
    err!(
        Internal,
        "texts of this call were lost on their way through the queue. This is a fault of the program: repeat the call, and \
         report this"
    )
}
