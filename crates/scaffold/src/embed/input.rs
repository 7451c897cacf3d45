//! Texts become token ids within a model's limit.

use std::sync::{Mutex, PoisonError};

use scaffold_error::{Remedy, err};
use scaffold_kernels::Exec;
use scaffold_text::{EncodeOptions, Encoding, Tokenizer};

use super::repository::{CutSide, Limits};
use crate::error::Error;

/// A text, or a pair of texts, as a model reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Input {
    /// With the special tokens.
    pub(crate) ids: Vec<u32>,
    /// For each id 1 where it belongs to the second text.
    pub(crate) types: Vec<u32>,
    /// Tokens that it would have had if none had been cut off.
    pub(crate) whole: usize,
}

impl Input {
    fn of(encoding: Encoding) -> Input {
        Input { whole: encoding.ids.len(), ids: encoding.ids, types: encoding.type_ids }
    }

    /// Whether something was cut off.
    pub(crate) fn is_cut(&self) -> bool {
        self.ids.len() < self.whole
    }
}

/// Encodes texts for one model.
#[derive(Debug)]
pub(crate) struct Encode<'a> {
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) limits: &'a Limits,
    /// Cut what is too long; otherwise it is an error.
    pub(crate) truncate: bool,
    /// What looks like a special token in a text is text; otherwise it is that token, as for
    /// `sentence-transformers`.
    pub(crate) special_as_text: bool,
}

impl Encode<'_> {
    /// One text; `index` is for messages.
    pub(crate) fn text(&self, text: &str, index: usize) -> Result<Input, Error> {
        let lowered;
        let text = if self.limits.lower_case {
            lowered = lower_case(text);
            &lowered
        } else {
            text
        };
        let input = Input::of(self.tokenizer.encode(text, &self.how(true))?);
        let Some(limit) = self.exceeded(&input, index)? else {
            return Ok(input);
        };
        let body = self.tokenizer.encode(text, &self.how(false))?.ids;
        let around = input.ids.len().saturating_sub(body.len());
        let keep = limit.saturating_sub(around).min(body.len());
        Ok(cut(&input, &[(&body, keep)], self.limits.cut_side))
    }

    /// With the special tokens around a text, or without them.
    fn how(&self, add_special: bool) -> EncodeOptions {
        EncodeOptions { add_special, parse_special: !self.special_as_text }
    }

    /// Two texts that belong together. What is too long is cut as `transformers` cuts it: the
    /// longer text first.
    pub(crate) fn pair(&self, first: &str, second: &str, index: usize) -> Result<Input, Error> {
        let framed = self.tokenizer.encode_pair(first, second, &self.how(true))?;
        let input = Input::of(framed);
        let Some(limit) = self.exceeded(&input, index)? else {
            return Ok(input);
        };
        let first = self.tokenizer.encode(first, &self.how(false))?.ids;
        let second = self.tokenizer.encode(second, &self.how(false))?.ids;
        let around = input.ids.len().saturating_sub(first.len() + second.len());
        let (keep_first, keep_second) =
            longest_first(first.len(), second.len(), limit.saturating_sub(around));
        let parts: [(&[u32], usize); 2] = [(&first, keep_first), (&second, keep_second)];
        Ok(cut(&input, &parts, self.limits.cut_side))
    }

    /// The limit, where an input is longer and may be cut.
    fn exceeded(&self, input: &Input, index: usize) -> Result<Option<usize>, Error> {
        match &self.limits.max_tokens {
            Some((limit, place)) if input.ids.len() > *limit => {
                if self.truncate {
                    Ok(Some(*limit))
                } else {
                    let (tokens, place) = (input.ids.len(), place.display());
                    Err(err!(
                        TooLarge,
                        "it has {tokens} tokens, and the model takes {limit} ({place})"
                    )
                    .in_item("text", index)
                    .remedy("shorten or split the text")
                    .remedy(Remedy::Truncate))
                }
            }
            _ => Ok(None),
        }
    }
}

/// Makes `count` inputs, in order: few or long ones with the calling thread alone, which holds up
/// nobody; many with all threads, within turns of this weight. `bytes` says how long a text is.
pub(crate) fn in_parallel(
    exec: &Exec,
    weight: u32,
    count: usize,
    bytes: impl Fn(usize) -> usize + Sync,
    make: impl Fn(usize) -> Result<Input, Error> + Sync,
) -> Vec<Result<Input, Error>> {
    /// Texts that a thread takes at a time.
    const CHUNK: usize = 4;
    /// `None`: it is still to be made.
    type Made = Option<Result<Input, Error>>;
    /// A turn is not passed in the middle of a text: this takes well below a millisecond.
    const LONG: usize = 2048;
    if count <= 2 * CHUNK || exec.team.threads() == 1 {
        return (0..count).map(make).collect();
    }
    let is_long = |index| bytes(index) > LONG;
    let chunks = count.div_ceil(CHUNK);
    let made: Vec<Mutex<Vec<Made>>> = (0..chunks).map(|_| Mutex::default()).collect();
    exec.team.run_in_turns(weight, chunks, &|chunk| {
        let range = chunk * CHUNK..count.min((chunk + 1) * CHUNK);
        let inputs = range.map(|index| (!is_long(index)).then(|| make(index))).collect();
        // A chunk is made once: nobody waits here.
        *made[chunk].lock().unwrap_or_else(PoisonError::into_inner) = inputs;
    });
    made.into_iter()
        .flat_map(|inputs| inputs.into_inner().unwrap_or_else(PoisonError::into_inner))
        .enumerate()
        .map(|(index, made)| made.unwrap_or_else(|| make(index)))
        .collect()
}

/// Takes out of `input` the ends (or the beginnings) of the given parts, each of which stands in it
/// somewhere after the one before.
fn cut(input: &Input, parts: &[(&[u32], usize)], side: CutSide) -> Input {
    let mut out = Input { whole: input.whole, ..Input::default() };
    let mut at = 0;
    let mut copy = |range: std::ops::Range<usize>| {
        out.ids.extend_from_slice(&input.ids[range.clone()]);
        out.types.extend_from_slice(&input.types[range]);
    };
    for &(body, keep) in parts {
        let start = find(&input.ids[at..], body).map_or(at, |offset| at + offset);
        let end = (start + body.len()).min(input.ids.len());
        match side {
            CutSide::Right => copy(at..(start + keep).min(end)),
            CutSide::Left => {
                copy(at..start.min(end));
                copy(end.saturating_sub(keep).max(start.min(end))..end);
            }
        }
        at = end;
    }
    copy(at..input.ids.len());
    out
}

fn find(all: &[u32], part: &[u32]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    all.windows(part.len()).position(|window| window == part)
}

/// How many tokens of each text stay when both together may have `room` (the rule of the
/// `tokenizers` library).
fn longest_first(first: usize, second: usize, room: usize) -> (usize, usize) {
    let (short, long) = (first.min(second), first.max(second));
    let (short, long) = if short + long <= room {
        (short, long)
    } else if 2 * short > room {
        (room / 2, room - room / 2)
    } else {
        (short, room - short)
    };
    if first <= second { (short, long) } else { (long, short) }
}

/// Character by character, as the normalizer of that name does it: a final sigma has no form of its
/// own.
fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(ids: &[u32]) -> Input {
        Input { ids: ids.to_vec(), types: vec![0; ids.len()], whole: ids.len() }
    }

    #[test]
    fn cutting_leaves_what_stands_around() {
        let left = cut(
            &input(&[101, 7, 8, 102, 7, 8, 9, 102]),
            &[(&[7, 8], 2), (&[7, 8, 9], 1)],
            CutSide::Left,
        );
        assert_eq!(left.ids, [101, 7, 8, 102, 9, 102]);
        let cut = |input: &Input, parts: &[(&[u32], usize)]| cut(input, parts, CutSide::Right);
        let one = cut(&input(&[101, 7, 8, 9, 102]), &[(&[7, 8, 9], 1)]);
        assert_eq!(one.ids, [101, 7, 102]);
        assert!(one.is_cut() && one.whole == 5 && one.types.len() == 3);
        let pair = cut(&input(&[101, 7, 8, 102, 7, 8, 9, 102]), &[(&[7, 8], 2), (&[7, 8, 9], 1)]);
        assert_eq!(pair.ids, [101, 7, 8, 102, 7, 102]);
        let nothing_left = cut(&input(&[101, 7, 102]), &[(&[7], 0)]);
        assert_eq!(nothing_left.ids, [101, 102]);
    }

    #[test]
    fn of_a_pair_the_longer_text_is_cut_first() {
        for (first, second, room, kept) in [
            (3, 4, 10, (3, 4)),
            (3, 20, 10, (3, 7)),
            (20, 3, 10, (7, 3)),
            (20, 30, 11, (5, 6)),
            (30, 20, 11, (6, 5)),
            (5, 5, 0, (0, 0)),
        ] {
            assert_eq!(longest_first(first, second, room), kept, "{first} {second}");
        }
    }

    #[test]
    fn letters_are_lowered_one_by_one() {
        assert_eq!(lower_case("ΣΟΦΟΣ İ"), "σοφοσ i\u{307}");
    }
}
