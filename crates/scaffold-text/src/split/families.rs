//! The splitting patterns of the big families, by hand: the same borders as their regular
//! expressions, several times as fast.

use super::classes::{LETTER, LOWER, MARK, NUMBER, SPACE, UPPER, classes};
use super::scan::{contraction, line_breaks, next_char, run, run_of, run_of_symbols, spaces};

/// GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
///
/// Returns the end of the word that starts at `at`, which must be inside the text.
pub(super) fn gpt2(text: &str, at: usize) -> usize {
    if let Some(end) = contraction(text, at, false) {
        return end;
    }
    let (first, after) = next_char(text, at).expect("`at` is inside the text");
    let start = if first == ' ' { after } else { at };
    if let Some((c, _)) = next_char(text, start) {
        let class = classes(c);
        if class & LETTER != 0 {
            return run_of(text, start, LETTER);
        }
        if class & NUMBER != 0 {
            return run_of(text, start, NUMBER);
        }
        if class & SPACE == 0 {
            return run_of_symbols(text, start, 0);
        }
    }
    spaces(text, at)
}

/// What differs between the descendants of OpenAI's cl100k pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cl100k {
    /// How many digits may stay together (Llama 3: three, Qwen 2: one).
    pub(crate) digits: usize,
    /// Whether combining marks count as letters (Qwen 3.5).
    pub(crate) marks: bool,
    /// Whether `'s` and the others are words of their own.
    pub(crate) contractions: bool,
}

/// `(?i:'s|…)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(super) fn cl100k(text: &str, at: usize, form: Cl100k) -> usize {
    if form.contractions
        && let Some(end) = contraction(text, at, true)
    {
        return end;
    }
    let letters = if form.marks { LETTER | MARK } else { LETTER };
    let (first, after) = next_char(text, at).expect("`at` is inside the text");
    let class = classes(first);
    // One character that is no letter, digit or line break may lead the word.
    if class & (LETTER | NUMBER) == 0 && !matches!(first, '\r' | '\n') {
        let end = run_of(text, after, letters);
        if end > after {
            return end;
        }
    }
    if class & letters != 0 {
        return run_of(text, at, letters);
    }
    if class & NUMBER != 0 {
        return run(text, at, form.digits, |_, class| class & NUMBER != 0);
    }
    let others = if form.marks { MARK } else { 0 };
    tail(text, at, first, after, others, |c| matches!(c, '\r' | '\n'))
}

/// What differs between the descendants of OpenAI's o200k pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct O200k {
    /// How many digits may stay together.
    pub(crate) digits: usize,
    /// Whether `'s` and the others stay with the word before them (GPT-4o; not in Mistral's
    /// tekken).
    pub(crate) contractions: bool,
}

/// `P?U*L+C?|P?U+L*C?|\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+` with
/// P = `[^\r\n\p{L}\p{N}]`, U = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, L = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
/// and C the contractions.
pub(super) fn o200k(text: &str, at: usize, form: O200k) -> usize {
    let (first, after) = next_char(text, at).expect("`at` is inside the text");
    let class = classes(first);
    let may_lead = class & (LETTER | NUMBER) == 0 && !matches!(first, '\r' | '\n');
    let word = (if may_lead { ending_low(text, after) } else { None })
        .or_else(|| ending_low(text, at))
        .or_else(|| if may_lead { all_high(text, after) } else { None })
        .or_else(|| all_high(text, at));
    if let Some(end) = word {
        let tail = if form.contractions { contraction(text, end, true) } else { None };
        return tail.unwrap_or(end);
    }
    if class & NUMBER != 0 {
        return run(text, at, form.digits, |_, class| class & NUMBER != 0);
    }
    tail(text, at, first, after, 0, |c| matches!(c, '\r' | '\n' | '/'))
}

/// `U*L+`: the letters of both kinds (Lm, Lo, M) make the expression step back where no lower one
/// follows.
fn ending_low(text: &str, at: usize) -> Option<usize> {
    let high = run_of(text, at, UPPER);
    let low = run_of(text, high, LOWER);
    if low > high {
        return Some(low);
    }
    let (offset, c) =
        text[at..high].char_indices().rev().find(|(_, c)| classes(*c) & LOWER != 0)?;
    Some(at + offset + c.len_utf8())
}

/// `U+L*`
fn all_high(text: &str, at: usize) -> Option<usize> {
    let high = run_of(text, at, UPPER);
    (high > at).then(|| run_of(text, high, LOWER))
}

/// ` ?[^\s\p{L}\p{N}]+[…]*|\s*[\r\n]+|\s+(?!\S)|\s+`, where letters and numbers have already been
/// tried.
fn tail(
    text: &str,
    at: usize,
    first: char,
    after: usize,
    others: u8,
    trailing: impl Fn(char) -> bool,
) -> usize {
    let start = if first == ' ' { after } else { at };
    let end = run_of_symbols(text, start, others);
    if end > start {
        return run(text, end, usize::MAX, |c, _| trailing(c));
    }
    if classes(first) & SPACE == 0 {
        // Nothing matches: a lone character that the patterns leave out stays a piece of its own.
        return after;
    }
    line_breaks(text, at).unwrap_or_else(|| spaces(text, at))
}
