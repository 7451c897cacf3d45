//! Inside a crate imports run one way: no circle of files, and no import through the crate's root.
//!
//! Where a name is re-exported, the arrow goes to the file that defines it; what a file does for its
//! own tests is not looked at.

mod graph;
mod imports;

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::File;
use imports::Import;

/// A file of a crate, and what it brings into scope.
struct Module<'a> {
    path: &'a str,
    imports: Vec<Import>,
}

/// The modules of a crate by their names: `["cache", "link"]` for `src/cache/link.rs`.
type Modules<'a> = BTreeMap<Vec<String>, Module<'a>>;

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Modules<'_>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let Some((root, inside)) = file.path.split_once("/src/") else {
            continue;
        };
        // The binaries of dev/ are small, and each stands for itself.
        let named = root.starts_with("crates/").then(|| module_name(inside)).flatten();
        if let Some(name) = named {
            let imports = imports::of(file, &name);
            crates.entry(root).or_default().insert(name, Module { path: &file.path, imports });
        }
    }
    crates.values().flat_map(check_crate).collect()
}

/// The name of a file's module; none for files of tests.
fn module_name(inside: &str) -> Option<Vec<String>> {
    let stem = inside.strip_suffix(".rs")?;
    let mut name: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if name.iter().any(|part| part == "tests") {
        return None;
    }
    if matches!(name.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        name.pop();
    }
    Some(name)
}

fn check_crate(modules: &Modules<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, module) in modules {
        for import in module.imports.iter().filter(|import| !import.is_reexport) {
            let Some((target, item)) = resolve(modules, &import.path, 0) else {
                continue;
            };
            let through_root = import.path.len() == 1 && item.is_some() && !name.is_empty();
            if through_root && !target.is_empty() {
                findings.push(format!(
                    "{}:{}: imports {} through the crate's root; its home is {}",
                    module.path, import.line, import.path[0], modules[&target].path
                ));
            }
            if target != *name {
                arrows.entry(module.path).or_default().insert(modules[&target].path);
            }
        }
    }
    findings.extend(graph::circles(&arrows).into_iter().map(|circle| describe(&circle, &arrows)));
    findings
}

fn describe(circle: &[&str], arrows: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let line = |&file: &&str| {
        let inside = arrows[file].iter().filter(|target| circle.contains(target));
        let targets: Vec<&str> = inside.copied().collect();
        format!("\n        {file} -> {}", targets.join(", "))
    };
    let lines: String = circle.iter().map(line).collect();
    format!("{} files import each other in a circle:{lines}", circle.len())
}

/// The module that a path leads to and what it names in it, re-exports followed to their source.
fn resolve(
    modules: &Modules<'_>,
    path: &[String],
    depth: usize,
) -> Option<(Vec<String>, Option<String>)> {
    let length = (0..=path.len()).rev().find(|&n| modules.contains_key(&path[..n]))?;
    let (home, rest) = path.split_at(length);
    let Some(item) = rest.first() else {
        return Some((home.to_vec(), None));
    };
    // No chain of re-exports is this long.
    if depth < 8 {
        let named = modules[home].imports.iter().find(|import| import.name == *item);
        if let Some(import) = named.filter(|import| import.path != path) {
            let found = resolve(modules, &import.path, depth + 1);
            if found.is_some() {
                return found;
            }
        }
    }
    Some((home.to_vec(), Some(item.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Vec<File> {
        let file = |(path, text): &(&str, &str)| File {
            path: format!("crates/x/src/{path}"),
            text: (*text).to_owned(),
        };
        files.iter().map(file).collect()
    }

    #[test]
    fn a_circle_is_found_whatever_it_is_written_with() {
        for back in [
            "use crate::a::One;",
            "use super::a::{Two, One};",
            "pub(crate) fn f(x: &crate::a::One) {}",
            "use crate::One;",
        ] {
            let lib = "mod a;\nmod b;\npub use a::One;\n";
            let files =
                tree(&[("lib.rs", lib), ("a.rs", "use crate::b::Three;\n"), ("b.rs", back)]);
            let found = check(&files).join("\n");
            assert!(
                found.contains("2 files") && found.contains("b.rs -> crates/x/src/a.rs"),
                "{back}: {found}"
            );
        }
    }

    #[test]
    fn a_name_through_the_root_is_found_with_its_home() {
        let files = tree(&[
            ("lib.rs", "mod a;\nmod b;\npub use a::One;\n"),
            ("a.rs", "pub struct One;\n"),
            ("b.rs", "use std::fmt;\nuse crate::One;\n"),
        ]);
        let found = check(&files);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("b.rs:2") && found[0].contains("home is crates/x/src/a.rs"),
            "{found:?}"
        );
    }

    #[test]
    fn names_that_run_one_way_are_left_alone() {
        let files = tree(&[
            ("lib.rs", "mod a;\nmod b;\npub use a::One;\n"),
            (
                "a.rs",
                "mod inner;\npub(crate) use inner::Two;\nuse inner::*;\n// use crate::b::Three;\n",
            ),
            ("a/inner.rs", "pub struct Two;\n"),
            (
                "b.rs",
                "use crate::a::{self, One, Two as Other};\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n",
            ),
            ("a/tests.rs", "use crate::b::Three;\n"),
        ]);
        assert_eq!(check(&files), Vec::<String>::new());
    }
}
