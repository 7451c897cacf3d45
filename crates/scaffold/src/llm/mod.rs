//! Models that answer: loading them, their prompts, and their answers.

mod defaults;
mod files;
mod format;
mod loaded;
mod manager;
mod notice;
mod options;
mod stream;
mod text;
pub(crate) mod vocabulary;

pub use files::TextFiles;
pub use loaded::ModelInfo;
pub(crate) use loaded::exec;
pub use manager::LlmManager;
pub use notice::Notice;
pub use options::{LoadOptions, MemoryLimit};
pub use stream::{Answer, AnswerStream};
pub(crate) use vocabulary::of_gguf as vocabulary_of_gguf;
