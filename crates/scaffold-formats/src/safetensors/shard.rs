//! One safetensors file.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};

use super::dtype;
use super::header::{RawEntry, RawHeader};
use crate::map::FileBytes;
use crate::quoted::Quoted;
use crate::tensor::{Tensor, TensorInfo, overlap, twice};

/// The bound of the reference implementation (`MAX_HEADER_SIZE`).
const MAX_HEADER_BYTES: usize = 100_000_000;
const LENGTH_BYTES: usize = 8;

#[derive(Debug)]
pub(super) struct TensorEntry {
    pub(super) name: String,
    dtype: String,
    shape: Vec<usize>,
    /// Within the file.
    bytes: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Shard {
    pub(super) path: PathBuf,
    bytes: FileBytes,
    /// In the order of the data.
    pub(super) entries: Vec<TensorEntry>,
    pub(super) places: HashMap<String, usize>,
    /// Other names of tensors, with the name that each is stored by.
    pub(super) aliases: HashMap<String, String>,
}

/// The contents of a file, and where they are.
struct Contents {
    entries: Vec<TensorEntry>,
    places: HashMap<String, usize>,
    aliases: HashMap<String, String>,
}

impl Shard {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Self::read(path.to_owned(), FileBytes::map(path)?)
    }

    pub(super) fn read(path: PathBuf, bytes: FileBytes) -> Result<Self, Error> {
        match parse(&bytes) {
            Ok(contents) => Ok(Self {
                path,
                bytes,
                entries: contents.entries,
                places: contents.places,
                aliases: contents.aliases,
            }),
            Err(error) => Err(error.in_file(path)),
        }
    }

    pub(super) fn tensor(&self, entry: usize) -> Result<Tensor<'_>, Error> {
        let TensorEntry { name, dtype, shape, bytes } = &self.entries[entry];
        let Some(ty) = dtype::block_type(dtype) else {
            let error = err!(
                Unsupported,
                "tensor {} has type {}, which is not supported; supported are {}",
                Quoted(name),
                Quoted(dtype),
                dtype::READABLE_NAMES
            );
            return Err(error.in_file(&self.path).of_tensor(name));
        };
        Ok(Tensor { name, ty, shape, bytes: &self.bytes[bytes.clone()] })
    }

    pub(super) fn info(&self, entry: usize) -> TensorInfo<'_> {
        let TensorEntry { name, dtype, shape, bytes } = &self.entries[entry];
        TensorInfo {
            name,
            type_name: dtype,
            ty: dtype::block_type(dtype),
            shape,
            bytes: bytes.len(),
        }
    }

    pub(super) fn release(&self, entry: usize) {
        self.bytes.release(self.entries[entry].bytes.clone());
    }

    /// Whether all that was read was there.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.bytes.check()
    }
}

fn parse(bytes: &[u8]) -> Result<Contents, Error> {
    let header_bytes = header(bytes)?;
    let header: RawHeader = serde_json::from_slice(header_bytes).map_err(|cause| {
        err!(Damaged, "the header is not a valid safetensors header: {cause}; the file is damaged")
            .because(cause)
    })?;

    let data = LENGTH_BYTES + header_bytes.len();
    let mut entries = header
        .tensors
        .into_iter()
        .map(|(name, raw)| place(name, raw, data, bytes.len() - data))
        .collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| (entry.bytes.start, entry.bytes.end));
    check_cover(&entries, data..bytes.len())?;

    let mut places = HashMap::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        if places.insert(entry.name.clone(), index).is_some() {
            return Err(twice(&entry.name));
        }
    }
    // Whatever else is noted there names no tensor.
    let mut aliases = header.notes;
    aliases.retain(|name, stored| !places.contains_key(name) && places.contains_key(stored));
    Ok(Contents { entries, places, aliases })
}

/// The header's bytes, after the eight that say how many they are.
fn header(bytes: &[u8]) -> Result<&[u8], Error> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or_else(|| {
        err!(
            Damaged,
            "the file has {} bytes, fewer than the 8 of a safetensors length: it is cut short; fetch it again",
            bytes.len()
        )
    })?;
    let length = u64::from_le_bytes(*length);
    usize::try_from(length)
        .ok()
        .filter(|&length| length <= MAX_HEADER_BYTES)
        .and_then(|length| rest.get(..length))
        .ok_or_else(|| {
            err!(
                Damaged,
                "not a safetensors file, or cut short: its first 8 bytes announce a header of {length} bytes, but {} follow \
                 and {MAX_HEADER_BYTES} are allowed at most",
                rest.len()
            )
        })
}

/// Finds a tensor's bytes in a file whose data of `size` bytes starts at `data`.
fn place(name: String, raw: RawEntry, data: usize, size: usize) -> Result<TensorEntry, Error> {
    let RawEntry { dtype, shape: raw_shape, data_offsets: [start, end] } = raw;
    if start > end || end > size as u64 {
        return Err(err!(
            Damaged,
            "tensor {} should lie at bytes {start}..{end} of the data, which has {size}: the file is cut short or damaged; \
             compare its size with the original and fetch it again",
            Quoted(&name)
        )
        .of_tensor(name));
    }
    let length = (end - start) as usize;
    let shape: Option<Vec<usize>> =
        raw_shape.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let needs = shape.as_deref().and_then(|shape| size_of(&dtype, shape, length));
    match (shape, needs) {
        (Some(shape), Some(needs)) if needs == length => {
            let bytes = data + start as usize..data + end as usize;
            Ok(TensorEntry { name, dtype, shape, bytes })
        }
        (_, needs) => {
            let needs =
                needs.map_or("overflows".to_owned(), |needs| format!("needs {needs} bytes"));
            Err(err!(
                Damaged,
                "tensor {} has type {dtype} and shape {raw_shape:?}, which {needs}, but {length} bytes in the file: it is \
                 damaged",
                Quoted(&name)
            )
            .of_tensor(name))
        }
    }
}

/// The bytes that a type and a shape ask for; `None` where that overflows. A type that is not known
/// is believed to take what it `has`: it can be listed, never read.
fn size_of(dtype: &str, shape: &[usize], has: usize) -> Option<usize> {
    // Zero dimensions must not hide others that overflow, or a product elsewhere could.
    let values = shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim.max(1)))?;
    let Some(bits) = dtype::bits(dtype) else {
        return Some(has);
    };
    if shape.contains(&0) {
        return Some(0);
    }
    Some(values.checked_mul(bits)?.div_ceil(8))
}

/// The tensors must cover the data without overlap or gap. They come sorted by their start.
fn check_cover(entries: &[TensorEntry], data: Range<usize>) -> Result<(), Error> {
    let mut covered = data.start;
    let mut previous: Option<&TensorEntry> = None;
    for entry in entries {
        if entry.bytes.start < covered {
            let first = previous.map_or("", |entry| &entry.name);
            return Err(overlap(first, &entry.name));
        }
        if entry.bytes.start > covered {
            return Err(gap(covered - data.start..entry.bytes.start - data.start));
        }
        covered = entry.bytes.end;
        previous = Some(entry);
    }
    if covered < data.end {
        return Err(gap(covered - data.start..data.len()));
    }
    Ok(())
}

/// Bytes of the data that belong to no tensor.
fn gap(bytes: Range<usize>) -> Error {
    err!(
        Damaged,
        "bytes {bytes:?} of the data belong to no tensor, which the format forbids: the file is damaged"
    )
}
