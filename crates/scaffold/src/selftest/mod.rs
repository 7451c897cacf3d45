//! The system test: does this installation compute what it should, with the models that are here?

mod clock;
pub mod report;

pub use clock::utc;
pub use report::{Evidence, Model, ModelFile, Outcome, Report, Test};
