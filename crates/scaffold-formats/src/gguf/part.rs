//! One GGUF file: its header, its metadata and the directory of its tensors.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use scaffold_error::{Error, err};

use super::cursor::Cursor;
use super::metadata::Metadata;
use super::start::check_start;
use super::tensor_type::TensorType;
use crate::map::FileBytes;
use crate::quoted::Quoted;
use crate::tensor::{Tensor, TensorInfo, overlap};

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
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Self::read(path.to_owned(), Arc::new(FileBytes::map(path)?))
    }

    /// Whether all that was read was there.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.bytes.check()
    }

    pub(super) fn read(path: PathBuf, bytes: Arc<FileBytes>) -> Result<Self, Error> {
        Self::parse(path.clone(), bytes).map_err(|error| error.in_file(path))
    }

    fn parse(path: PathBuf, bytes: Arc<FileBytes>) -> Result<Self, Error> {
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

    pub(super) fn tensor(&self, entry: usize) -> Result<Tensor<'_>, Error> {
        let TensorEntry { name, ty, shape, bytes } = &self.entries[entry];
        let Some(block_type) = ty.ty else {
            return Err(err!(
                Unsupported,
                "tensor {} has type {} (number {}), which is not supported; supported are {}. Look for another \
                 quantization of the model",
                Quoted(name),
                ty.name,
                ty.id,
                TensorType::readable_names()
            )
            .in_file(&self.path)
            .of_tensor(name));
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

fn alignment(metadata: &Metadata) -> Result<usize, Error> {
    const KEY: &str = "general.alignment";
    let Some(alignment) = metadata.get_u64(KEY)? else { return Ok(DEFAULT_ALIGNMENT) };
    usize::try_from(alignment)
        .ok()
        .filter(|alignment| alignment.is_power_of_two() && *alignment <= MAX_ALIGNMENT)
        .ok_or_else(|| {
            err!(
                Damaged,
                "{KEY} is {alignment}; it must be a power of two of {MAX_ALIGNMENT} at most: the file is damaged"
            )
            .of_key(KEY)
        })
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
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let name = cursor.name("a tensor's name")?.to_owned();
        let dims = cursor.u32("a tensor's number of dimensions")?;
        if dims > MAX_DIMS {
            let what = format!("has {dims} dimensions; {MAX_DIMS} are allowed at most");
            return Err(damaged(&name, &what));
        }
        let mut shape =
            (0..dims).map(|_| cursor.u64("a tensor's dimension")).collect::<Result<Vec<_>, _>>()?;
        shape.reverse();
        let ty = TensorType::from_id(cursor.u32("a tensor's type")?);
        let offset = cursor.u64("a tensor's offset")?;
        Ok(Self { name, shape, ty, offset })
    }

    /// Finds the tensor's bytes in a file of `size` bytes whose data section starts at `data`.
    fn place(self, data: usize, alignment: usize, size: usize) -> Result<TensorEntry, Error> {
        let Self { name, shape, ty, offset } = self;
        let (shape, length) = measure(&shape, ty).map_err(|what| damaged(&name, &what))?;
        if !offset.is_multiple_of(alignment as u64) {
            let what = format!(
                "starts at data offset {offset}, not a multiple of the alignment {alignment}"
            );
            return Err(damaged(&name, &what));
        }
        let start = offset.saturating_add(data as u64);
        let end = start.saturating_add(length as u64);
        // A tensor without values may stand at the very end, after padding that was never written.
        if end > size as u64 && length > 0 {
            return Err(err!(
                Damaged,
                "tensor {} ends at byte {end} but the file has {size} bytes: it is cut short, probably an unfinished \
                 download; fetch it again",
                Quoted(&name)
            )
            .of_tensor(name));
        }
        let bytes = if length == 0 { 0..0 } else { start as usize..end as usize };
        Ok(TensorEntry { name, ty, shape, bytes })
    }
}

/// A directory entry that cannot be.
fn damaged(tensor: &str, what: &str) -> Error {
    err!(Damaged, "tensor {} {what}: the file is damaged", Quoted(tensor)).of_tensor(tensor)
}

/// The shape in this machine's sizes, and the bytes that it takes; otherwise what is wrong with it.
/// A type of unknown size takes none: it can be listed, never read.
fn measure(dims: &[u64], ty: TensorType) -> Result<(Vec<usize>, usize), String> {
    let overflow = || format!("has shape {dims:?}, whose size overflows");
    let shape: Vec<usize> = dims
        .iter()
        .map(|&dim| usize::try_from(dim))
        .collect::<Result<_, _>>()
        .map_err(|_| overflow())?;
    // Zero dimensions must not hide others that overflow, or a product elsewhere could.
    let values = shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim.max(1)));
    let values = values.filter(|&values| isize::try_from(values).is_ok()).ok_or_else(overflow)?;
    let Some((block, block_bytes)) = ty.block else {
        return Ok((shape, 0));
    };
    if shape.contains(&0) {
        return Ok((shape, 0));
    }
    let cols = shape.last().copied().unwrap_or(1);
    if !cols.is_multiple_of(block) {
        return Err(format!(
            "has rows of {cols} values, which is no multiple of {block}, the block size of its type {}",
            ty.name
        ));
    }
    let length = (values / block).checked_mul(block_bytes).ok_or_else(overflow)?;
    Ok((shape, length))
}

fn check_overlaps(entries: &[TensorEntry]) -> Result<(), Error> {
    let mut placed: Vec<&TensorEntry> =
        entries.iter().filter(|entry| !entry.bytes.is_empty()).collect();
    placed.sort_by_key(|entry| entry.bytes.start);
    match placed.windows(2).find(|pair| pair[0].bytes.end > pair[1].bytes.start) {
        None => Ok(()),
        Some(pair) => Err(overlap(&pair[0].name, &pair[1].name)),
    }
}
