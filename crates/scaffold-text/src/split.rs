//! Pre-tokenization: cutting text into the words inside which byte pairs are merged.

pub(crate) mod classes;
mod families;
pub(crate) mod patterns;
mod scan;
#[cfg(test)]
mod tests;

use classes::{NUMBER, classes};
pub(crate) use families::{Cl100k, O200k};
use scaffold_error::{Error, err};

/// What happens to the text between and in the matches of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Matches and what lies between them are pieces.
    Both,
    /// Only the matches are pieces.
    Matches,
    /// Only what lies between the matches is kept.
    Gaps,
}

/// One step of pre-tokenization: cuts every piece that the step before left.
#[derive(Debug)]
pub(crate) enum Step {
    Gpt2,
    Cl100k(Cl100k),
    O200k(O200k),
    /// Numbers apart, each digit alone or all together.
    Digits {
        individual: bool,
    },
    /// Any other pattern.
    Pattern(Box<fancy_regex::Regex>, Keep),
}

impl Step {
    /// The step for a regular expression: hand-written where the expression is a known one.
    pub(crate) fn from_pattern(pattern: &str, keep: Keep) -> Result<Step, Error> {
        if keep != Keep::Gaps
            && let Some(step) = patterns::known(pattern)
        {
            return Ok(step);
        }
        match fancy_regex::Regex::new(pattern) {
            Ok(regex) => Ok(Step::Pattern(Box::new(regex), keep)),
            Err(error) => Err(err!(
                Unsupported,
                "the tokenizer's splitting pattern `{pattern}` cannot be compiled: {error}. The file is damaged, or its \
                 pattern needs a regular-expression feature that is not supported"
            )),
        }
    }

    /// Calls `emit` with the pieces of `text[from..to]`, in order.
    fn cut(&self, text: &str, emit: &mut dyn FnMut(usize, usize)) {
        match self {
            Step::Gpt2 => walk(text, families::gpt2, emit),
            Step::Cl100k(form) => walk(text, |text, at| families::cl100k(text, at, *form), emit),
            Step::O200k(form) => walk(text, |text, at| families::o200k(text, at, *form), emit),
            Step::Digits { individual } => digits(text, *individual, emit),
            Step::Pattern(regex, keep) => pattern(text, regex, *keep, emit),
        }
    }
}

fn walk(text: &str, next: impl Fn(&str, usize) -> usize, emit: &mut dyn FnMut(usize, usize)) {
    let mut at = 0;
    while at < text.len() {
        let end = next(text, at);
        emit(at, end);
        at = end;
    }
}

fn digits(text: &str, individual: bool, emit: &mut dyn FnMut(usize, usize)) {
    let mut start = 0;
    let mut in_number = false;
    for (at, c) in text.char_indices() {
        let number = if c.is_ascii() { c.is_ascii_digit() } else { classes(c) & NUMBER != 0 };
        if at > start && (number != in_number || (number && individual)) {
            emit(start, at);
            start = at;
        }
        in_number = number;
    }
    if start < text.len() {
        emit(start, text.len());
    }
}

fn pattern(text: &str, regex: &fancy_regex::Regex, keep: Keep, emit: &mut dyn FnMut(usize, usize)) {
    let mut at = 0;
    // A match that fails at run time (too much backtracking) ends the search, as in `tokenizers`.
    for found in regex.find_iter(text).map_while(Result::ok) {
        if found.start() > at && keep != Keep::Matches {
            emit(at, found.start());
        }
        if found.end() > found.start() && keep != Keep::Gaps {
            emit(found.start(), found.end());
        }
        at = found.end();
    }
    if at < text.len() && keep != Keep::Matches {
        emit(at, text.len());
    }
}

/// The steps of a tokenizer, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    steps: Vec<Step>,
}

impl Splitter {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Splitter { steps }
    }

    /// Calls `emit` with the byte range of each word of `text`, in order.
    pub(crate) fn words(&self, text: &str, emit: &mut dyn FnMut(usize, usize)) {
        descend(&self.steps, text, 0, emit);
    }
}

fn descend(steps: &[Step], text: &str, base: usize, emit: &mut dyn FnMut(usize, usize)) {
    match steps {
        [] if text.is_empty() => {}
        [] => emit(base, base + text.len()),
        [last] => last.cut(text, &mut |from, to| emit(base + from, base + to)),
        [first, rest @ ..] => first.cut(text, &mut |from, to| {
            descend(rest, &text[from..to], base + from, emit);
        }),
    }
}
