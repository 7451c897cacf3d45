//! Where a packed matrix's bytes are: in memory of its own, or in something larger.

use std::{ops::Range, sync::Arc};

use scaffold_error::{Error, err};

use crate::{line::Line, mapped::Mapped};

/// The bytes of a packed matrix: packed in this process, or borrowed from something larger, usually
/// a mapped file.
///
/// Cloning shares the owner.
#[derive(Clone)]
pub struct PackedBytes {
    owner: Arc<dyn AsRef<[u8]> + Send + Sync>,
    range: Range<usize>,
}

impl PackedBytes {
    /// A range of the owner's bytes. The owner has to return the same bytes at the same address
    /// each time, and the range has to start at an address that is a multiple of 64.
    ///
    /// # Errors
    /// When the range is not there or starts elsewhere.
    pub fn new(
        owner: Arc<dyn AsRef<[u8]> + Send + Sync>,
        range: Range<usize>,
    ) -> Result<Self, Error> {
        let bytes = (*owner).as_ref().get(range.clone());
        let bytes = bytes.ok_or_else(|| unfit("its bytes end early"))?;
        if !bytes.as_ptr().addr().is_multiple_of(64) {
            return Err(unfit("its bytes do not start at a multiple of 64"));
        }
        Ok(Self { owner, range })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &(*self.owner).as_ref()[self.range.clone()]
    }

    /// A copy in large pages of this process's own, where the system has such; `None` if there is
    /// no memory for it. What lies in small pages, as mapped files often do, is read about a tenth
    /// slower.
    pub fn copied(&self) -> Option<Self> {
        let bytes = self.bytes();
        let mut copy = Mapped::whole(bytes.len())?;
        copy.copy_from_slice(bytes);
        Some(Self { owner: Arc::new(copy), range: 0..bytes.len() })
    }
}

/// A packed matrix read from storage does not hold what its header says.
pub(super) fn unfit(reason: &str) -> Error {
    err!(
        Damaged,
        "the stored packed matrix cannot be used: {reason}. Pack the original weights again"
    )
}

impl std::fmt::Debug for PackedBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedBytes").field("range", &self.range).finish_non_exhaustive()
    }
}

impl From<Mapped<Line>> for PackedBytes {
    fn from(lines: Mapped<Line>) -> Self {
        let range = 0..size_of_val(&*lines);
        Self { owner: Arc::new(lines), range }
    }
}
