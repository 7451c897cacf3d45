//! A prompt that knows which of its text came from users.

use crate::added::{AddedToken, Permit};
use crate::encoding::{EncodeOptions, Encoding};
use crate::tokenizer::Tokenizer;
use scaffold_error::{Error, err};
use std::ops::Range;

/// A rendered chat, ready to be encoded by [`Tokenizer::encode_prompt`].
///
/// Control tokens that the template wrote count as such. The names of control tokens that stood in
/// a message are text, so that a user cannot end a turn by typing `<|im_end|>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub(super) parts: Vec<Part>,
}

/// A stretch of a prompt that is encoded by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text in which control tokens count, but for those that stand in the guarded ranges, which
    /// came from data. The text is encoded as a whole: its ids are those that it would have if
    /// those names were no tokens.
    Rendered { text: String, guarded: Vec<Range<usize>> },
    /// Text in which no control token counts.
    Plain(String),
    /// A control token by its name.
    Control(String),
}

impl Prompt {
    /// A prompt of one stretch, in whose `guarded` ranges no control token counts.
    pub(crate) fn rendered(text: &str, guarded: &[Range<usize>]) -> Self {
        Prompt { parts: vec![Part::Rendered { text: text.to_owned(), guarded: guarded.to_vec() }] }
    }

    /// The prompt as text.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Rendered { text, .. } | Part::Plain(text) | Part::Control(text) => {
                    text.as_str()
                }
            })
            .collect()
    }
}

/// Control tokens count outside the guarded ranges, which are in order and apart.
///
/// A template may put a control token together around a word of the data, as in
/// `'<|' + message.role + '|>'`: such a token counts where both of its ends are the template's, and
/// the data gives nothing but letters, digits, `_` and `-` in between.
struct Guarded<'a> {
    text: &'a str,
    ranges: Vec<Range<usize>>,
}

impl<'a> Guarded<'a> {
    fn new(text: &'a str, ranges: &[Range<usize>]) -> Self {
        let mut sorted: Vec<Range<usize>> =
            ranges.iter().filter(|range| range.start < range.end).cloned().collect();
        sorted.sort_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        Guarded { text, ranges: apart }
    }
}

impl Permit for Guarded<'_> {
    fn allows(&self, token: &AddedToken, start: usize, end: usize) -> bool {
        let first = self.ranges.partition_point(|range| range.end <= start);
        let mut from_data = self.ranges[first..].iter().take_while(|range| range.start < end);
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        !token.special
            || from_data.all(|range| {
                start < range.start
                    && range.end < end
                    && self.text[range.clone()].chars().all(is_word)
            })
    }
}

impl Tokenizer {
    /// Encodes a rendered chat. Nothing is put around it: templates write their own
    /// beginning-of-sequence token.
    ///
    /// # Errors
    /// The vocabulary cannot express the text, or lacks a control token of the format.
    pub fn encode_prompt(&self, prompt: &Prompt) -> Result<Encoding, Error> {
        let mut out = Encoding::default();
        let mut base = 0;
        for part in &prompt.parts {
            let (encoding, length) = match part {
                Part::Plain(text) => (self.encode(text, &EncodeOptions::PLAIN)?, text.len()),
                Part::Control(name) => {
                    let id = self.token_to_id(name).ok_or_else(|| {
                        err!(
                            Damaged,
                            "the text cannot be encoded: the vocabulary has no control token {name:?}, which the chat \
                             format needs"
                        )
                    })?;
                    let mut one = Encoding::default();
                    one.push(id, (0, name.len()));
                    (one, name.len())
                }
                Part::Rendered { text, guarded } => {
                    (self.encode_permitted(text, &Guarded::new(text, guarded), false)?, text.len())
                }
            };
            out.append(encoding, base);
            base += length;
        }
        Ok(out)
    }
}
