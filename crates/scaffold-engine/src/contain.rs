//! Panics on the engine's thread, caught where somebody can be told of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(not(panic = "unwind"))]
compile_error!(
    "scaffold-engine turns panics on its thread into errors of the requests at hand: build it with panic = \"unwind\""
);

/// Runs a part of the engine; a panic in it becomes its words. What the part worked on may be in
/// any state then: the caller throws it away.
pub(crate) fn contained<T>(part: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(part)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        text.unwrap_or("it gives no reason").to_owned()
    })
}
