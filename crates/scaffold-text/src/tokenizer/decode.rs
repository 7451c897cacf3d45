//! From ids to text, at once or while they come.

use super::{Engine, Tokenizer};
use crate::foreign::Window;
use crate::tokens::TokenKind;
use scaffold_error::Error;
use std::sync::Arc;

/// Where decoding stands between two tokens. Decoding everything at once goes the same way, so that
/// streamed text and whole text are equal.
enum State {
    /// Bytes that are not yet a whole character.
    Bytes(Vec<u8>),
    /// SentencePiece: bytes written as byte pieces, and whether the text is still to begin.
    Pieces { bytes: Vec<u8>, at_start: bool },
    /// A decoder that cannot be fed token by token.
    Window(Window),
}

impl State {
    fn new(tokenizer: &Tokenizer) -> Self {
        match &tokenizer.parts.engine {
            Engine::ByteLevel(_) => State::Bytes(Vec::new()),
            Engine::SentencePiece(model) => State::Pieces {
                bytes: Vec::new(),
                at_start: model.normalizer.strips_leading_space(),
            },
            Engine::Foreign(_) => State::Window(Window::default()),
        }
    }

    fn push(
        &mut self,
        tokenizer: &Tokenizer,
        id: u32,
        skip_special: bool,
        out: &mut String,
    ) -> Result<(), Error> {
        let skipped =
            skip_special && matches!(tokenizer.kind(id), TokenKind::Control | TokenKind::Unknown);
        match self {
            State::Bytes(pending) => {
                if !skipped {
                    pending.extend_from_slice(tokenizer.parts.tokens.bytes(id));
                    take_characters(pending, out);
                }
            }
            State::Pieces { bytes, at_start } => {
                if tokenizer.parts.tokens.kind(id) == TokenKind::Byte {
                    bytes.extend_from_slice(tokenizer.parts.tokens.bytes(id));
                    take_byte_pieces(bytes, false, out);
                    *at_start = false;
                } else if !skipped {
                    take_byte_pieces(bytes, true, out);
                    let text = String::from_utf8_lossy(tokenizer.parts.tokens.bytes(id));
                    let control = matches!(
                        tokenizer.parts.tokens.kind(id),
                        TokenKind::Control | TokenKind::Unknown
                    );
                    out.push_str(if *at_start && !control {
                        text.strip_prefix(' ').unwrap_or(&text)
                    } else {
                        &text
                    });
                    *at_start = false;
                }
            }
            State::Window(window) => {
                if let Engine::Foreign(foreign) = &tokenizer.parts.engine {
                    window.push(foreign, id, skip_special, out)?;
                }
            }
        }
        Ok(())
    }

    fn finish(
        &mut self,
        tokenizer: &Tokenizer,
        skip_special: bool,
        out: &mut String,
    ) -> Result<(), Error> {
        match self {
            State::Bytes(pending) => {
                out.push_str(&String::from_utf8_lossy(pending));
                pending.clear();
            }
            State::Pieces { bytes, .. } => take_byte_pieces(bytes, true, out),
            State::Window(window) => {
                if let Engine::Foreign(foreign) = &tokenizer.parts.engine {
                    window.finish(foreign, skip_special, out)?;
                }
            }
        }
        Ok(())
    }
}

/// Moves whole characters from `pending` to `out`. What can never become a character is replaced as
/// `String::from_utf8_lossy` does.
fn take_characters(pending: &mut Vec<u8>, out: &mut String) {
    let mut done = 0;
    loop {
        match std::str::from_utf8(&pending[done..]) {
            Ok(text) => {
                out.push_str(text);
                done = pending.len();
                break;
            }
            Err(error) => {
                let valid = done + error.valid_up_to();
                out.push_str(&String::from_utf8_lossy(&pending[done..valid]));
                done = valid;
                match error.error_len() {
                    Some(length) => {
                        out.push(char::REPLACEMENT_CHARACTER);
                        done += length;
                    }
                    None => break,
                }
            }
        }
    }
    pending.drain(..done);
}

/// The same for byte pieces, where SentencePiece replaces every byte that belongs to no character
/// by itself.
fn take_byte_pieces(pending: &mut Vec<u8>, last: bool, out: &mut String) {
    let mut done = 0;
    while done < pending.len() {
        match std::str::from_utf8(&pending[done..]) {
            Ok(text) => {
                out.push_str(text);
                done = pending.len();
            }
            Err(error) if error.valid_up_to() > 0 => {
                out.push_str(&String::from_utf8_lossy(&pending[done..done + error.valid_up_to()]));
                done += error.valid_up_to();
            }
            Err(error) if error.error_len().is_none() && !last => break,
            Err(_) => {
                out.push(char::REPLACEMENT_CHARACTER);
                done += 1;
            }
        }
    }
    pending.drain(..done);
}

pub(super) fn decode(
    tokenizer: &Tokenizer,
    ids: &[u32],
    skip_special: bool,
) -> Result<String, Error> {
    if let Engine::Foreign(foreign) = &tokenizer.parts.engine {
        return foreign.decode(ids, skip_special);
    }
    let mut state = State::new(tokenizer);
    let mut out = String::new();
    for &id in ids {
        state.push(tokenizer, id, skip_special, &mut out)?;
    }
    state.finish(tokenizer, skip_special, &mut out)?;
    Ok(out)
}

/// Decodes tokens while they come. It never gives half a character, and all it gives, put together,
/// is what [`Tokenizer::decode`] gives for all tokens at once.
///
/// ```
/// # fn show(tokenizer: std::sync::Arc<scaffold_text::Tokenizer>, ids: &[u32]) -> Result<(), scaffold_text::Error> {
/// let mut decoder = scaffold_text::StreamDecoder::new(tokenizer);
/// for &id in ids {
///     if let Some(text) = decoder.push(id)? {
///         print!("{text}");
///     }
/// }
/// if let Some(text) = decoder.finish()? {
///     print!("{text}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct StreamDecoder {
    tokenizer: Arc<Tokenizer>,
    state: State,
    skip_special: bool,
    /// Control tokens that are written all the same.
    written: Arc<[u32]>,
}

impl StreamDecoder {
    /// A decoder that leaves control tokens out.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let (state, written) = (State::new(&tokenizer), Arc::default());
        StreamDecoder { state, tokenizer, skip_special: true, written }
    }

    /// A decoder that writes control tokens by their names.
    pub fn with_special(tokenizer: Arc<Tokenizer>) -> Self {
        StreamDecoder { skip_special: false, ..StreamDecoder::new(tokenizer) }
    }

    /// A decoder that writes these control tokens by their names, and leaves out the others.
    pub fn with_controls(tokenizer: Arc<Tokenizer>, written: Arc<[u32]>) -> Self {
        StreamDecoder { written, ..StreamDecoder::new(tokenizer) }
    }

    /// Takes the next token: the text that is certain now, if any.
    ///
    /// # Errors
    /// The model's decoder fails; what it would give after that means nothing.
    pub fn push(&mut self, id: u32) -> Result<Option<String>, Error> {
        let mut out = String::new();
        let is_written = self.written.contains(&id);
        if is_written && matches!(self.state, State::Window(_)) {
            // The library's decoder writes all of them or none.
            self.state.finish(&self.tokenizer, true, &mut out)?;
            self.state = State::new(&self.tokenizer);
            out.push_str(&self.tokenizer.id_to_piece(id).unwrap_or_default());
        } else {
            let skip = self.skip_special && !is_written;
            self.state.push(&self.tokenizer, id, skip, &mut out)?;
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// The text that was held back.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(&mut self) -> Result<Option<String>, Error> {
        let mut out = String::new();
        self.state.finish(&self.tokenizer, self.skip_special, &mut out)?;
        Ok((!out.is_empty()).then_some(out))
    }
}

impl std::fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamDecoder")
            .field("skip_special", &self.skip_special)
            .finish_non_exhaustive()
    }
}
