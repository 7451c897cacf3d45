//! The `tokenizers` crate behind our own type: WordPiece, Unigram and every other combination that a
//! `tokenizer.json` can describe.

use crate::encoding::{EncodeOptions, Encoding};
use crate::error::TextError;
use crate::spm::byte_of;
use crate::tokens::TokenKind;
use std::sync::OnceLock;
use tokenizers::EncodeInput;

/// A tokenizer of the `tokenizers` crate.
pub(crate) struct Foreign {
    /// Reads the names of special tokens in a text as those tokens.
    inner: tokenizers::Tokenizer,
    /// Reads them as text; made when first asked for.
    plain: OnceLock<Box<tokenizers::Tokenizer>>,
    /// The largest id and one.
    size: usize,
    has_byte_pieces: bool,
    metaspace: bool,
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foreign")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Foreign {
    pub(crate) fn new(mut inner: tokenizers::Tokenizer) -> Self {
        // Cutting and padding are the caller's business: an `Encoding` is always the whole text.
        let _ = inner.with_truncation(None);
        inner.with_padding(None);
        let vocabulary = inner.get_vocab(true);
        let size = vocabulary.values().max().map_or(0, |&id| id as usize + 1);
        Foreign {
            has_byte_pieces: vocabulary.contains_key("<0x0A>"),
            metaspace: vocabulary.keys().any(|piece| piece.starts_with('▁')),
            inner,
            plain: OnceLock::new(),
            size,
        }
    }

    pub(crate) fn encode(
        &self,
        first: &str,
        second: Option<&str>,
        options: EncodeOptions,
    ) -> Result<Encoding, TextError> {
        let tokenizer = if options.parse_special {
            &self.inner
        } else {
            self.plain.get_or_init(|| {
                let mut plain = self.inner.clone();
                plain.set_encode_special_tokens(true);
                Box::new(plain)
            })
        };
        let input: EncodeInput<'_> = match second {
            Some(second) => (first, second).into(),
            None => first.into(),
        };
        let encoding = tokenizer
            .encode(input, options.add_special)
            .map_err(|error| TextError::Encode {
                detail: error.to_string(),
            })?;
        Ok(Encoding {
            ids: encoding.get_ids().to_vec(),
            offsets: encoding.get_offsets().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
        })
    }

    pub(crate) fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        self.inner.decode(ids, skip_special).unwrap_or_default()
    }

    pub(crate) fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    pub(crate) fn id_to_piece(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    pub(crate) fn vocab_size(&self) -> usize {
        self.size
    }

    pub(crate) fn kind(&self, id: u32) -> TokenKind {
        if let Some(token) = self
            .inner
            .get_added_vocabulary()
            .get_added_tokens_decoder()
            .get(&id)
        {
            return if token.special {
                TokenKind::Control
            } else {
                TokenKind::Added
            };
        }
        match self.inner.id_to_token(id) {
            None => TokenKind::Unused,
            Some(piece) if self.has_byte_pieces && byte_of(&piece).is_some() => TokenKind::Byte,
            Some(_) => TokenKind::Normal,
        }
    }

    pub(crate) fn token_bytes(&self, id: u32) -> Option<Vec<u8>> {
        let piece = self.inner.id_to_token(id)?;
        Some(match self.kind(id) {
            TokenKind::Byte => byte_of(&piece).into_iter().collect(),
            TokenKind::Normal if self.metaspace => piece.replace('▁', " ").into_bytes(),
            TokenKind::Normal => match piece.strip_prefix("##") {
                Some(rest) => rest.as_bytes().to_vec(),
                None => piece.into_bytes(),
            },
            _ => piece.into_bytes(),
        })
    }

    pub(crate) fn control_names(&self) -> Vec<String> {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        added
            .values()
            .filter(|token| token.special)
            .map(|token| token.content.clone())
            .collect()
    }
}

/// Decoding with a growing window: the difference that the newest tokens make to the text of the last few.
#[derive(Debug, Default)]
pub(crate) struct Window {
    ids: Vec<u32>,
    /// How many bytes of the window's text were given away.
    given: usize,
    /// Where the newest tokens start that were not given away.
    fresh: usize,
}

impl Window {
    pub(crate) fn push(
        &mut self,
        foreign: &Foreign,
        id: u32,
        skip_special: bool,
        out: &mut String,
    ) {
        self.ids.push(id);
        // A run of byte tokens is decoded as a whole: one bad byte spoils the characters before it.
        if foreign.kind(id) == TokenKind::Byte {
            return;
        }
        let text = foreign.decode(&self.ids, skip_special);
        if text.ends_with(char::REPLACEMENT_CHARACTER) {
            return;
        }
        self.give(&text, foreign, skip_special, out);
    }

    pub(crate) fn finish(&mut self, foreign: &Foreign, skip_special: bool, out: &mut String) {
        let text = foreign.decode(&self.ids, skip_special);
        self.give(&text, foreign, skip_special, out);
    }

    fn give(&mut self, text: &str, foreign: &Foreign, skip_special: bool, out: &mut String) {
        if let Some(fresh) = text.get(self.given..) {
            out.push_str(fresh);
        }
        // The next window starts with the tokens that were given away last, as the left side of the next ones.
        if text.len() > self.given {
            self.ids.drain(..self.fresh);
            self.fresh = self.ids.len();
            self.given = foreign.decode(&self.ids, skip_special).len();
        }
    }
}
