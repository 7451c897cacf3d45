//! What a model says, told apart: text for the reader, thoughts before it, and calls of tools.
//!
//! Models write thoughts and calls each in a way of their own. There is no table of ways here: a
//! model's own template shows how it writes the calls and thoughts of earlier turns, and that is what
//! it was trained to write. So the template renders a few chats with known calls, and the
//! [syntax](AnswerSyntax) is what stands around them. A [parser](AnswerParser) then reads answers as
//! they come.
//!
//! Nothing that a model writes is lost: what begins like a call and is none is text, with the reason.

mod derive;
mod form;
mod general;
mod harmony;
mod literal;
mod parser;
mod part;
mod probe;
mod scan;
mod syntax;
#[cfg(test)]
mod tests;
mod values;
mod writing;

pub use general::{Described, in_words};
pub use parser::AnswerParser;
pub use part::{Call, Part};
pub use syntax::AnswerSyntax;
pub use writing::{CallForm, CallWriting, Piece};
