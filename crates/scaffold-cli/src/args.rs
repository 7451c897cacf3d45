//! What commands share of what was typed.

mod answer;
mod compute;
pub(crate) mod number;
mod project;
mod sampling;
mod settings;

pub(crate) use answer::{AnswerArgs, Talk};
pub(crate) use compute::ComputeArgs;
pub(crate) use project::ProjectArgs;
pub(crate) use sampling::SamplingArgs;
pub(crate) use settings::SettingArgs;
