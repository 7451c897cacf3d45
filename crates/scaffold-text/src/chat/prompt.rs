//! A prompt that knows which of its text came from users.

use crate::added::{AddedToken, Permit};
use crate::encoding::{EncodeOptions, Encoding};
use crate::error::TextError;
use crate::tokenizer::Tokenizer;
use std::ops::Range;

/// A rendered chat, ready to be encoded by [`Tokenizer::encode_prompt`].
///
/// Control tokens that the template wrote count as such. The names of control tokens that stood in a
/// message are text, so that a user cannot end a turn by typing `<|im_end|>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub(super) parts: Vec<Part>,
}

/// A stretch of a prompt that is encoded by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text in which control tokens count, but for those in the guarded ranges.
    Rendered {
        text: String,
        guarded: Vec<Range<usize>>,
    },
    /// Text in which no control token counts.
    Plain(String),
    /// A control token by its name.
    Control(String),
}

impl Prompt {
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

/// Control tokens count outside the guarded ranges.
struct Guarded<'a>(&'a [Range<usize>]);

impl Permit for Guarded<'_> {
    fn allows(&self, token: &AddedToken, start: usize, end: usize) -> bool {
        !token.special
            || !self
                .0
                .iter()
                .any(|range| range.start < end && start < range.end)
    }
}

impl Tokenizer {
    /// Encodes a rendered chat. Nothing is put around it: templates write their own beginning-of-sequence
    /// token.
    ///
    /// # Errors
    /// [`TextError::Encode`] where the vocabulary cannot express the text, or lacks a control token of the
    /// format.
    pub fn encode_prompt(&self, prompt: &Prompt) -> Result<Encoding, TextError> {
        let mut out = Encoding::default();
        let mut base = 0;
        for part in &prompt.parts {
            let (encoding, length) = match part {
                Part::Plain(text) => (self.encode(text, &EncodeOptions::PLAIN)?, text.len()),
                Part::Control(name) => {
                    let id = self.token_to_id(name).ok_or_else(|| TextError::Encode {
                        detail: format!("the vocabulary has no control token {name:?}, which the chat format needs"),
                    })?;
                    let mut one = Encoding::default();
                    one.push(id, (0, name.len()));
                    (one, name.len())
                }
                Part::Rendered { text, guarded } => {
                    (self.encode_guarded(text, guarded)?, text.len())
                }
            };
            out.append(encoding, base);
            base += length;
        }
        Ok(out)
    }

    fn encode_guarded(&self, text: &str, guarded: &[Range<usize>]) -> Result<Encoding, TextError> {
        if guarded.is_empty() {
            return self.encode(text, &EncodeOptions::RENDERED);
        }
        if let Some(encoding) = self.encode_permitted(text, &Guarded(guarded)) {
            return encoding;
        }
        // The `tokenizers` crate decides for whole texts: the guarded names are encoded by themselves.
        let mut out = Encoding::default();
        let mut done = 0;
        for range in guarded.iter().filter(|range| range.end <= text.len()) {
            if range.start > done {
                out.append(
                    self.encode(&text[done..range.start], &EncodeOptions::RENDERED)?,
                    done,
                );
            }
            let start = range.start.max(done);
            out.append(
                self.encode(&text[start..range.end], &EncodeOptions::PLAIN)?,
                start,
            );
            done = range.end;
        }
        if done < text.len() {
            out.append(self.encode(&text[done..], &EncodeOptions::RENDERED)?, done);
        }
        Ok(out)
    }
}
