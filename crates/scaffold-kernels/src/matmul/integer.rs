//! Integer weights times 8-bit activations: three ways with the same results.

mod blocked;
mod direct;
#[cfg(target_arch = "x86_64")]
mod tiled;
mod unpacked;

use super::Task;
#[cfg(target_arch = "x86_64")]
use crate::activations::WHOLE;
use crate::matrix::{
    layout::{Format, PerFormat, with_format},
    zero_index,
};

/// For more tiles than this, unpacking codes once for all rows pays.
const FEW: usize = 2;

/// Computes a task.
pub(super) fn multiply(task: &Task<'_>) {
    #[cfg(target_arch = "x86_64")]
    if task.x.tile_rows() == WHOLE {
        return tiled::run(task);
    }
    if task.x.tiles() > FEW {
        blocked::run(task);
    } else {
        with_format(task.section.ty, Direct(task));
    }
}

struct Direct<'a>(&'a Task<'a>);

impl PerFormat for Direct<'_> {
    type Out = ();

    fn run<F: Format>(self) {
        direct::run::<F>(self.0);
    }
}

/// The index of the format's zero point; 0 for formats with minima, which have none.
const fn zero_index_of<F: Format>() -> usize {
    if F::SCHEME.has_min() { 0 } else { zero_index(F::SCHEME) }
}
