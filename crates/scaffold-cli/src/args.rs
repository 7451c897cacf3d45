//! What commands share of what was typed.

mod answer;
mod grammar;
mod keys;
pub(crate) mod number;
mod project;
pub(crate) mod report;
mod sampling;

pub(crate) use answer::{AnswerArgs, Talk};
pub(crate) use grammar::GrammarArgs;
pub(crate) use keys::{ComputeArgs, SettingArgs, flag_of, key_of};
pub(crate) use project::ProjectArgs;
pub(crate) use report::ReportArgs;
pub(crate) use sampling::SamplingArgs;
