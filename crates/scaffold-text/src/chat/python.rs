//! Python's ways of writing things, which prompts are made of.

pub(super) mod filters;
pub(super) mod json;
pub(super) mod methods;
pub(super) mod percent;
pub(super) mod repr;
pub(super) mod time;
