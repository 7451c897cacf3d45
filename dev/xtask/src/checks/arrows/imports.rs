//! What a file brings into scope, or names by its path.

use crate::tree::File;

/// A name from elsewhere in the crate.
pub(super) struct Import {
    /// From the crate's root on.
    pub(super) path: Vec<String>,
    /// What it is called here; empty where it is only named in passing.
    pub(super) name: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// Whether it is there for others (`pub use`): a signpost, not an arrow.
    pub(super) is_reexport: bool,
}

/// The imports of the file whose module is `module`, without those of its tests.
pub(super) fn of(file: &File, module: &[String]) -> Vec<Import> {
    let children = children(file);
    let mut found = Vec::new();
    let mut statement: Option<(usize, String)> = None;
    for (number, line) in file.lines_before_tests() {
        let line = line.split("//").next().unwrap_or_default();
        let (start, text) = match statement.take() {
            Some((start, text)) => (start, text + " " + line.trim()),
            None if is_use(line) => (number, line.trim().to_owned()),
            None => {
                found.extend(in_passing(line, module, number));
                continue;
            }
        };
        if text.contains(';') {
            found.extend(statement_imports(&text, module, &children, start));
        } else {
            statement = Some((start, text));
        }
    }
    found
}

/// The modules that a file declares.
fn children(file: &File) -> Vec<String> {
    let declared = |line: &str| {
        let name = line.trim().strip_suffix(';')?.rsplit_once("mod ")?.1;
        name.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| name.to_owned())
    };
    file.text.lines().filter_map(declared).collect()
}

fn is_use(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "))
}

/// The imports of `pub use a::{b, c::d as e};`.
fn statement_imports(
    text: &str,
    module: &[String],
    children: &[String],
    line: usize,
) -> Vec<Import> {
    let is_reexport = text.starts_with("pub");
    let tree = text.split_once("use ").map_or("", |(_, tree)| tree).trim_end_matches(';');
    let mut leaves = Vec::new();
    expand(tree, "", &mut leaves);
    let import = |leaf: String| {
        let (path, alias) = match leaf.split_once(" as ") {
            Some((path, alias)) => (path.trim().to_owned(), Some(alias.trim().to_owned())),
            None => (leaf, None),
        };
        let mut path = absolute(&path, module, children)?;
        if path.last().is_some_and(|last| last == "self" || last == "*") {
            path.pop();
        }
        let name = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        Some(Import { path, name, line, is_reexport })
    };
    leaves.into_iter().filter_map(import).collect()
}

/// Writes out the leaves of a tree of imports.
fn expand(tree: &str, prefix: &str, leaves: &mut Vec<String>) {
    let mut depth = 0;
    let mut start = 0;
    let mut parts = Vec::new();
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('{') {
            Some((head, rest)) => {
                let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
                expand(inner, &format!("{prefix}{head}"), leaves);
            }
            None => leaves.push(format!("{prefix}{part}")),
        }
    }
}

/// A path from the crate's root on; none for other crates' names.
fn absolute(path: &str, module: &[String], children: &[String]) -> Option<Vec<String>> {
    let mut parts = path.split("::").map(str::trim).peekable();
    let mut base = module.to_vec();
    match *parts.peek()? {
        "crate" => {
            base.clear();
            parts.next();
        }
        "self" => {
            parts.next();
        }
        "super" => {
            while parts.next_if_eq(&"super").is_some() {
                base.pop()?;
            }
        }
        first if children.iter().any(|child| child == first) => {}
        _ => return None,
    }
    base.extend(parts.map(str::to_owned));
    Some(base)
}

/// Paths in the midst of code, such as `crate::backend::Ops::new(…)`.
fn in_passing(line: &str, module: &[String], number: usize) -> Vec<Import> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        let mut from = 0;
        while let Some(at) = line[from..].find(start).map(|at| at + from) {
            let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let whole = !line[..at].ends_with(is_path);
            let path = &line[at..];
            let path = &path[..path.find(|c| !is_path(c)).unwrap_or(path.len())];
            let path = path.trim_end_matches(':');
            if whole && let Some(path) = absolute(path, module, &[]) {
                let name = String::new();
                found.push(Import { path, name, line: number, is_reexport: false });
            }
            from = at + start.len();
        }
    }
    found
}
