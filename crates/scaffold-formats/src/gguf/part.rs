//! One GGUF file: its header, its metadata and the directory of its tensors.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cursor::Cursor;
use super::metadata::Metadata;
use super::start::check_start;
use super::tensor_type::TensorType;
use crate::error::{FormatError, GgufProblem};
use crate::map::FileBytes;
use crate::tensor::{Tensor, TensorInfo};

/// `GGML_MAX_DIMS`: no tensor has more dimensions.
const MAX_DIMS: u32 = 4;
/// Where `general.alignment` is not set.
pub(crate) const DEFAULT_ALIGNMENT: usize = 32;
/// Public files use 32, some 4096 for direct I/O. The bound keeps a hostile value from moving the
/// data section far.
pub(crate) const MAX_ALIGNMENT: usize = 1 << 20;
/// Name length and one byte of name, number of dimensions, type, offset.
const LEAST_TENSOR_BYTES: usize = 8 + 1 + 4 + 4 + 8;

/// The largest public models have some thousands in a file.
const MAX_TENSORS: usize = 1 << 20;

/// A tensor's entry in the directory.
#[derive(Debug)]
pub(super) struct TensorEntry {
    pub(super) name: String,
    ty: TensorType,
    shape: Vec<usize>,
    bytes: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    bytes: Arc<FileBytes>,
    pub(super) metadata: Metadata,
    pub(super) entries: Vec<TensorEntry>,
}

impl Part {
    pub(super) fn open(path: &Path) -> Result<Self, FormatError> {
        Self::read(path.to_owned(), Arc::new(FileBytes::map(path)?))
    }

    pub(super) fn read(path: PathBuf, bytes: Arc<FileBytes>) -> Result<Self, FormatError> {
        Self::parse(path.clone(), bytes).map_err(|problem| FormatError::Gguf { path, problem })
    }

    fn parse(path: PathBuf, bytes: Arc<FileBytes>) -> Result<Self, GgufProblem> {
        let mut cursor = Cursor::new(&bytes, 0);
        check_start(&mut cursor)?;
        let tensors = cursor.count(LEAST_TENSOR_BYTES, MAX_TENSORS, "tensors")?;
        let pairs = Metadata::read_count(&mut cursor)?;
        let metadata = Metadata::read(path.clone(), Arc::clone(&bytes), pairs, &mut cursor)?;
        let raw =
            (0..tensors).map(|_| RawEntry::read(&mut cursor)).collect::<Result<Vec<_>, _>>()?;
        let alignment = alignment(&metadata)?;
        let data = cursor.at().next_multiple_of(alignment);
        let entries = raw
            .into_iter()
            .map(|raw| raw.place(data, alignment, bytes.len()))
            .collect::<Result<Vec<_>, _>>()?;
        check_overlaps(&entries)?;
        Ok(Self { path, bytes, metadata, entries })
    }

    pub(super) fn tensor(&self, entry: usize) -> Result<Tensor<'_>, FormatError> {
        let TensorEntry { name, ty, shape, bytes } = &self.entries[entry];
        let Some(block_type) = ty.ty else {
            let problem = GgufProblem::TensorType {
                tensor: name.clone(),
                type_name: ty.name,
                id: ty.id,
                readable: TensorType::readable_names(),
            };
            return Err(FormatError::Gguf { path: self.path.clone(), problem });
        };
        Ok(Tensor { name, ty: block_type, shape, bytes: &self.bytes[bytes.clone()] })
    }

    pub(super) fn info(&self, entry: usize) -> TensorInfo<'_> {
        let TensorEntry { name, ty, shape, bytes } = &self.entries[entry];
        TensorInfo { name, type_name: ty.name, ty: ty.ty, shape, bytes: bytes.len() }
    }

    pub(super) fn release(&self, entry: usize) {
        self.bytes.release(self.entries[entry].bytes.clone());
    }
}

fn alignment(metadata: &Metadata) -> Result<usize, GgufProblem> {
    let alignment = match metadata.get_u64("general.alignment") {
        Ok(None) => return Ok(DEFAULT_ALIGNMENT),
        Ok(Some(alignment)) => alignment,
        Err(FormatError::Gguf { problem, .. }) => return Err(problem),
        Err(_) => 0,
    };
    usize::try_from(alignment)
        .ok()
        .filter(|alignment| alignment.is_power_of_two() && *alignment <= MAX_ALIGNMENT)
        .ok_or(GgufProblem::Alignment { alignment, most: MAX_ALIGNMENT as u64 })
}

/// A directory entry as it stands in the file.
struct RawEntry {
    name: String,
    /// Outermost first; the file has it the other way round.
    shape: Vec<u64>,
    ty: TensorType,
    offset: u64,
}

impl RawEntry {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, GgufProblem> {
        let name = cursor.name("a tensor's name")?.to_owned();
        let dims = cursor.u32("a tensor's number of dimensions")?;
        if dims > MAX_DIMS {
            return Err(GgufProblem::Dimensions { tensor: name, dims, most: MAX_DIMS });
        }
        let mut shape =
            (0..dims).map(|_| cursor.u64("a tensor's dimension")).collect::<Result<Vec<_>, _>>()?;
        shape.reverse();
        let ty = TensorType::from_id(cursor.u32("a tensor's type")?);
        let offset = cursor.u64("a tensor's offset")?;
        Ok(Self { name, shape, ty, offset })
    }

    /// Finds the tensor's bytes in a file of `size` bytes whose data section starts at `data`.
    fn place(self, data: usize, alignment: usize, size: usize) -> Result<TensorEntry, GgufProblem> {
        let Self { name, shape, ty, offset } = self;
        let (shape, length) = match measure(&shape, ty) {
            Ok(measured) => measured,
            Err(Misfit::Overflow) => {
                return Err(GgufProblem::TensorSize { tensor: name, shape });
            }
            Err(Misfit::Ragged { cols, block }) => {
                return Err(GgufProblem::RaggedRows {
                    tensor: name,
                    cols,
                    block,
                    type_name: ty.name,
                });
            }
        };
        if !offset.is_multiple_of(alignment as u64) {
            return Err(GgufProblem::Misaligned {
                tensor: name,
                offset,
                alignment: alignment as u64,
            });
        }
        let start = offset.saturating_add(data as u64);
        let end = start.saturating_add(length as u64);
        // A tensor without values may stand at the very end, after padding that was never written.
        if end > size as u64 && length > 0 {
            return Err(GgufProblem::TensorBeyondEnd { tensor: name, end, size: size as u64 });
        }
        let bytes = if length == 0 { 0..0 } else { start as usize..end as usize };
        Ok(TensorEntry { name, ty, shape, bytes })
    }
}

enum Misfit {
    Overflow,
    Ragged { cols: usize, block: usize },
}

/// The shape in this machine's sizes, and the bytes that it takes. A type of unknown size takes
/// none: it can be listed, never read.
fn measure(shape: &[u64], ty: TensorType) -> Result<(Vec<usize>, usize), Misfit> {
    let shape: Vec<usize> = shape
        .iter()
        .map(|&dim| usize::try_from(dim))
        .collect::<Result<_, _>>()
        .map_err(|_| Misfit::Overflow)?;
    // Zero dimensions must not hide others that overflow, or a product elsewhere could.
    let values = shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim.max(1)));
    let values =
        values.filter(|&values| isize::try_from(values).is_ok()).ok_or(Misfit::Overflow)?;
    let Some((block, block_bytes)) = ty.block else {
        return Ok((shape, 0));
    };
    if shape.contains(&0) {
        return Ok((shape, 0));
    }
    let cols = shape.last().copied().unwrap_or(1);
    if !cols.is_multiple_of(block) {
        return Err(Misfit::Ragged { cols, block });
    }
    let length = (values / block).checked_mul(block_bytes).ok_or(Misfit::Overflow)?;
    Ok((shape, length))
}

fn check_overlaps(entries: &[TensorEntry]) -> Result<(), GgufProblem> {
    let mut placed: Vec<&TensorEntry> =
        entries.iter().filter(|entry| !entry.bytes.is_empty()).collect();
    placed.sort_by_key(|entry| entry.bytes.start);
    match placed.windows(2).find(|pair| pair[0].bytes.end > pair[1].bytes.start) {
        None => Ok(()),
        Some(pair) => {
            Err(GgufProblem::Overlap { first: pair[0].name.clone(), second: pair[1].name.clone() })
        }
    }
}
