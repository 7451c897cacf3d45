//! What an answer has to keep to, and the tokens that this allows at each place.
//!
//! A [`Grammar`] is a JSON schema, a regular expression, a grammar of Lark or of llama.cpp, or a list
//! of choices. It is compiled for the [`Vocabulary`] of a model once; each answer gets a [`Guide`] of
//! its own, which says after each token what may come next.
//!
//! The arithmetic is that of `llguidance`. What is written here is what stands before it: nothing
//! that a schema asks for is passed over ([`schema`]), nothing may take more time or memory than is
//! due, and an error names the place in the schema and not that in a program.
//!
//! Promises, each with a test:
//! - a grammar that cannot be kept to wholly is refused; what is accepted is enforced;
//! - control tokens come from no text: they are allowed only where a grammar names them;
//! - a guide depends on nothing but the tokens that it took.

#![forbid(unsafe_code)]

mod compile;
mod compose;
#[doc(hidden)]
pub mod fuzzing;
mod gbnf;
mod grammar;
pub mod guide;
mod lark;
mod limits;
mod pattern;
pub mod schema;
mod vocabulary;

pub use compile::Compiled;
pub use grammar::{Grammar, Part};
pub use guide::Guide;
pub use vocabulary::Vocabulary;
