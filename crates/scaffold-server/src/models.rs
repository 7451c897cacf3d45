//! The way to models: names become leases of a registry, and what is on the disk is told. Nothing
//! else of the server knows where models come from.

mod disk;
mod facts;
mod holder;
mod load;
mod made;
mod uploads;
mod work;

pub(crate) use disk::Listed;
pub(crate) use facts::{Facts, capabilities, digest};
pub(crate) use holder::Models;
pub(crate) use load::{Loaded, Named};
pub(crate) use work::blocking;
