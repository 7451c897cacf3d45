//! The repository as text: the files that git tracks or would track.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
pub(crate) struct File {
    /// Its path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// What it says; files that are not UTF-8 are left out.
    pub(crate) text: String,
}

/// The root of the repository: two levels above this crate.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("xtask lies in dev/")
        .to_path_buf()
}

/// Every text file that git tracks, and those it would track if they were added.
pub(crate) fn tracked_files() -> Vec<File> {
    let root = root();
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .expect("git lists the files of the repository");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|path| {
            let text = std::fs::read_to_string(root.join(path)).ok()?;
            Some(File { path: path.to_owned(), text })
        })
        .collect()
}

impl File {
    /// Whether this is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "rs")
    }

    /// Whether this is a Markdown document.
    pub(crate) fn is_markdown(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "md")
    }

    /// Each line with its number from 1, without the items that only tests have.
    pub(crate) fn lines_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut marked = Marked::default();
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(move |(_, line)| !marked.takes(line))
    }
}

/// What `#[cfg(test)]` stands before: further attributes, then one item, up to the end of its block
/// or its `;`.
///
/// The sources are formatted, so an item ends on the first line as far left as its attribute that
/// closes what the item has opened.
#[derive(Default)]
struct Marked {
    /// How far the attribute is from the left, while its item lasts.
    margin: Option<usize>,
    /// Whether the item itself has begun.
    begun: bool,
}

impl Marked {
    /// Whether a line, which follows those seen before, belongs to a marked item.
    fn takes(&mut self, line: &str) -> bool {
        let text = line.trim();
        let margin = line.len() - line.trim_start().len();
        let Some(start) = self.margin else {
            if !text.starts_with("#[cfg(test)]") {
                return false;
            }
            self.begun = false;
            self.margin = Some(margin);
            let item = text.trim_start_matches("#[cfg(test)]").trim();
            if !item.is_empty() {
                self.item(item);
            }
            return true;
        };
        let code = text.split("//").next().unwrap_or_default().trim_end();
        // Deeper lines, and those of a text over several lines, end nothing.
        if margin != start || code.is_empty() {
            return true;
        }
        if self.begun || !code.starts_with("#[") {
            self.item(code);
        }
        true
    }

    /// Takes a line of the item that is as far left as the item itself.
    fn item(&mut self, code: &str) {
        let closed = ["}", ";", "},", "})", "];", ","];
        let opens = code.ends_with(['{', '(', '[']);
        if !opens && closed.iter().any(|end| code.ends_with(end)) {
            self.margin = None;
        }
        self.begun = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that are left.
    fn left(text: &str) -> String {
        let file = File { path: "a.rs".to_owned(), text: text.to_owned() };
        let lines: Vec<&str> = file.lines_before_tests().map(|(_, line)| line).collect();
        lines.join("\n")
    }

    #[test]
    fn only_the_marked_item_is_left_out() {
        for (item, name) in [
            ("#[cfg(test)]\nuse std::env;", "an import"),
            ("#[cfg(test)]\nuse std::{\n    env,\n    fs,\n};", "a long import"),
            ("#[cfg(test)]\nmod tests;", "a module elsewhere"),
            ("#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;", "more attributes"),
            (
                "#[cfg(test)]\n#[expect(\n    a,\n    reason = \"b\"\n)]\nmod tests;",
                "a long attribute",
            ),
            ("#[cfg(test)]\nmod tests {\n    fn a() {\n    }\n\n    fn b() {}\n}", "a module"),
            (
                "#[cfg(test)]\nfn long(\n    a: u8,\n) -> Vec<u8> {\n    one();\n}",
                "a long function",
            ),
            ("#[cfg(test)]\nfn bounded<T>(a: T) -> T\nwhere\n    T: Copy,\n{\n    a\n}", "bounds"),
            ("#[cfg(test)]\nconst A: [u8; 2] = [\n    1, 2,\n];", "a list"),
            ("#[cfg(test)]\nconst A: &str = \"x\"; // why", "a constant with a comment"),
            ("#[cfg(test)] const A: u8 = 1;", "all on one line"),
            ("#[cfg(test)]\nstruct Unit;", "a struct without fields"),
            ("#[cfg(test)]\nfn short() {}", "a short function"),
            ("#[cfg(test)]\nimpl A {\n    fn a() {}\n}", "an impl"),
        ] {
            let text = format!("first\n{item}\nlast");
            assert_eq!(left(&text), "first\nlast", "{name}");
        }
    }

    #[test]
    fn items_inside_of_others_are_left_out_alone() {
        let method = "impl A {\n    #[cfg(test)]\n    fn a(&self) -> u8 {\n        1\n    }\n\n    fn b() {}\n}";
        assert_eq!(left(method), "impl A {\n\n    fn b() {}\n}");
        let field = "struct A {\n    #[cfg(test)]\n    a: u8,\n    b: u8,\n}";
        assert_eq!(left(field), "struct A {\n    b: u8,\n}");
        let arm = "match a {\n    #[cfg(test)]\n    1 => {\n        2\n    }\n    _ => 3,\n}";
        assert_eq!(left(arm), "match a {\n    _ => 3,\n}");
    }

    #[test]
    fn what_is_not_only_for_tests_stays() {
        for text in [
            "#[cfg(all(test, unix))]\nmod a;",
            "#[cfg(not(test))]\nmod a;",
            "// #[cfg(test)]\nmod a;",
            "let a = \"#[cfg(test)]\";",
        ] {
            assert_eq!(left(text), text);
        }
    }
}
