//! The rules, one file each. A rule takes the files and gives back what breaks it, a line each.

pub(crate) mod arrows;
pub(crate) mod dependencies;
pub(crate) mod environment;
pub(crate) mod families;
pub(crate) mod inlining;
pub(crate) mod leftovers;
pub(crate) mod links;
pub(crate) mod output;
pub(crate) mod renames;
pub(crate) mod sizes;
pub(crate) mod unsafety;

use crate::tree::File;

/// A rule: from the repository's files to the places that break it.
type Rule = fn(&[File]) -> Vec<String>;

/// Every rule with the sentence that states it.
pub(crate) const ALL: [(&str, Rule); 12] = [
    ("no source file is longer than 500 lines", sizes::check),
    ("imports inside a crate run one way", arrows::check),
    ("only the doors read the environment", environment::check),
    ("of what computes, only families/ knows model names", families::check),
    ("what uses wide instructions is always inlined", inlining::check),
    ("crates that need no unsafe code forbid it", unsafety::check),
    ("links in documents lead somewhere", links::check),
    ("what reaches the user goes through out.rs and outfile.rs", output::check),
    ("tests and programs leave no caches among the sources", leftovers::check),
    ("files get their names in scaffold-files", renames::check),
    ("dependencies are allowed ones, under allowed licences", dependencies::check),
    ("docs/performance.md is made of its template and figures", crate::performance::check),
];
