//! Models that answer: loading them, their prompts, and their answers.

mod answer;
mod called;
mod calls;
mod constrained;
mod defaults;
mod format;
mod loaded;
mod made;
mod manager;
mod options;
mod own;
mod parts;
mod prefix;
mod recall;
mod score;
mod spoken;
mod stream;
mod text;
mod thoughts;
mod typed;

pub use answer::{Answer, Candidate, Logprob};
pub use called::ToolChoice;
pub(crate) use defaults::setting;
pub use loaded::ModelInfo;
pub use manager::LlmManager;
pub use options::GenerateOptions;
pub use parts::{Arrived, PartStream, Reply};
pub use prefix::KeptPrefix;
pub use score::Score;
pub use stream::{AnswerStream, Piece};
