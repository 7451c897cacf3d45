//! Comparing a tokenizer with that of the crate.

use super::strings::Both;
use scaffold_text::{EncodeOptions, Encoding};

const SPECIAL: EncodeOptions = EncodeOptions {
    add_special: true,
    parse_special: true,
};

/// What is wrong with offsets by themselves: they lie in the text, on borders of characters, and in order.
pub(crate) fn misplaced(text: &str, encoding: &Encoding) -> Option<String> {
    let good = |&(start, end): &(usize, usize)| {
        start <= end && text.is_char_boundary(start) && text.is_char_boundary(end)
    };
    let bad = encoding.offsets.iter().find(|range| !good(range))?;
    Some(format!("{text:?}: {bad:?} is no range of its characters"))
}

/// The first difference between the two tokenizers on a text.
pub(crate) fn difference(both: &Both, text: &str) -> Option<String> {
    let ours = |options| both.ours.encode(text, options).expect("encodes");
    let theirs = |tokenizer: &tokenizers::Tokenizer, special| {
        tokenizer.encode(text, special).expect("encodes")
    };
    let (special, expected) = (ours(&SPECIAL), theirs(&both.theirs, true));
    if special.ids != expected.get_ids() {
        let (ids, expected) = (special.ids, expected.get_ids());
        return Some(format!(
            "{}, {text:?}: {ids:?} and not {expected:?}",
            both.name
        ));
    }
    let (plain, without) = (ours(&EncodeOptions::PLAIN), theirs(&both.plain, false));
    if plain.ids != without.get_ids() {
        let (ids, expected) = (plain.ids, without.get_ids());
        return Some(format!(
            "{}, plain {text:?}: {ids:?} and not {expected:?}",
            both.name
        ));
    }
    misplaced(text, &special).or_else(|| {
        // The crate cuts inside characters where a byte-level token does; ours widens to whole characters.
        let whole = |(start, end): (usize, usize)| {
            (
                text.floor_char_boundary(start),
                text.ceil_char_boundary(end),
            )
        };
        let expected: Vec<_> = expected.get_offsets().iter().copied().map(whole).collect();
        (special.offsets != expected).then(|| {
            let got = special.offsets;
            format!(
                "{}, offsets of {text:?}: {got:?} and not {expected:?}",
                both.name
            )
        })
    })
}
