//! Chats: messages, and the templates that turn them into a prompt.

mod environment;
mod fallback;
mod guard;
mod message;
pub(crate) mod mistral;
mod options;
mod prompt;
mod python;
mod rewrite;
mod sources;
mod template;
#[cfg(test)]
mod tests;

pub use fallback::FamilyHint;
pub use message::{Content, Message};
pub use options::{DateTime, RenderOptions};
pub use prompt::Prompt;
pub use template::ChatTemplate;
