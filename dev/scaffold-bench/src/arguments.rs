//! The command line.

use scaffold_kernels::{Cpu, Team};

pub(crate) const USAGE: &str = "usage: scaffold-bench [--threads N] [--level scalar|avx2|avx-vnni|avx512-vnni|amx|...] \
[--only TEXT] [--repeats N] [--json]";

/// What to measure and how to print it.
pub(crate) struct Arguments {
    pub(crate) threads: usize,
    pub(crate) level: Option<Cpu>,
    /// Only benchmarks whose name contains this.
    pub(crate) only: String,
    pub(crate) repeats: usize,
    pub(crate) json: bool,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            threads: Team::cores(),
            level: None,
            only: String::new(),
            repeats: 5,
            json: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--threads" => arguments.threads = number(&value()?)?,
                "--repeats" => arguments.repeats = number(&value()?)?,
                "--only" => arguments.only = value()?,
                "--json" => arguments.json = true,
                "--level" => {
                    let level = value()?.parse().map_err(|e| format!("{e}"))?;
                    arguments.level = Some(Cpu::at(level).map_err(|e| e.to_string())?);
                }
                _ => return Err(format!("`{word}` is not an option")),
            }
        }
        Ok(arguments)
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("`{text}` is not a positive number"))
}
