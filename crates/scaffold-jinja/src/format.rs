//! Python's two ways of putting values into texts: `%` and `str.format`.

mod braces;
mod number;
mod percent;
mod spec;

pub(crate) use braces::{braces, braces_map};
pub(crate) use percent::percent;
