//! Comparing a tokenizer with that of the crate.

use super::strings::Both;
use scaffold_text::{EncodeOptions, Encoding};

const SPECIAL: EncodeOptions = EncodeOptions { add_special: true, parse_special: true };

/// What is wrong with offsets by themselves: they lie in the text, on borders of characters, and in
/// order.
pub(crate) fn misplaced(text: &str, encoding: &Encoding) -> Option<String> {
    let good = |&(start, end): &(usize, usize)| {
        start <= end && text.is_char_boundary(start) && text.is_char_boundary(end)
    };
    let bad = encoding.offsets.iter().find(|range| !good(range))?;
    Some(format!("{text:?}: {bad:?} is no range of its characters"))
}

/// A difference between the ids of a text: with control tokens in it and around it (`special`), or
/// without.
pub(crate) fn ids(both: &Both, text: &str, special: bool) -> Option<String> {
    let (options, theirs) =
        if special { (SPECIAL, &both.theirs) } else { (EncodeOptions::PLAIN, &both.plain) };
    let got = both.ours.encode(text, &options).expect("encodes").ids;
    let encoding = theirs.encode_fast(text, special).expect("encodes");
    let expected = encoding.get_ids();
    (got != expected).then(|| {
        let name = &both.name;
        format!("{name}, special {special}, {text:?}: {got:?} and not {expected:?}")
    })
}

/// The first difference between the two tokenizers on a text.
pub(crate) fn difference(both: &Both, text: &str) -> Option<String> {
    let first = ids(both, text, true).or_else(|| ids(both, text, false));
    if first.is_some() {
        return first;
    }
    let encoding = both.ours.encode(text, &SPECIAL).expect("encodes");
    misplaced(text, &encoding).or_else(|| {
        // The crate cuts inside characters where a byte-level token does; ours widens to whole
        // characters.
        let whole = |(start, end): (usize, usize)| {
            (text.floor_char_boundary(start), text.ceil_char_boundary(end))
        };
        let theirs = both.theirs.encode(text, true).expect("encodes");
        let expected: Vec<_> = theirs.get_offsets().iter().copied().map(whole).collect();
        (encoding.offsets != expected).then(|| {
            let (name, got) = (&both.name, encoding.offsets);
            format!("{name}, offsets of {text:?}: {got:?} and not {expected:?}")
        })
    })
}
