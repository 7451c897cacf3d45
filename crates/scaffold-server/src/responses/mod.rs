//! OpenAI's responses: items in, items out, and a long order of events. Nothing is kept from one
//! request to the next.

pub(crate) mod create;
mod events;
mod input;
mod output;
mod request;
