//! Paths of our own: what a model reads, and how the server is.

pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod names;
pub(crate) mod stages;
pub(crate) mod text;
