//! What went wrong, and what should be known: one [`Error`] and one [`Notice`] for all crates.
//!
//! An error has a [`Kind`], which programs decide by and doors map to exit codes or statuses; a
//! [`Place`]; a sentence that says what happened and what it means, with the value and the accepted
//! ones; and [remedies](Remedy), which each door words for its own users.
//!
//! ```
//! use scaffold_error::{Kind, Remedy, err};
//!
//! let error = err!(TooLarge, "it has {} tokens, and the model takes {}", 600, 512)
//!     .in_item("text", 3)
//!     .remedy(Remedy::Truncate);
//! assert_eq!((error.kind(), error.place().item()), (Kind::TooLarge, Some(3)));
//! let worded = error.worded(|remedy| match remedy {
//!     Remedy::Truncate => "cut it with --truncate".to_owned(),
//!     other => other.to_string(),
//! });
//! assert_eq!(
//!     worded,
//!     "text 3: it has 600 tokens, and the model takes 512\n  to do: cut it with --truncate"
//! );
//! ```

#![forbid(unsafe_code)]

mod error;
mod kind;
mod notice;
mod place;
mod remedy;

pub use error::Error;
pub use kind::Kind;
pub use notice::{Notice, Topic};
pub use place::Place;
pub use remedy::Remedy;

/// An [`Error`] of a [`Kind`], with words as `format!` takes them:
/// `err!(Damaged, "{count} tensors are announced")`.
#[macro_export]
macro_rules! err {
    ($kind:ident, $($words:tt)+) => {
        $crate::Error::new($crate::Kind::$kind, ::std::format!($($words)+))
    };
}
