//! How far models are: loading them, letting them go, and streams that tell of both.

pub(crate) mod events;
pub(crate) mod llama;
pub(crate) mod load;
pub(crate) mod told;
mod watching;
