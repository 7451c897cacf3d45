//! Chats: messages, and the templates that turn them into a prompt.

mod environment;
mod fallback;
mod message;
mod options;
mod python;
mod rewrite;
mod sources;
mod template;
#[cfg(test)]
mod tests;

pub use fallback::FamilyHint;
pub use message::{Content, Message};
pub use options::{DateTime, RenderOptions};
pub use template::ChatTemplate;
