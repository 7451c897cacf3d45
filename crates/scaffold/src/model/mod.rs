//! An opened model: the one way from files on this disk to what is known of a model, and to what
//! computes with it. Managers, embedders, cross-encoders, looks at a model and measurements all
//! stand on it.

mod opened;
mod placed;
mod text;
pub(crate) mod vocabulary;

pub use opened::Model;
pub(crate) use placed::{Placed, check_decoder, check_encoder};
pub use text::TextFiles;
