//! Anthropic's interface: messages whose contents are blocks, and what they take in tokens.

mod answers;
mod blocks;
mod events;
pub(crate) mod messages;
mod request;
