//! Models that answer: loading them, their prompts, and their answers.

mod defaults;
mod files;
mod format;
mod loaded;
mod manager;
mod stream;
mod text;
pub(crate) mod vocabulary;

pub use files::TextFiles;
pub use loaded::ModelInfo;
pub use manager::LlmManager;
pub use stream::{Answer, AnswerStream};
