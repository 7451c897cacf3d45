//! The seam for packed weights that are kept between runs.

use std::time::Duration;

use scaffold_formats::Watch;
use scaffold_kernels::{BlockType, PackedBytes};

/// A packed matrix as it is kept: its bytes and what they mean.
#[derive(Clone, Debug)]
pub struct StoredMatrix {
    /// Values in a row.
    pub cols: usize,
    /// The types of its parts, with their rows.
    pub parts: Vec<(BlockType, usize)>,
    /// The packed bytes.
    pub bytes: PackedBytes,
}

/// Where the packed weights of one model are kept between runs.
///
/// The store answers for its matrices being those of the model that is loaded, packed with the
/// precision and the [layout](scaffold_kernels::Matrix::LAYOUT) that the loader will use: a matrix
/// is recognised by the names of the tensors in it, and only its shape is compared.
pub trait PackedStore: std::fmt::Debug + Send + Sync {
    /// The matrix that is kept under this name.
    fn get(&self, name: &str) -> Option<StoredMatrix>;

    /// Tells whether the file that they lie in has become shorter since; `None` where they lie in
    /// none.
    fn watch(&self) -> Option<Watch> {
        None
    }

    /// Hears of a matrix that was packed because [`PackedStore::get`] had none, and how long that
    /// took.
    fn packed(&self, name: &str, matrix: StoredMatrix, took: Duration);
}
