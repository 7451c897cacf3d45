//! Reading a tokenizer from a model's directory.

use super::files::{self, FAST, LOOKED_FOR, Slow};
use super::{Engine, Frame, SpecialTokens, Tokenizer};
use crate::added::{AddedToken, AddedTokens};
use crate::chat::mistral::Version;
use crate::config::TokenizerConfig;
use crate::error::{Notice, TextError};
use crate::json;
use crate::ranked;
use crate::spm::proto;
use crate::tokens::{TokenKind, TokenTable};
use crate::vocab_merges;
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

fn read(path: &Path) -> Result<Vec<u8>, TextError> {
    std::fs::read(path).map_err(|source| TextError::Io {
        path: path.to_owned(),
        source,
    })
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
        let Some(slow) = files::slow(dir) else {
            if !has_fast {
                return Err(TextError::NoTokenizer {
                    dir: dir.to_owned(),
                    looked_for: LOOKED_FOR.to_vec(),
                });
            }
            let notice = (!options.use_fast).then(|| Notice::NoSlowTokenizer {
                used: FAST.to_owned(),
            });
            return Ok((from_json(dir, &config)?, notice.into_iter().collect()));
        };
        if !options.use_fast {
            return Ok((from_slow(dir, &slow, &config)?, Vec::new()));
        }
        let reason = if has_fast {
            match from_json(dir, &config) {
                Ok(tokenizer) => return Ok((tokenizer, Vec::new())),
                Err(error) => error.to_string(),
            }
        } else {
            "the model has none".to_owned()
        };
        let notice = Notice::FileReplaced {
            wanted: FAST.to_owned(),
            reason,
            used: slow.name().to_owned(),
        };
        Ok((from_slow(dir, &slow, &config)?, vec![notice]))
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

fn from_slow(dir: &Path, slow: &Slow, config: &TokenizerConfig) -> Result<Tokenizer, TextError> {
    let path = dir.join(slow.name());
    let bytes = read(&path)?;
    match slow {
        Slow::SentencePiece(name) => {
            let mut tokenizer = from_sentence_piece(&bytes, &path, name, config)?;
            tokenizer.mistral = files::version(name).and_then(Version::from_name);
            Ok(tokenizer)
        }
        Slow::Tekken(name) => tekken(&bytes, &path, name, config),
        Slow::VocabMerges => {
            let merges = dir.join(files::MERGES);
            let merges_bytes = read(&merges)?;
            let class = config.tokenizer_class.as_deref();
            let parts = vocab_merges::read(
                (&path, &bytes),
                (&merges, &merges_bytes),
                class,
                &config.added_tokens,
            )?;
            let mut special = config.special.clone();
            special.complete(SpecialTokens::of_tiktoken(&parts.tokens));
            let mut tokenizer = Tokenizer::assemble(
                parts.engine,
                parts.tokens,
                parts.added,
                parts.frame,
                special,
                files::VOCAB,
            );
            tokenizer.frame_from(config);
            Ok(tokenizer)
        }
        Slow::Tiktoken(name) => {
            let parts = ranked::read_tiktoken(&bytes, &path, &config.added_tokens)?;
            let mut special = config.special.clone();
            special.complete(SpecialTokens::of_tiktoken(&parts.tokens));
            let mut tokenizer = Tokenizer::assemble(
                parts.engine,
                parts.tokens,
                parts.added,
                parts.frame,
                special,
                name,
            );
            let bos = tokenizer.bos().filter(|_| config.add_bos.unwrap_or(true));
            tokenizer.frame = Frame::with(bos, None);
            Ok(tokenizer)
        }
    }
}

fn tekken(
    bytes: &[u8],
    path: &Path,
    name: &str,
    config: &TokenizerConfig,
) -> Result<Tokenizer, TextError> {
    let (parts, version) = ranked::read_tekken(bytes, path)?;
    let mut special = config.special.clone();
    special.complete(SpecialTokens::of_mistral());
    let mut tokenizer = Tokenizer::assemble(
        parts.engine,
        parts.tokens,
        parts.added,
        parts.frame,
        special,
        name,
    );
    tokenizer.mistral = version.as_deref().and_then(Version::from_name);
    tokenizer.frame = Frame::with(tokenizer.bos(), None);
    Ok(tokenizer)
}

fn from_sentence_piece(
    bytes: &[u8],
    path: &Path,
    name: &str,
    config: &TokenizerConfig,
) -> Result<Tokenizer, TextError> {
    let bad = |error: TextError| TextError::BadFile {
        path: path.to_owned(),
        problem: error.to_string(),
        advice: "Download the file again".to_owned(),
    };
    let model = proto::parse(bytes).map_err(bad)?;
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
        Engine::SentencePiece(Box::new(engine)),
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
    /// From the bytes of a `tokenizer.model`.
    pub(crate) fn from_sentence_piece(bytes: &[u8]) -> Result<Self, TextError> {
        let name = "tokenizer.model";
        from_sentence_piece(bytes, Path::new(name), name, &TokenizerConfig::default())
    }

    /// From the bytes of a `tekken.json`.
    pub(crate) fn from_tekken(bytes: &[u8], path: &Path) -> Result<Self, TextError> {
        tekken(bytes, path, "tekken.json", &TokenizerConfig::default())
    }

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
    fn of_mistral() -> Self {
        let name = |name: &str| Some(name.to_owned());
        SpecialTokens {
            bos: name("<s>"),
            eos: name("</s>"),
            unk: name("<unk>"),
            ..SpecialTokens::default()
        }
    }

    /// The names that families with tiktoken files use.
    fn of_tiktoken(tokens: &TokenTable) -> Self {
        let first = |names: &[&str]| {
            names
                .iter()
                .find(|name| tokens.named(name).is_some())
                .map(|&name| name.to_owned())
        };
        SpecialTokens {
            bos: first(&["<|begin_of_text|>"]),
            eos: first(&[
                "<|eot_id|>",
                "<|im_end|>",
                "<|end_of_text|>",
                "<|endoftext|>",
            ]),
            ..SpecialTokens::default()
        }
    }

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
