//! Files split into parts, `name-00001-of-00003.gguf` and so on, as llama.cpp's `gguf-split` writes
//! them.

use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};
use scaffold_files::SplitName;

use super::part::Part;

/// Given one part of a split file, opens the others: the result holds all parts in order. A file
/// that is not split comes back alone.
pub(super) fn open_all(
    path: &Path,
    opened: Part,
    open: impl Fn(&Path) -> Result<Part, Error>,
) -> Result<Vec<Part>, Error> {
    let Some((number, count)) = split_numbers(&opened)? else {
        return Ok(vec![opened]);
    };
    let name = path.file_name().and_then(|name| name.to_str()).and_then(SplitName::parse);
    let name = name.ok_or_else(|| {
        err!(
            Damaged,
            "this is part {number} of {count} of a split file, but its name does not end in \
             `-{number:05}-of-{count:05}.gguf`, so the other parts cannot be found; give all parts their original names"
        )
        .in_file(path)
    })?;
    check_numbers(path, (name.number.into(), name.count.into()), (number, count))?;

    let mut opened = Some(opened);
    let mut parts = Vec::new();
    for other in 1..=name.count {
        let part = if let Some(part) = opened.take_if(|_| other == name.number) {
            part
        } else {
            let path = sibling(path, &name.part(other));
            let part = open(&path)?;
            let found = split_numbers(&part)?.unwrap_or((1, 1));
            check_numbers(&path, (other.into(), count), found)?;
            part
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

/// Number and count of a part, by its name and by its metadata.
fn check_numbers(path: &Path, named: (u64, u64), found: (u64, u64)) -> Result<(), Error> {
    if named == found {
        return Ok(());
    }
    Err(err!(
        Damaged,
        "the file name says part {} of {}, its metadata says part {} of {}; give the parts their original names",
        named.0,
        named.1,
        found.0,
        found.1
    )
    .in_file(path))
}

/// The part's number, from 1, and the number of parts; `None` where the file is not split.
fn split_numbers(part: &Part) -> Result<Option<(u64, u64)>, Error> {
    let count = part.metadata.get_u64("split.count")?.unwrap_or(1);
    let number = part.metadata.get_u64("split.no")?.unwrap_or(0);
    if count == 1 {
        return Ok(None);
    }
    let most = u64::from(SplitName::MOST);
    if count == 0 || count > most || number >= count {
        return Err(err!(
            Damaged,
            "split.no is {number} and split.count {count}; the count must be 1 to {most} and the number below it: the file \
             is damaged"
        )
        .in_file(&part.path));
    }
    Ok(Some((number + 1, count)))
}

fn check_total(parts: &[Part]) -> Result<(), Error> {
    let Some(first) = parts.first() else {
        return Ok(());
    };
    let found: u64 = parts.iter().map(|part| part.entries.len() as u64).sum();
    match first.metadata.get_u64("split.tensors.count")? {
        Some(announced) if announced != found => Err(err!(
            Damaged,
            "the parts hold {found} tensors together but {announced} are announced: they are not parts of one file, or one \
             was replaced"
        )
        .in_file(&first.path)),
        _ => Ok(()),
    }
}
