//! Wide instructions reach a kernel by inlining alone: an intrinsic that stays outside of the
//! functions with the level's features is a call, and dozens of times slower. A closure cannot be
//! told to be inlined always, a function can.
//!
//! This rule finds such places in the sources, for every processor; `symbols` finds what is left of
//! them in a binary.

use crate::tree::File;

const KERNELS: &str = "crates/scaffold-kernels/src/";
const ALWAYS: &str = "#[inline(always)]";

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let kernels = files.iter().filter(|file| file.is_rust() && file.path.starts_with(KERNELS));
    kernels
        .flat_map(|file| {
            let findings = of_source(&file.text).into_iter();
            findings.map(|(line, what)| format!("{}:{line}: {what}", file.path))
        })
        .collect()
}

/// Lines, from 1, with what is wrong there.
fn of_source(text: &str) -> Vec<(usize, String)> {
    let code = without_comments(text);
    // A file that implements `Simd` with intrinsics. Plain code needs no features.
    let is_level = code.contains(" Simd for ") && code.contains("arch::");
    let mut findings = Vec::new();
    for function in functions(&code) {
        let line = line_of(&code, function.start);
        let generic =
            function.signature.contains(": Simd") || function.signature.contains("impl Simd");
        let method = is_level && function.signature.contains("(self");
        if !(generic || method) {
            continue;
        }
        if !is_always_inlined(&code[..function.start]) {
            findings.push((line, format!("`{}` is not {ALWAYS}", function.name)));
        }
        if generic {
            for (at, closure) in closures(function.body) {
                if words(closure).any(|word| word == "s" || word == "S") {
                    let line = line_of(&code, function.body_start + at);
                    findings.push((line, "a closure that uses the level".to_owned()));
                }
            }
        }
    }
    if is_level {
        let found = closures(&code).into_iter();
        findings.extend(
            found.map(|(at, _)| (line_of(&code, at), "a closure beside intrinsics".to_owned())),
        );
    }
    findings
}

/// A function with a body.
struct Function<'a> {
    name: &'a str,
    signature: &'a str,
    /// Where the word `fn` stands.
    start: usize,
    body: &'a str,
    body_start: usize,
}

fn functions(code: &str) -> Vec<Function<'_>> {
    let starts = code.match_indices("fn ").map(|(at, _)| at);
    let starts =
        starts.filter(|&at| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    starts.filter_map(|start| function(code, start)).collect()
}

fn function(code: &str, start: usize) -> Option<Function<'_>> {
    let mut depth = 0_usize;
    let mut open = None;
    for (at, c) in code[start..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            // A declaration.
            ';' if depth == 0 => return None,
            '{' if depth == 0 => {
                open = Some(start + at);
                break;
            }
            _ => {}
        }
    }
    let open = open?;
    let body = upto_end(&code[open + 1..], &[]);
    let signature = &code[start..open];
    Some(Function {
        name: words(&signature[3..]).next().unwrap_or_default(),
        signature,
        start,
        body,
        body_start: open + 1,
    })
}

/// What comes before the bracket that closes what is open at the beginning, or before one of `ends`
/// outside of brackets.
fn upto_end<'a>(code: &'a str, ends: &[char]) -> &'a str {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return &code[..at],
            ')' | ']' | '}' => depth -= 1,
            _ if depth == 0 && ends.contains(&c) => return &code[..at],
            _ => {}
        }
    }
    code
}

/// Whether the attributes before a function say that it is always inlined.
fn is_always_inlined(before: &str) -> bool {
    // The line of the function itself holds its visibility.
    let mut lines = before.lines().rev().skip(usize::from(!before.ends_with('\n')));
    lines
        .by_ref()
        .map(str::trim)
        .take_while(|line| line.is_empty() || line.starts_with("#["))
        .any(|line| line == ALWAYS)
}

/// Closures: where their parameters begin, and their bodies.
fn closures(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut parameters_end = 0;
    for (at, _) in code.match_indices('|') {
        // A bar after an operand is an operator, a second one ends the parameters.
        let before = code[..at].trim_end();
        let starts = before.ends_with(['(', ',', '=', '{', ';', '&']) && !before.ends_with("&&")
            || before.ends_with(" move");
        if at < parameters_end || !starts {
            continue;
        }
        parameters_end = code[at + 1..].find('|').map_or(code.len(), |end| at + 1 + end + 1);
        let body = upto_end(&code[parameters_end..], &[',', ';']);
        found.push((at, body));
    }
    found
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The same lines without what follows `//`.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closures_that_use_the_level_are_found() {
        let text = "\
#[inline(always)]
fn quantized<S: Simd>(s: S, values: &[f32; 16]) -> [S::F; 2] {
    let row = |t: usize| t + 1;
    let plain = values.iter().map(|v| v | 1).filter(|v| a | b || v > 1);
    [low, high].map(|half| s.round(s.mul(half, inverse)))
}

/// Not marked.
pub(crate) fn sum<S: Simd>(s: S) -> f32 {
    s.sum(s.splat(1.0))
}

fn plain(s: &[f32]) -> f32 { s.iter().map(|v| s[0] + v).sum() }
";
        let found = of_source(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], (5, "a closure that uses the level".to_owned()));
        assert_eq!(found[1], (9, "`sum` is not #[inline(always)]".to_owned()));
    }

    #[test]
    fn closures_beside_intrinsics_are_found() {
        let text = "\
use std::arch::x86_64::_mm256_add_ps;
macro_rules! halves {
    ($(fn $name:ident() -> [$h:ident] = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self) -> F { unsafe { let half = |$h: usize| $body; [half(0), half(1)] } }
    )*};
}
impl Simd for Avx2 {
    // || in a comment
    fn or(self, a: I, b: I) -> I { [f(a[0] | b[0]), f(a[1] || b[1])] }
}
";
        let found = of_source(text);
        assert!(found.contains(&(5, "a closure beside intrinsics".to_owned())), "{found:?}");
        assert!(found.contains(&(10, "`or` is not #[inline(always)]".to_owned())), "{found:?}");
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
