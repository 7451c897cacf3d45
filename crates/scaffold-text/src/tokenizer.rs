//! The one tokenizer type, over every kind of vocabulary.

mod decode;
mod ends;
mod files;
mod from_gguf;
mod load;
#[cfg(test)]
mod tests;
mod to_gguf;

pub use decode::StreamDecoder;
pub use from_gguf::{GgufKey, GgufKeys};
pub use load::LoadOptions;
pub use to_gguf::GgufVocabulary;

use crate::added::{Permit, Segment};
use crate::encoding::{EncodeOptions, Encoding};
use crate::mistral_version::Version;
use crate::parts::{Engine, Parts};
use crate::special::SpecialTokens;
use crate::tokens::TokenKind;
use scaffold_error::Error;

/// Turns text into the token ids of one model, and back.
///
/// One type over `tokenizer.json`, SentencePiece's `tokenizer.model`, `tekken.json`, tiktoken files
/// and the vocabulary inside a GGUF file. It is immutable and can be shared between threads.
#[derive(Debug)]
pub struct Tokenizer {
    parts: Parts,
    special: SpecialTokens,
    eos_ids: Vec<u32>,
    source: String,
    /// The version of Mistral's instruction format that the tokenizer's file names.
    mistral: Option<Version>,
}

impl Tokenizer {
    pub(crate) fn new(parts: Parts, special: SpecialTokens, source: impl Into<String>) -> Self {
        let mut tokenizer =
            Tokenizer { parts, special, eos_ids: Vec::new(), source: source.into(), mistral: None };
        tokenizer.eos_ids = ends::end_tokens(&tokenizer);
        tokenizer
    }

    /// Whether the `tokenizers` crate does the work.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self.parts.engine, Engine::Foreign(_))
    }

    /// Encodes a text.
    ///
    /// # Errors
    /// The vocabulary cannot express the text.
    pub fn encode(&self, text: &str, options: &EncodeOptions) -> Result<Encoding, Error> {
        self.encode_permitted(text, &options.permit(), options.add_special)
    }

    /// Encodes two texts that belong together, as cross-encoders read them.
    ///
    /// # Errors
    /// The vocabulary cannot express the texts.
    pub fn encode_pair(
        &self,
        first: &str,
        second: &str,
        options: &EncodeOptions,
    ) -> Result<Encoding, Error> {
        let permit = options.permit();
        if let Engine::Foreign(foreign) = &self.parts.engine {
            let first = (first, foreign.body(first, 0, &self.parts.added, &permit)?);
            let second = (second, foreign.body(second, 1, &self.parts.added, &permit)?);
            return foreign.around(first, Some(second), options.add_special);
        }
        let first = self.encode_body(first, &permit)?;
        let second = self.encode_body(second, &permit)?;
        if options.add_special {
            return Ok(self.parts.frame.around(&first, Some(&second)));
        }
        let mut both = first;
        let mark = both.len();
        both.append(second, 0);
        both.type_ids[mark..].fill(1);
        Ok(both)
    }

    /// Encodes a prompt that a chat template rendered: control tokens in it count, and nothing is
    /// put around it, since the template wrote its own beginning-of-sequence token.
    ///
    /// # Errors
    /// The vocabulary cannot express the text.
    pub fn encode_chat(&self, rendered: &str) -> Result<Encoding, Error> {
        self.encode(rendered, &EncodeOptions::RENDERED)
    }

    /// The version of Mistral's instruction format that the tokenizer's file names.
    pub(crate) fn mistral(&self) -> Option<Version> {
        self.mistral
    }

    /// Encodes a text in which `permit` decides which added tokens count at which place.
    pub(crate) fn encode_permitted(
        &self,
        text: &str,
        permit: &dyn Permit,
        add_special: bool,
    ) -> Result<Encoding, Error> {
        if let Engine::Foreign(foreign) = &self.parts.engine {
            let body = foreign.body(text, 0, &self.parts.added, permit)?;
            return foreign.around((text, body), None, add_special);
        }
        let body = self.encode_body(text, permit)?;
        Ok(if add_special { self.parts.frame.around(&body, None) } else { body })
    }

    /// The tokens of a text with one of our own engines.
    fn encode_body(&self, text: &str, permit: &dyn Permit) -> Result<Encoding, Error> {
        let mut out = Encoding::default();
        let mut failed = None;
        let mut line_start = true;
        self.parts.added.split(text, permit, &mut |segment: Segment| {
            let range = segment.start..segment.end;
            match (&self.parts.engine, segment.token) {
                (Engine::ByteLevel(model), Some(id)) => {
                    let offsets = (segment.start, segment.end);
                    model.push_added(id, offsets, &text[range], text, &mut out);
                }
                (_, Some(id)) => out.push(id, (segment.start, segment.end)),
                (Engine::ByteLevel(model), None) => {
                    if let Err(error) = model.encode(
                        text,
                        range,
                        &self.parts.tokens,
                        &self.parts.added,
                        permit,
                        &mut out,
                    ) {
                        failed = Some(error);
                    }
                }
                (Engine::SentencePiece(model), None) => {
                    let text = &text[range];
                    let start = model.starts_line(text, line_start);
                    model.encode(text, segment.start, start, &mut out);
                }
                (Engine::Foreign(_), None) => {}
            }
            line_start = false;
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(out),
        }
    }

    /// The id of a token by its name, as the vocabulary spells it (`Ġthe`, `▁the`, `<|im_end|>`).
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        match &self.parts.engine {
            Engine::Foreign(foreign) => foreign.token_to_id(token),
            Engine::SentencePiece(model) => {
                self.parts.tokens.named(token).or_else(|| model.id(token))
            }
            Engine::ByteLevel(model) => self.parts.tokens.named(token).or_else(|| {
                let id = model.id(&self.parts.tokens.unspell(token)?)?;
                (self.parts.tokens.kind(id) == TokenKind::Normal).then_some(id)
            }),
        }
    }

    /// A token as the vocabulary spells it, or nothing for an id outside the vocabulary.
    pub fn id_to_piece(&self, id: u32) -> Option<String> {
        match &self.parts.engine {
            Engine::Foreign(foreign) => foreign.id_to_piece(id),
            _ => self.parts.tokens.piece(id),
        }
    }

    /// The bytes that a token stands for inside a text: for control tokens their name.
    pub fn token_bytes(&self, id: u32) -> Option<Vec<u8>> {
        match &self.parts.engine {
            Engine::Foreign(foreign) => foreign.token_bytes(id),
            _ => ((id as usize) < self.parts.tokens.len())
                .then(|| self.parts.tokens.bytes(id).to_vec()),
        }
    }

    /// What kind of token an id is.
    pub fn kind(&self, id: u32) -> TokenKind {
        match &self.parts.engine {
            Engine::Foreign(foreign) => foreign.kind(id),
            _ => self.parts.tokens.kind(id),
        }
    }

    /// Number of ids, the added tokens among them. A model's logits may be wider: the rest means
    /// nothing.
    pub fn vocab_size(&self) -> usize {
        match &self.parts.engine {
            Engine::Foreign(foreign) => foreign.vocab_size(),
            _ => self.parts.tokens.len(),
        }
    }

    /// The token that starts a sequence, if the model has one.
    pub fn bos(&self) -> Option<u32> {
        self.special.bos.as_ref().and_then(|token| self.token_to_id(token))
    }

    /// All tokens that end an answer: the end-of-sequence token, and those that end a turn.
    ///
    /// `config.json` and `generation_config.json` may name more.
    pub fn eos_ids(&self) -> &[u32] {
        &self.eos_ids
    }

    /// The control tokens whose names occur in one of these texts.
    pub fn controls_in(&self, texts: &[&str]) -> Vec<u32> {
        let occurs = |id: &u32| {
            self.kind(*id) == TokenKind::Control
                && self.id_to_piece(*id).is_some_and(|name| {
                    !name.is_empty() && texts.iter().any(|text| text.contains(&*name))
                })
        };
        (0..self.vocab_size() as u32).filter(occurs).collect()
    }

    /// The special tokens by their roles, as templates name them.
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.special
    }

    /// Which file or vocabulary the tokenizer was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether a beginning-of-sequence token is put in front of a plain text.
    pub fn adds_bos(&self) -> bool {
        let bos = self.bos();
        bos.is_some()
            && self
                .encode("", &EncodeOptions::default())
                .is_ok_and(|encoding| encoding.ids.first().copied() == bos)
    }

    /// Text from token ids; `skip_special` leaves control tokens out.
    ///
    /// Bytes that are no text become U+FFFD, and ids outside the vocabulary give nothing.
    ///
    /// # Errors
    /// The model's decoder fails.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String, Error> {
        decode::decode(self, ids, skip_special)
    }
}
