//! The way to disk.

use std::path::Path;

use scaffold_error::Error;
use scaffold_kernels::BlockType;

use super::header::{ALIGNMENT, HEADER, Header};
use super::{CHUNK, Index, IndexEntry, PackedAbout, checksum};
use crate::write::write_file;

/// A packed matrix that is to be kept.
#[derive(Clone, Debug)]
pub struct PackedMatrix<'a> {
    /// What it is found by.
    pub name: &'a str,
    /// Values in a row.
    pub cols: usize,
    /// The types of its parts, with their rows.
    pub parts: &'a [(BlockType, usize)],
    /// Its bytes, a multiple of 64.
    pub bytes: &'a [u8],
}

/// Writes a file of packed weights, whole or not at all: under a temporary name
/// (`scaffold_files::UNFINISHED`), which is renamed when everything is on disk. Returns its size.
///
/// # Errors
/// The file cannot be written; nothing is left of it then.
pub fn write_packed(
    path: &Path,
    about: &PackedAbout,
    matrices: &[PackedMatrix<'_>],
) -> Result<u64, Error> {
    let mut offset = 0;
    let entry = |matrix: &PackedMatrix<'_>| {
        let entry = IndexEntry {
            name: matrix.name.to_owned(),
            cols: matrix.cols,
            parts: matrix.parts.iter().map(|(ty, rows)| (ty.name().to_owned(), *rows)).collect(),
            offset,
            bytes: matrix.bytes.len(),
        };
        offset += matrix.bytes.len();
        entry
    };
    let entries = matrices.iter().map(entry).collect();
    let index = Index { about: about.clone(), matrices: entries, checksums: checksums(matrices) };
    let index =
        serde_json::to_vec(&index).map_err(|error| Error::io("write", path)(error.into()))?;
    let contents = (HEADER + index.len()).next_multiple_of(ALIGNMENT);
    let header = Header {
        index: index.len(),
        index_checksum: checksum(&index),
        contents,
        file: contents + offset,
    };
    write_file(path, |out| {
        out.write_all(&header.write())?;
        out.write_all(&index)?;
        out.write_all(&vec![0; contents - HEADER - index.len()])?;
        for matrix in matrices {
            out.write_all(matrix.bytes)?;
        }
        Ok(())
    })?;
    Ok(header.file as u64)
}

/// The checksums of the matrices' bytes, one after the other, cut into chunks.
fn checksums(matrices: &[PackedMatrix<'_>]) -> Vec<u64> {
    let mut sums = Vec::new();
    let mut chunk: Vec<u8> = Vec::with_capacity(CHUNK);
    for matrix in matrices {
        let mut bytes = matrix.bytes;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - chunk.len()));
            chunk.extend_from_slice(now);
            bytes = later;
            if chunk.len() == CHUNK {
                sums.push(checksum(&chunk));
                chunk.clear();
            }
        }
    }
    if !chunk.is_empty() {
        sums.push(checksum(&chunk));
    }
    sums
}
