//! Models of one's own: a name, what it is made from, and what is said over it. They are the user's
//! data and lie in a directory of their own (`SCAFFOLD_MODELS`), where nothing that tidies a cache
//! looks.
//!
//! - `names/NAME/TAG.json`: a model each, written whole or not at all;
//! - `blobs/sha256-…`: files that were brought for models, by the hash of their contents;
//! - `files/ID/…`: the files of a model under their names, which are links to blobs.
//!
//! What changes the store holds its lock; who reads needs none.

mod blobs;
mod record;
mod store;
#[cfg(test)]
mod tests;
mod tree;

pub use blobs::Upload;
pub use record::{Base, MadeMessage, MadeModel};
#[cfg(feature = "packages")]
pub(crate) use record::{parse as parse_record, written};
pub use store::MadeStore;
pub(crate) use store::unknown;
