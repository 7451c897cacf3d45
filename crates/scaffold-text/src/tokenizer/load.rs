//! Reading a tokenizer from a model's directory.

use super::{Engine, Frame, SpecialTokens, Tokenizer};
use crate::added::{AddedToken, AddedTokens};
use crate::config::TokenizerConfig;
use crate::error::{Notice, TextError};
use crate::json;
use crate::spm::proto;
use crate::tokens::TokenKind;
use std::path::Path;

/// How a tokenizer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Take `tokenizer.json` where there is one; else the model's original ("slow") tokenizer file is
    /// preferred. Both give the same ids for the models in use.
    pub use_fast: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { use_fast: true }
    }
}

const FAST: &str = "tokenizer.json";
const SENTENCE_PIECE: [&str; 3] = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"];

fn read(path: &Path) -> Result<Vec<u8>, TextError> {
    std::fs::read(path).map_err(|source| TextError::Io {
        path: path.to_owned(),
        source,
    })
}

/// The model's original tokenizer file, if it has one.
fn slow_file(dir: &Path) -> Option<&'static str> {
    SENTENCE_PIECE
        .into_iter()
        .find(|name| dir.join(name).is_file())
}

impl Tokenizer {
    /// Reads the tokenizer in a model's directory, with what was done other than asked.
    ///
    /// # Errors
    /// [`TextError::NoTokenizer`] where no file is known, [`TextError::BadFile`] with the reason where one
    /// cannot be used and no other takes its place.
    pub fn from_dir(dir: &Path, options: &LoadOptions) -> Result<(Self, Vec<Notice>), TextError> {
        let config = TokenizerConfig::from_dir(dir)?;
        let has_fast = dir.join(FAST).is_file();
        let slow = slow_file(dir);
        match (has_fast, slow, options.use_fast) {
            (true, _, true) => match from_json(dir, &config) {
                Ok(tokenizer) => Ok((tokenizer, Vec::new())),
                Err(error) => match slow {
                    Some(slow) => {
                        let notice = Notice::FileReplaced {
                            wanted: FAST.to_owned(),
                            reason: error.to_string(),
                            used: slow.to_owned(),
                        };
                        Ok((from_slow(dir, slow, &config)?, vec![notice]))
                    }
                    None => Err(error),
                },
            },
            (_, Some(slow), false) => Ok((from_slow(dir, slow, &config)?, Vec::new())),
            (true, None, false) => Ok((
                from_json(dir, &config)?,
                vec![Notice::NoSlowTokenizer {
                    used: FAST.to_owned(),
                }],
            )),
            (false, Some(slow), true) => {
                let notice = Notice::FileReplaced {
                    wanted: FAST.to_owned(),
                    reason: "the model has none".to_owned(),
                    used: slow.to_owned(),
                };
                Ok((from_slow(dir, slow, &config)?, vec![notice]))
            }
            (false, None, _) => Err(TextError::NoTokenizer {
                dir: dir.to_owned(),
                looked_for: std::iter::once(FAST).chain(SENTENCE_PIECE).collect(),
            }),
        }
    }
}

fn from_json(dir: &Path, config: &TokenizerConfig) -> Result<Tokenizer, TextError> {
    let path = dir.join(FAST);
    let parts = json::read(&read(&path)?, &path, &config.added_tokens)?;
    let mut tokenizer = Tokenizer::assemble(
        parts.engine,
        parts.tokens,
        parts.added,
        parts.frame,
        config.special.clone(),
        FAST,
    );
    tokenizer.frame_from(config);
    Ok(tokenizer)
}

fn from_slow(dir: &Path, name: &str, config: &TokenizerConfig) -> Result<Tokenizer, TextError> {
    let path = dir.join(name);
    let bad = |error: TextError| TextError::BadFile {
        path: path.clone(),
        problem: error.to_string(),
        advice: "Download the file again".to_owned(),
    };
    let model = proto::parse(&read(&path)?).map_err(bad)?;
    let (bos, eos) = (model.bos, model.eos);
    let mut engine = model.build().map_err(bad)?;
    engine.prefix_after_tokens = config.legacy.unwrap_or(true);
    let mut table = engine.table();
    let name_of = |id: i64| {
        usize::try_from(id)
            .ok()
            .and_then(|id| engine.pieces().get(id))
            .map(|piece| piece.text.clone())
    };
    let mut special = config.special.clone();
    special.bos = special.bos.or_else(|| name_of(bos));
    special.eos = special.eos.or_else(|| name_of(eos));
    special.unk = special.unk.or_else(|| name_of(i64::from(engine.unknown())));

    let mut added: Vec<AddedToken> = Vec::new();
    for (id, piece) in engine.pieces().iter().enumerate() {
        use crate::spm::PieceKind::{Control, Unknown};
        if matches!(piece.kind, Control | Unknown) {
            added.push(AddedToken {
                id: id as u32,
                content: piece.text.clone(),
                special: true,
                ..AddedToken::default()
            });
        }
    }
    let mut extra = Vec::new();
    for token in &config.added_tokens {
        added.retain(|known| known.content != token.content);
        let kind = if token.special {
            TokenKind::Control
        } else {
            TokenKind::Added
        };
        extra.push((token.id, token.content.as_bytes().to_vec(), kind));
        added.push(AddedToken {
            normalized: false,
            ..token.clone()
        });
    }
    table.extend(extra);
    let tokens = AddedTokens::new(added, str::to_owned)?;
    let mut tokenizer = Tokenizer::assemble(
        Engine::SentencePiece(engine),
        table,
        tokens,
        Frame::default(),
        special,
        name,
    );
    let bos = tokenizer.bos().filter(|_| config.add_bos.unwrap_or(true));
    let eos = tokenizer
        .eos_token()
        .filter(|_| config.add_eos.unwrap_or(false));
    tokenizer.frame = Frame::with(bos, eos);
    Ok(tokenizer)
}

impl Tokenizer {
    fn eos_token(&self) -> Option<u32> {
        self.special
            .eos
            .as_ref()
            .and_then(|name| self.token_to_id(name))
    }

    /// Where the configuration says whether the beginning and end are marked, it rules over the file.
    fn frame_from(&mut self, config: &TokenizerConfig) {
        if config.add_bos.is_none() && config.add_eos.is_none()
            || matches!(self.engine, Engine::Foreign(_))
        {
            return;
        }
        let has = |frame: &Frame, id: Option<u32>| {
            id.is_some_and(|id| {
                frame
                    .single
                    .iter()
                    .any(|slot| matches!(slot, super::Slot::Token(t, _) if *t == id))
            })
        };
        let (bos, eos) = (self.bos(), self.eos_token());
        let wants_bos = config.add_bos.unwrap_or_else(|| has(&self.frame, bos));
        let wants_eos = config.add_eos.unwrap_or_else(|| has(&self.frame, eos));
        if wants_bos != has(&self.frame, bos) || wants_eos != has(&self.frame, eos) {
            self.frame = Frame::with(bos.filter(|_| wants_bos), eos.filter(|_| wants_eos));
        }
    }
}

impl SpecialTokens {
    /// Takes over the roles that `other` names and this does not.
    pub(crate) fn complete(&mut self, other: SpecialTokens) {
        self.bos = self.bos.take().or(other.bos);
        self.eos = self.eos.take().or(other.eos);
        self.unk = self.unk.take().or(other.unk);
        self.pad = self.pad.take().or(other.pad);
        self.sep = self.sep.take().or(other.sep);
        self.cls = self.cls.take().or(other.cls);
        self.mask = self.mask.take().or(other.mask);
        for (name, token) in other.others {
            if !self.others.iter().any(|(known, _)| *known == name) {
                self.others.push((name, token));
            }
        }
    }
}
