//! OpenAI's responses: items in, items out, and a long order of events. What was said is kept for
//! those who go on from it.

pub(crate) mod create;
mod events;
mod input;
mod keeping;
pub(crate) mod kept;
pub(crate) mod memory;
mod output;
mod request;
