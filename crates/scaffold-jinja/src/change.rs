//! Replacing parts of texts, and filling them up.

use crate::error::{Result, type_error};
use crate::state::State;
use crate::text::{Builder, Text};

/// `replace(old, new, count)`; a negative count means all.
pub(crate) fn replace(
    state: &State,
    text: &Text,
    old: &Text,
    new: &Text,
    count: i64,
) -> Result<Text> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let plain = text.as_str();
    let mut out = Builder::new(&state.budget);
    let mut done = 0;
    let places: Box<dyn Iterator<Item = usize>> = if old.as_str().is_empty() {
        Box::new(plain.char_indices().map(|(at, _)| at).chain([plain.len()]))
    } else {
        Box::new(plain.match_indices(old.as_str()).map(|(at, _)| at))
    };
    for at in places.take(most) {
        out.slice(text, done..at);
        out.text(new);
        done = at + old.as_str().len();
        if out.full() {
            break;
        }
    }
    if !out.full() {
        out.slice(text, done..plain.len());
    }
    Ok(out.finish()?.with_safe(text.safe))
}

/// `center`, `ljust` and `rjust`.
pub(crate) fn justify(
    state: &State,
    text: &Text,
    method: &str,
    width: i64,
    fill: Option<Text>,
) -> Result<Text> {
    let fill = fill.unwrap_or_else(|| Text::new(" "));
    if fill.as_str().chars().count() != 1 {
        return Err(type_error("The fill character must be exactly one character long"));
    }
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(text.as_str().chars().count());
    let left = match method {
        "ljust" => 0,
        "rjust" => missing,
        // Python puts the odd one to the left where the width is odd.
        _ => missing / 2 + (missing & width & 1),
    };
    state.budget.take(missing)?;
    let mut out = state.builder();
    out.repeat(&fill, left);
    out.text(text);
    out.repeat(&fill, missing - left);
    Ok(out.finish()?.with_safe(text.safe))
}

/// `zfill(width)`
pub(crate) fn zfill(state: &State, text: &Text, width: i64) -> Result<Text> {
    let plain = text.as_str();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(plain.chars().count());
    let sign = usize::from(plain.starts_with(['+', '-']));
    state.budget.take(missing)?;
    let mut out = state.builder();
    out.slice(text, 0..sign);
    out.repeat(&Text::new("0"), missing);
    out.slice(text, sign..plain.len());
    Ok(out.finish()?.with_safe(text.safe))
}

/// `expandtabs(size)`
pub(crate) fn expand_tabs(state: &State, text: &Text, size: i64) -> Result<Text> {
    let size = usize::try_from(size).unwrap_or(0);
    state.budget.take(size.saturating_mul(text.as_str().matches('\t').count()))?;
    let mut out = state.builder();
    let mut column = 0;
    for (c, marked) in text.chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                for _ in 0..spaces {
                    out.char(' ', marked);
                }
                column += spaces;
            }
            '\t' => {}
            c => {
                out.char(c, marked);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out.finish()?.with_safe(text.safe))
}
