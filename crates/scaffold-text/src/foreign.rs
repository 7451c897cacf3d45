//! The `tokenizers` crate behind our own type: WordPiece, Unigram and every other combination that
//! a `tokenizer.json` can describe.

use crate::added::{AddedToken, AddedTokens, Permit, Segment};
use crate::encoding::Encoding;
use crate::guard::guarded;
use crate::spm::byte_of;
use crate::tokens::TokenKind;
use scaffold_error::{Error, err};
use tokenizers::tokenizer::normalizer::Range;
use tokenizers::{
    Model as _, NormalizedString, Normalizer as _, OffsetType, PreTokenizedString,
    PreTokenizer as _, Token,
};

/// A tokenizer of the `tokenizers` crate, driven step by step: which added tokens count at which
/// place is our own decision.
///
/// What a model's file describes can make the crate panic, so whatever runs a part of that
/// description runs behind a guard. Only look-ups in its tables of tokens do without.
pub(crate) struct Foreign {
    inner: tokenizers::Tokenizer,
    /// The largest id and one.
    size: usize,
    has_byte_pieces: bool,
    metaspace: bool,
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foreign").field("size", &self.size).finish_non_exhaustive()
    }
}

/// A text that is cut into tokens, without anything around it.
pub(crate) type Body = tokenizers::Encoding;

type CrateError = Box<dyn std::error::Error + Send + Sync>;

/// Runs a part of the crate. A panic is told as what it is: no fault of the text's.
fn run<T>(call: impl FnOnce() -> Result<T, CrateError>) -> Result<T, String> {
    guarded(call)
        .map_err(|panic| format!("the `tokenizers` library broke off: {panic}"))?
        .map_err(|error| error.to_string())
}

fn refused(detail: &str) -> Error {
    err!(Damaged, "the text cannot be encoded: {detail}")
}

/// Tokens of which the model's decoder makes no text; the last of many are told.
fn undecoded(tokens: &[u32], detail: &str) -> Error {
    let last = &tokens[tokens.len().saturating_sub(8)..];
    err!(
        Damaged,
        "tokens that end in {last:?} cannot be turned into text: {detail}. The decoder that the tokenizer's file describes \
         does not go together with its vocabulary: fetch the model's tokenizer files again, or use another copy of the model"
    )
}

/// The stretches of a text that `split` emits, those of tokens with their ids.
fn pieces(
    text: &NormalizedString,
    split: impl FnOnce(&str, &mut dyn FnMut(Segment)),
) -> Vec<(NormalizedString, Option<Vec<Token>>)> {
    let mut out = Vec::new();
    split(text.get(), &mut |segment| {
        let Some(piece) = text.slice(Range::Normalized(segment.start..segment.end)) else {
            return;
        };
        let tokens = segment.token.map(|id| {
            let value = piece.get().to_owned();
            let length = value.len();
            vec![Token::new(id, value, (0, length))]
        });
        out.push((piece, tokens));
    });
    out
}

/// Asks about places of a normalized stretch in terms of the whole text.
struct InText<'a> {
    stretch: &'a NormalizedString,
    permit: &'a dyn Permit,
}

impl Permit for InText<'_> {
    fn allows(&self, token: &AddedToken, start: usize, end: usize) -> bool {
        let (base, _) = self.stretch.offsets_original();
        let range = self.stretch.convert_offsets(Range::Normalized(start..end)).unwrap_or(0..0);
        self.permit.allows(token, base + range.start, base + range.end)
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
            size,
        }
    }

    /// The added tokens, for [`Foreign::body`].
    pub(crate) fn added(&self) -> Result<AddedTokens, Error> {
        let mut tokens: Vec<AddedToken> = self
            .inner
            .get_added_tokens_decoder()
            .into_iter()
            .map(|(id, token)| AddedToken {
                id,
                content: token.content,
                single_word: token.single_word,
                lstrip: token.lstrip,
                rstrip: token.rstrip,
                normalized: token.normalized,
                special: token.special,
            })
            .collect();
        tokens.sort_by_key(|token| token.id);
        AddedTokens::new(tokens, |name| {
            let normalized = run(|| {
                let mut normalized = NormalizedString::from(name);
                self.normalize(&mut normalized)?;
                Ok(normalized.get().to_owned())
            });
            normalized.unwrap_or_else(|_| name.to_owned())
        })
    }

    fn normalize(&self, text: &mut NormalizedString) -> Result<(), CrateError> {
        match self.inner.get_normalizer() {
            Some(normalizer) => normalizer.normalize(text),
            None => Ok(()),
        }
    }

    /// The normalized stretch with places that can be relied on, where its own cannot: characters
    /// at its start that the crate's table of replacements removes do not count in them.
    fn aligned(
        &self,
        before: &NormalizedString,
        after: &NormalizedString,
    ) -> Option<NormalizedString> {
        let vanishes = |c: &char| {
            let mut one = NormalizedString::from(c.encode_utf8(&mut [0; 4]) as &str);
            self.normalize(&mut one).is_ok() && one.is_empty()
        };
        let vanished = before.get().chars().take_while(vanishes);
        let start: usize = vanished.map(char::len_utf8).sum();
        if start == 0 {
            return None;
        }
        let mut rest = before.slice(Range::Normalized(start..before.len()))?;
        self.normalize(&mut rest).ok()?;
        (rest.get() == after.get()).then_some(rest)
    }

    /// The tokens of a text, of the first or second of a pair (`type_id`).
    pub(crate) fn body(
        &self,
        text: &str,
        type_id: u32,
        added: &AddedTokens,
        permit: &dyn Permit,
    ) -> Result<Body, Error> {
        let cut = || -> Result<Body, CrateError> {
            let mut pieced: PreTokenizedString = text.into();
            pieced.split(|_, whole| Ok(pieces(&whole, |t, emit| added.split(t, permit, emit))))?;
            pieced.split(|_, mut stretch| {
                let before = added.looks_in_normalized().then(|| stretch.clone());
                self.normalize(&mut stretch)?;
                let aligned = before.and_then(|before| self.aligned(&before, &stretch));
                let permit = InText { stretch: aligned.as_ref().unwrap_or(&stretch), permit };
                Ok(pieces(&stretch, |t, emit| {
                    added.split_normalized(t, &permit, emit);
                }))
            })?;
            if let Some(pre_tokenizer) = self.inner.get_pre_tokenizer() {
                pre_tokenizer.pre_tokenize(&mut pieced)?;
            }
            let model = self.inner.get_model();
            model.tokenize_in_pretokenized(&mut pieced, None)?;
            pieced.into_encoding(None, type_id, OffsetType::Byte)
        };
        run(cut).map_err(|detail| refused(&detail))
    }

    /// Puts what the model expects around one text or two (`add_special`), and brings offsets into
    /// their form.
    pub(crate) fn around(
        &self,
        first: (&str, Body),
        second: Option<(&str, Body)>,
        add_special: bool,
    ) -> Result<Encoding, Error> {
        let texts = [first.0, second.as_ref().map_or("", |(text, _)| text)];
        let second = second.map(|(_, body)| body);
        let encoding = run(|| self.inner.post_process(first.1, second, add_special))
            .map_err(|detail| refused(&detail))?;
        // The crate counts a space that it leaves out of a token's place as one byte.
        let sequences = encoding.get_sequence_ids();
        let whole = |(&(start, end), sequence): (&(usize, usize), Option<usize>)| {
            let text = sequence.and_then(|sequence| texts.get(sequence));
            text.map_or((start, end), |text| {
                (text.floor_char_boundary(start), text.ceil_char_boundary(end))
            })
        };
        Ok(Encoding {
            ids: encoding.get_ids().to_vec(),
            offsets: encoding.get_offsets().iter().zip(sequences).map(whole).collect(),
            type_ids: encoding.get_type_ids().to_vec(),
        })
    }

    pub(crate) fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String, Error> {
        run(|| self.inner.decode(ids, skip_special)).map_err(|detail| undecoded(ids, &detail))
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
        if let Some(token) = self.inner.get_added_vocabulary().get_added_tokens_decoder().get(&id) {
            return if token.special { TokenKind::Control } else { TokenKind::Added };
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
}

/// Decoding with a growing window: the difference that the newest tokens make to the text of the
/// last few.
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
    ) -> Result<(), Error> {
        self.ids.push(id);
        // A run of byte tokens is decoded as a whole: one bad byte spoils the characters before it.
        if foreign.kind(id) == TokenKind::Byte {
            return Ok(());
        }
        let text = foreign.decode(&self.ids, skip_special)?;
        if text.ends_with(char::REPLACEMENT_CHARACTER) {
            return Ok(());
        }
        self.give(&text, foreign, skip_special, out)
    }

    pub(crate) fn finish(
        &mut self,
        foreign: &Foreign,
        skip_special: bool,
        out: &mut String,
    ) -> Result<(), Error> {
        let text = foreign.decode(&self.ids, skip_special)?;
        self.give(&text, foreign, skip_special, out)
    }

    fn give(
        &mut self,
        text: &str,
        foreign: &Foreign,
        skip_special: bool,
        out: &mut String,
    ) -> Result<(), Error> {
        if let Some(fresh) = text.get(self.given..) {
            out.push_str(fresh);
        }
        // The next window starts with the tokens that were given away last, as the left side of the
        // next ones.
        if text.len() > self.given {
            self.ids.drain(..self.fresh);
            self.fresh = self.ids.len();
            self.given = foreign.decode(&self.ids, skip_special)?.len();
        }
        Ok(())
    }
}
