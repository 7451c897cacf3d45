//! Chats: messages, and the templates that turn them into a prompt.

mod continued;
mod fallback;
mod message;
pub(crate) mod mistral;
mod options;
mod prompt;
mod sources;
mod template;
#[cfg(test)]
mod tests;

pub use fallback::FamilyHint;
pub use message::Message;
pub use options::RenderOptions;
pub use prompt::Prompt;
pub use sources::template_sources;
pub use template::ChatTemplate;
