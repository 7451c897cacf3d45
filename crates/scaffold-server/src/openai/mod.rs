//! The interface of OpenAI: chats, completions, embeddings, models.

pub(crate) mod chat;
mod chunks;
pub(crate) mod completions;
pub(crate) mod embeddings;
mod legacy;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod parameters;
pub(crate) mod shapes;
pub(crate) mod sse;
