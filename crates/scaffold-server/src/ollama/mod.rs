//! The interface of Ollama.

pub(crate) mod blobs;
pub(crate) mod chat;
pub(crate) mod create;
pub(crate) mod embed;
pub(crate) mod generate;
mod lines;
pub(crate) mod listing;
pub(crate) mod manage;
mod options;
pub(crate) mod pull;
pub(crate) mod show;
