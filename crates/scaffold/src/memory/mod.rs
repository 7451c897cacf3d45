//! The one authority for memory: how much may be had, what a model needs of it, and whether
//! something fits, before it is loaded or allocated.
//!
//! A system that runs out of memory ends processes without a word, and a control group does so at
//! once. So whoever is about to take more than a little asks here first, and is refused with
//! numbers.

mod needs;
mod process;
mod size;
mod system;

use std::fmt;

use scaffold_engine::{bytes_text, scratch_bytes};
use scaffold_error::{Error, err};
use scaffold_model::ModelSpec;
use serde::Serialize;

pub use needs::Need;
pub(crate) use needs::{Work, decide, notice_of, plan, settings};
pub(crate) use size::{Listed, Size};

use crate::options::MemoryLimit;

/// What may be had of memory now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Available {
    /// Bytes.
    pub bytes: usize,
    /// What sets the limit.
    pub by: Bound,
}

/// What sets a limit on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The memory of the machine that is free.
    Machine,
    /// A control group: a container's limit, or a service's.
    Group,
    /// The limit on the address space of a process (`ulimit -v`).
    AddressSpace,
    /// The limit on the data of a process (`ulimit -d`).
    Data,
    /// The caller.
    Caller,
}

impl fmt::Display for Available {
    /// `8.00 GiB may be used (what this machine has free)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, by) = (bytes_text(self.bytes as u64), self.by);
        write!(f, "{bytes} may be used ({by})")
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bound::Machine => "what this machine has free",
            Bound::Group => {
                "the limit of the control group, that is of the container or the service"
            }
            Bound::AddressSpace => "the limit on this process's address space, see `ulimit -v`",
            Bound::Data => "the limit on this process's data, see `ulimit -d`",
            Bound::Caller => "as was asked for",
        })
    }
}

/// Something that does not fit into memory. Nothing of it was allocated.
struct NotEnough {
    /// What was to be done.
    what: String,
    /// Bytes that it needs.
    needed: usize,
    /// What they are for.
    parts: Vec<(&'static str, usize)>,
    /// What may be used.
    available: Available,
    /// What would help.
    advice: &'static str,
}

impl From<NotEnough> for Error {
    fn from(it: NotEnough) -> Self {
        let (needed, parts) = (bytes_text(it.needed as u64), parts_text(&it.parts));
        err!(Unavailable, "{} needs {needed} ({parts}), but {}", it.what, it.available)
            .remedy(it.advice)
    }
}

fn parts_text(parts: &[(&'static str, usize)]) -> String {
    let part = |(name, bytes): &(&str, usize)| format!("{name} {}", bytes_text(*bytes as u64));
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// Left to what is allocated in small pieces: the allocator's own, stacks, texts, answers.
const RESERVE: usize = 12 << 20;

/// What may be had now, and what bounds it. `None` where the system does not say.
pub fn available() -> Option<Available> {
    let bounds = [
        (system::of_machine(), Bound::Machine),
        (system::of_groups(), Bound::Group),
        (process::address_space(), Bound::AddressSpace),
        (process::data(), Bound::Data),
    ];
    let known = |(bytes, by): (Option<usize>, Bound)| bytes.map(|bytes| Available { bytes, by });
    bounds.into_iter().filter_map(known).min_by_key(|available| available.bytes)
}

/// Left of an address space to what only reserves it: stacks of threads, the allocator's arenas for
/// each of them.
const ADDRESS_RESERVE: usize = 96 << 20;

/// Asks for the address space that the files at `path` take when they are mapped, where a limit is
/// set on it (`ulimit -v`).
///
/// # Errors
/// There is not enough.
pub fn ask_to_map(path: &std::path::Path) -> Result<(), Error> {
    let Some(left) = process::address_space() else {
        return Ok(());
    };
    let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |m| m.len() as usize);
    let files = if path.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let weights = entries
            .map(|e| e.path())
            .filter(|p| p.extension().is_some_and(|e| e == "safetensors" || e == "gguf"));
        weights.map(|p| size(&p)).sum()
    } else {
        size(path)
    };
    let needed = files + ADDRESS_RESERVE;
    if needed <= left {
        return Ok(());
    }
    Err(NotEnough {
        what: path.display().to_string(),
        needed,
        parts: vec![("its files, mapped", files), ("to work with", ADDRESS_RESERVE)],
        available: Available { bytes: left, by: Bound::AddressSpace },
        advice: "raise that limit (`ulimit -v unlimited`); memory is planned without it, too",
    }
    .into())
}

/// The limits of this process that end allocations and threads, in words; empty where there are
/// none.
pub fn process_limits() -> Vec<String> {
    process::limits()
}

impl MemoryLimit {
    /// What may be used under this limit.
    pub(crate) fn available(self) -> Option<Available> {
        match self {
            MemoryLimit::Available => available(),
            MemoryLimit::Bytes(bytes) => Some(Available { bytes, by: Bound::Caller }),
            MemoryLimit::Unlimited => None,
        }
    }
}

/// Asks for memory; `what` begins the sentence of a refusal.
///
/// # Errors
/// There is not enough, with all numbers.
pub(crate) fn ask(
    what: impl Into<String>,
    parts: &[(&'static str, usize)],
    advice: &'static str,
    limit: MemoryLimit,
) -> Result<(), Error> {
    let needed = parts.iter().fold(RESERVE, |sum, (_, bytes)| sum.saturating_add(*bytes));
    match limit.available() {
        Some(available) if available.bytes < needed => {
            let mut parts = parts.to_vec();
            parts.push(("beside it", RESERVE));
            Err(NotEnough { what: what.into(), needed, parts, available, advice }.into())
        }
        _ => Ok(()),
    }
}

/// Asks for the buffers of a text of so many tokens, which are computed at once.
///
/// # Errors
/// There is not enough.
pub(crate) fn ask_for_rows(spec: &ModelSpec, rows: usize) -> Result<(), Error> {
    ask(
        format!("a text of {rows} tokens"),
        &[("buffers", scratch_bytes(spec, rows, 0))],
        "cut the text into shorter ones, or allow more memory",
        MemoryLimit::Available,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_every_number_and_what_bounds_it() {
        let error = ask(
            "model.gguf",
            &[("weights", 90 << 20), ("buffers", 10 << 20)],
            "take less",
            MemoryLimit::Bytes(100 << 20),
        )
        .unwrap_err();
        let text = error.to_string();
        for part in [
            "model.gguf needs 112 MiB",
            "weights 90.0 MiB",
            "100 MiB may be used",
            "as was asked for",
            "take less",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let fits = |limit| ask("x", &[("weights", 90 << 20)], "", limit).is_ok();
        assert!(fits(MemoryLimit::Bytes(102 << 20)) && fits(MemoryLimit::Unlimited));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_machine_says_what_it_has() {
        assert!(available().unwrap().bytes > 1 << 20);
    }
}
