//! Upper and lower case.

use crate::budget::Budget;
use crate::chars::is_space;
use crate::error::Result;
use crate::text::{Builder, Text};

/// `lower()`
pub(crate) fn lower(text: &Text, budget: &Budget) -> Result<Text> {
    map_places(text, budget, |at, c| lowered(text.as_str(), at, c))
}

/// A character of a text in lower case; `at` is its place. A sigma at the end of a word has a form
/// of its own.
fn lowered(text: &str, at: usize, c: char) -> Vec<char> {
    if c != 'Σ' {
        return c.to_lowercase().collect();
    }
    let last = final_sigma(&text[..at], &text[at + c.len_utf8()..]);
    vec![if last { 'ς' } else { 'σ' }]
}

/// Each character changed by itself, with its place.
fn map_places(
    text: &Text,
    budget: &Budget,
    mut change: impl FnMut(usize, char) -> Vec<char>,
) -> Result<Text> {
    let mut out = Builder::new(budget);
    let mut at = 0;
    for (c, marked) in text.chars() {
        for changed in change(at, c) {
            out.char(changed, marked);
        }
        at += c.len_utf8();
    }
    Ok(out.finish()?.with_safe(text.safe))
}

/// Unicode's condition `Final_Sigma`.
fn final_sigma(before: &str, after: &str) -> bool {
    let cased = |c: char| c.is_lowercase() || c.is_uppercase();
    let ignored = |c: char| !c.is_alphanumeric() && !cased(c) && !is_space(c) && is_ignorable(c);
    let last = before.chars().rev().find(|&c| !ignored(c));
    let next = after.chars().find(|&c| !ignored(c));
    last.is_some_and(cased) && !next.is_some_and(cased)
}

/// What stands inside of words without being a letter: marks, and a few signs.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\'' | '.'
            | ':'
            | '^'
            | '`'
            | '\u{a8}'
            | '\u{ad}'
            | '\u{b7}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{2024}'
            | '\u{2027}'
    ) || ('\u{300}'..='\u{36f}').contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
}

/// `upper()`
pub(crate) fn upper(text: &Text, budget: &Budget) -> Result<Text> {
    text.map(budget, char::to_uppercase)
}

/// `casefold()`, for the letters whose folding is not their lower case in common scripts.
pub(crate) fn casefold(text: &Text, budget: &Budget) -> Result<Text> {
    text.map(budget, |c| {
        let folded: String = match c {
            'ß' | 'ẞ' => "ss".to_owned(),
            'ς' => "σ".to_owned(),
            'ſ' => "s".to_owned(),
            // Ligatures and the like are folded through their capitals.
            c if c.to_uppercase().count() > 1 => {
                c.to_uppercase().flat_map(char::to_lowercase).collect()
            }
            c => c.to_lowercase().collect(),
        };
        folded.chars().collect::<Vec<_>>().into_iter()
    })
}

/// `swapcase()`
pub(crate) fn swap_case(text: &Text, budget: &Budget) -> Result<Text> {
    map_places(text, budget, |at, c| {
        if c.is_uppercase() { lowered(text.as_str(), at, c) } else { c.to_uppercase().collect() }
    })
}

/// `title()`
pub(crate) fn title(text: &Text, budget: &Budget) -> Result<Text> {
    let mut in_word = false;
    map_places(text, budget, |at, c| {
        let changed = if in_word { lowered(text.as_str(), at, c) } else { titlecase(c) };
        in_word = c.is_lowercase() || c.is_uppercase() || is_title(c);
        changed
    })
}

/// `capitalize()`
pub(crate) fn capitalize(text: &Text, budget: &Budget) -> Result<Text> {
    map_places(
        text,
        budget,
        |at, c| {
            if at == 0 { titlecase(c) } else { lowered(text.as_str(), at, c) }
        },
    )
}

fn is_title(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

/// The form of a character at the start of a word: what is two letters starts with one capital.
fn titlecase(c: char) -> Vec<char> {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => vec!['ǅ'],
        'Ǉ' | 'ǈ' | 'ǉ' => vec!['ǈ'],
        'Ǌ' | 'ǋ' | 'ǌ' => vec!['ǋ'],
        'Ǳ' | 'ǲ' | 'ǳ' => vec!['ǲ'],
        // Georgian letters have no title case.
        'ა'..='ჿ' => vec![c],
        // Of several letters the first that has a case stays a capital.
        _ => {
            let mut begun = false;
            let mut out = Vec::new();
            for c in c.to_uppercase() {
                if begun {
                    out.extend(c.to_lowercase());
                } else {
                    out.push(c);
                    begun = c.is_uppercase();
                }
            }
            out
        }
    }
}

/// `istitle()`
pub(crate) fn is_title_case(text: &str) -> bool {
    let (mut cased, mut any) = (false, false);
    for c in text.chars() {
        if c.is_uppercase() || is_title(c) {
            if cased {
                return false;
            }
            (cased, any) = (true, true);
        } else if c.is_lowercase() {
            if !cased {
                return false;
            }
            any = true;
        } else {
            cased = false;
        }
    }
    any
}

/// `islower()` and `isupper()`
pub(crate) fn all_cased(text: &str, lower: bool) -> bool {
    let mut any = false;
    for c in text.chars() {
        let (is_lower, is_upper) = (c.is_lowercase(), c.is_uppercase() || is_title(c));
        if (lower && is_upper) || (!lower && (is_lower || is_title(c))) {
            return false;
        }
        any = any || is_lower || is_upper;
    }
    any
}
