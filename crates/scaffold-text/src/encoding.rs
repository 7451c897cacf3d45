//! What encoding a text gives.

use crate::added::Everywhere;

/// Token ids, and the text that each stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// Token ids, in order.
    pub ids: Vec<u32>,
    /// For each id the bytes `start..end` of the input that it stands for, on character borders.
    /// Tokens that share a character share its range; tokens that stand for no text have `(0, 0)`.
    pub offsets: Vec<(usize, usize)>,
    /// For each id 0, or 1 where it belongs to the second text of a pair.
    pub type_ids: Vec<u32>,
}

impl Encoding {
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(crate) fn push(&mut self, id: u32, offsets: (usize, usize)) {
        self.ids.push(id);
        self.offsets.push(offsets);
        self.type_ids.push(0);
    }

    /// Appends another encoding, its offsets moved by `base`.
    pub(crate) fn append(&mut self, other: Encoding, base: usize) {
        self.ids.extend(other.ids);
        self.offsets.extend(other.offsets.iter().map(|(start, end)| (start + base, end + base)));
        self.type_ids.extend(other.type_ids);
    }
}

/// How text becomes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Put the tokens that the model expects around a text (`<s>`, `[CLS]` … `[SEP]`). Text that
    /// comes out of a chat template has them already.
    pub add_special: bool,
    /// Read the names of control tokens in the text (`<|im_end|>`) as those tokens. Leave it off
    /// for text that a user typed.
    pub parse_special: bool,
}

impl Default for EncodeOptions {
    /// Special tokens around the text, none read from it.
    fn default() -> Self {
        EncodeOptions { add_special: true, parse_special: false }
    }
}

impl EncodeOptions {
    pub(crate) fn permit(self) -> Everywhere {
        Everywhere { special: self.parse_special }
    }

    /// For prompts that a chat template rendered: its control tokens count, and nothing is added
    /// around them.
    pub const RENDERED: EncodeOptions = EncodeOptions { add_special: false, parse_special: true };

    /// For plain text without anything around it.
    pub const PLAIN: EncodeOptions = EncodeOptions { add_special: false, parse_special: false };
}
