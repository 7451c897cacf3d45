//! Files split into parts, `name-00001-of-00003.gguf` and so on, as llama.cpp's `gguf-split` writes
//! them.

use std::path::{Path, PathBuf};

use scaffold_files::SplitName;

use super::part::Part;
use crate::error::{FormatError, GgufProblem};

/// Given one part of a split file, opens the others: the result holds all parts in order. A file
/// that is not split comes back alone.
pub(super) fn open_all(
    path: &Path,
    opened: Part,
    open: impl Fn(&Path) -> Result<Part, FormatError>,
) -> Result<Vec<Part>, FormatError> {
    let Some((number, count)) = split_numbers(&opened)? else {
        return Ok(vec![opened]);
    };
    let fail = |problem| FormatError::Gguf { path: path.to_owned(), problem };
    let name = path.file_name().and_then(|name| name.to_str()).and_then(SplitName::parse);
    let name = name.ok_or_else(|| fail(GgufProblem::SplitName { number, count }))?;
    check_name(&name, number, count).map_err(fail)?;

    let mut opened = Some(opened);
    let mut parts = Vec::new();
    for other in 1..=name.count {
        let part = if let Some(part) = opened.take_if(|_| other == name.number) {
            part
        } else {
            let path = sibling(path, &name.part(other));
            numbered(open(&path)?, &path, other.into(), count)?
        };
        parts.push(part);
    }
    check_total(&parts)?;
    Ok(parts)
}

fn sibling(path: &Path, name: &str) -> PathBuf {
    // Beside the path as it was given: in a cache of symbolic links the parts' targets have other
    // names.
    path.with_file_name(name)
}

fn numbered(part: Part, path: &Path, wanted: u64, of: u64) -> Result<Part, FormatError> {
    let (number, count) = split_numbers(&part)?.unwrap_or((1, 1));
    if (number, count) == (wanted, of) {
        return Ok(part);
    }
    let problem =
        GgufProblem::SplitMismatch { named_number: wanted, named_count: of, number, count };
    Err(FormatError::Gguf { path: path.to_owned(), problem })
}

fn check_name(name: &SplitName<'_>, number: u64, count: u64) -> Result<(), GgufProblem> {
    let (named_number, named_count) = (name.number.into(), name.count.into());
    if (named_number, named_count) == (number, count) {
        return Ok(());
    }
    Err(GgufProblem::SplitMismatch { named_number, named_count, number, count })
}

/// The part's number, from 1, and the number of parts; `None` where the file is not split.
fn split_numbers(part: &Part) -> Result<Option<(u64, u64)>, FormatError> {
    let count = part.metadata.get_u64("split.count")?.unwrap_or(1);
    let number = part.metadata.get_u64("split.no")?.unwrap_or(0);
    if count == 1 {
        return Ok(None);
    }
    if count == 0 || count > u64::from(SplitName::MOST) || number >= count {
        return Err(part.metadata.error(GgufProblem::SplitNumbers {
            index: number,
            count,
            most: u64::from(SplitName::MOST),
        }));
    }
    Ok(Some((number + 1, count)))
}

fn check_total(parts: &[Part]) -> Result<(), FormatError> {
    let Some(first) = parts.first() else {
        return Ok(());
    };
    let found = parts.iter().map(|part| part.entries.len() as u64).sum();
    match first.metadata.get_u64("split.tensors.count")? {
        Some(announced) if announced != found => {
            Err(first.metadata.error(GgufProblem::SplitTensors { found, announced }))
        }
        _ => Ok(()),
    }
}
