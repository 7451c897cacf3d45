//! Reading a tokenizer from a model's directory.

use super::Tokenizer;
use super::files::{self, Slow};
use crate::added::{AddedToken, AddedTokens};
use crate::classes::{self, Adding, Class, Files, Given, Row};
use crate::config::{Named, TokenizerConfig};
use crate::frame::{Frame, Slot};
use crate::json::{self, File};
use crate::mistral_version::Version;
use crate::parts::{Engine, Parts};
use crate::ranked;
use crate::special::SpecialTokens;
use crate::spm::{PieceKind, SentencePiece, proto};
use crate::tokens::{TokenKind, TokenTable};
use crate::unusable::damaged;
use scaffold_error::{Error, Notice, Topic};
use scaffold_files::{MERGES_TXT, TOKENIZER_JSON, sentence_piece_version};
use std::path::{Path, PathBuf};

/// How a tokenizer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Take `tokenizer.json` where there is one; else the vocabulary of the model's original
    /// ("slow") tokenizer file is preferred. Both give the same ids.
    pub use_fast: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { use_fast: true }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::io("read", path))
}

/// A `tokenizer.json`, parsed.
struct Fast {
    path: PathBuf,
    bytes: Vec<u8>,
    file: File,
}

impl Fast {
    /// The file of a directory, if it has one.
    fn of_dir(dir: &Path) -> Option<Result<Self, Error>> {
        let path = dir.join(TOKENIZER_JSON);
        path.is_file().then(|| {
            let bytes = read(&path)?;
            let file = json::parse(&bytes, &path)?;
            Ok(Fast { path, bytes, file })
        })
    }
}

impl Tokenizer {
    /// Reads the tokenizer in a model's directory, with what was done other than asked.
    ///
    /// The configuration files beside it count: the tokenizer's class, the type of the model and
    /// the settings say what the tokenizer's own files leave out.
    ///
    /// # Errors
    /// [`Kind::NotFound`](scaffold_error::Kind::NotFound) where no file is known, else the reason
    /// why one cannot be used and no other takes its place, or that its meaning depends on a class
    /// that is not read or not named.
    pub fn from_dir(dir: &Path, options: &LoadOptions) -> Result<(Self, Vec<Notice>), Error> {
        let config = TokenizerConfig::from_dir(dir)?;
        let fast = Fast::of_dir(dir);
        let class = classes::choose(
            &config,
            || matches!(&fast, Some(Ok(fast)) if fast.file.is_byte_level()),
        );
        let slow = files::slow(dir, class);
        match (fast, slow) {
            (None, None) => Err(files::nothing_read(dir, class)),
            (Some(fast), None) => {
                let notice = (!options.use_fast).then(|| {
                    Notice::new(
                        Topic::Tokenizer,
                        format!("the slow tokenizer was asked for, but the model ships none; the tokenizer is read from {TOKENIZER_JSON}"),
                    )
                });
                Ok((from_json(fast?, class, &config)?, notice.into_iter().collect()))
            }
            (Some(Ok(fast)), Some(slow)) if !options.use_fast => {
                let tokenizer = from_slow(dir, &slow, class, &config, Some(&fast.file))?;
                Ok((tokenizer, Vec::new()))
            }
            (Some(fast), Some(slow)) if options.use_fast => {
                match fast.and_then(|fast| from_json(fast, class, &config)) {
                    Ok(tokenizer) => Ok((tokenizer, Vec::new())),
                    Err(error) => instead(dir, &slow, class, &config, &error.to_string()),
                }
            }
            (None, Some(slow)) if options.use_fast => {
                instead(dir, &slow, class, &config, "the model has none")
            }
            (_, Some(slow)) => Ok((from_slow(dir, &slow, class, &config, None)?, Vec::new())),
        }
    }
}

/// The original file where `tokenizer.json` was wanted.
fn instead(
    dir: &Path,
    slow: &Slow,
    class: Class,
    config: &TokenizerConfig,
    reason: &str,
) -> Result<(Tokenizer, Vec<Notice>), Error> {
    let notice = Notice::new(
        Topic::Tokenizer,
        format!(
            "{TOKENIZER_JSON} is not used ({reason}); the tokenizer is read from {}",
            slow.name()
        ),
    );
    let tokenizer = from_slow(dir, slow, class, config, None)?;
    Ok((tokenizer, vec![notice]))
}

fn from_json(fast: Fast, class: Class, config: &TokenizerConfig) -> Result<Tokenizer, Error> {
    let meant = classes::of_json(class, fast.file, config)?;
    let bytes = (!meant.changed).then_some(fast.bytes.as_slice());
    let parts = json::build(meant.file, &fast.path, bytes)?;
    Ok(Tokenizer::new(parts, meant.special, TOKENIZER_JSON))
}

/// The tokenizer of a model's original file. `beside` is the `tokenizer.json` beside it: its frame
/// and its added tokens count here too, so that both give the same ids.
fn from_slow(
    dir: &Path,
    slow: &Slow,
    class: Class,
    config: &TokenizerConfig,
    beside: Option<&File>,
) -> Result<Tokenizer, Error> {
    let path = dir.join(slow.name());
    let bytes = read(&path)?;
    match slow {
        Slow::OfClass(name) => {
            let Class::Known(row) = class else {
                return Err(files::nothing_read(dir, class));
            };
            let merges = dir.join(MERGES_TXT);
            let merges_bytes = match row.files {
                Files::Pairs => read(&merges)?,
                _ => Vec::new(),
            };
            let merges = (merges.as_path(), merges_bytes.as_slice());
            of_class(row, (&path, &bytes), merges, config, beside, name)
        }
        Slow::SentencePiece(name) => {
            let mut tokenizer = from_sentence_piece(&bytes, &path, name, config)?;
            tokenizer.mistral = sentence_piece_version(name).and_then(Version::from_name);
            if let Some(file) = beside {
                tokenizer.take_frame(file);
            }
            Ok(tokenizer)
        }
        Slow::Tekken(name) => tekken(&bytes, &path, name, config),
        Slow::Tiktoken(name) => tiktoken(&bytes, &path, name, config),
    }
}

fn of_class(
    row: &Row,
    file: (&Path, &[u8]),
    merges: (&Path, &[u8]),
    config: &TokenizerConfig,
    beside: Option<&File>,
    name: &str,
) -> Result<Tokenizer, Error> {
    let given = beside.map(Given::of).unwrap_or_default();
    let meant = row.of_files(file, merges, config, &given)?;
    meant.file.check_ids(file.0)?;
    let parts = json::build(meant.file, file.0, None)?;
    Ok(Tokenizer::new(parts, meant.special, name))
}

fn tiktoken(
    bytes: &[u8],
    path: &Path,
    name: &str,
    config: &TokenizerConfig,
) -> Result<Tokenizer, Error> {
    let parts = ranked::read_tiktoken(bytes, path, &config.added_tokens)?;
    let mut special = config.special();
    special.complete(SpecialTokens::of_tiktoken(&parts.tokens));
    let mut tokenizer = Tokenizer::new(parts, special, name);
    let bos = tokenizer.bos().filter(|_| config.flag("add_bos_token").unwrap_or(true));
    tokenizer.parts.frame = Frame::with(bos, None);
    Ok(tokenizer)
}

fn tekken(
    bytes: &[u8],
    path: &Path,
    name: &str,
    config: &TokenizerConfig,
) -> Result<Tokenizer, Error> {
    let (parts, version) = ranked::read_tekken(bytes, path)?;
    let mut special = config.special();
    special.complete(SpecialTokens::of_mistral());
    let mut tokenizer = Tokenizer::new(parts, special, name);
    tokenizer.mistral = version.as_deref().and_then(Version::from_name);
    tokenizer.parts.frame = Frame::with(tokenizer.bos(), None);
    Ok(tokenizer)
}

fn from_sentence_piece(
    bytes: &[u8],
    path: &Path,
    name: &str,
    config: &TokenizerConfig,
) -> Result<Tokenizer, Error> {
    let bad = |error: Error| damaged(path, error);
    let model = proto::parse(bytes).map_err(bad)?;
    let (bos, eos) = (model.bos, model.eos);
    let mut engine = model.build().map_err(bad)?;
    engine.prefix_after_tokens = config.flag("legacy").unwrap_or(true);
    let mut config = config.clone();
    let name_of = |id: i64| {
        let piece = engine.pieces().get(usize::try_from(id).ok()?)?;
        Some(Named::new(piece.text.as_str()))
    };
    let unknown = i64::from(engine.unknown());
    let roles = [("bos_token", bos), ("eos_token", eos), ("unk_token", unknown)];
    let named: Vec<(&str, Named)> =
        roles.into_iter().filter_map(|(role, id)| Some((role, name_of(id)?))).collect();
    config.complete(&named);
    let added = sentence_piece_tokens(&engine, &config);
    let mut table = engine.table();
    let kinds = added.iter().map(|token| {
        let kind = if token.special { TokenKind::Control } else { TokenKind::Added };
        (token.id, token.content.as_bytes().to_vec(), kind)
    });
    table.extend(kinds.collect());
    let parts = Parts {
        engine: Engine::SentencePiece(Box::new(engine)),
        tokens: table,
        added: AddedTokens::new(added, str::to_owned)?,
        frame: Frame::default(),
    };
    let mut tokenizer = Tokenizer::new(parts, config.special(), name);
    // Mistral's versioned files belong to programs that mark the beginning.
    let marked = sentence_piece_version(name).is_some();
    let wanted = |name: &str, default: bool| config.flag(name).unwrap_or(default);
    let bos = tokenizer.bos().filter(|_| wanted("add_bos_token", marked));
    let eos = tokenizer.eos_token().filter(|_| wanted("add_eos_token", false));
    tokenizer.parts.frame = Frame::with(bos, eos);
    Ok(tokenizer)
}

/// The tokens that are cut out of the text: control pieces, and what the configuration names. It
/// may give pieces other names.
fn sentence_piece_tokens(engine: &SentencePiece, config: &TokenizerConfig) -> Vec<AddedToken> {
    let pieces = engine.pieces();
    let mut names: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    for token in &config.added_tokens {
        if let Some(name) = names.get_mut(token.id as usize) {
            *name = &token.content;
        }
    }
    let control = pieces
        .iter()
        .filter(|piece| piece.kind == PieceKind::Control)
        .map(|piece| Named::new(piece.text.as_str()));
    let extra = config.extra.clone().unwrap_or_else(|| control.collect());
    let mut adding = Adding::new(names.into_iter().zip(0..).collect());
    adding.add_configured(config, &extra);
    let mut tokens = adding.into_tokens();
    // They are looked for before spaces become `▁`.
    for token in &mut tokens {
        token.normalized = false;
    }
    tokens
}

impl Tokenizer {
    /// From the bytes of a `tokenizer.model`.
    pub(crate) fn from_sentence_piece(bytes: &[u8]) -> Result<Self, Error> {
        let name = "tokenizer.model";
        from_sentence_piece(bytes, Path::new(name), name, &TokenizerConfig::default())
    }

    /// From the bytes of a `tekken.json`.
    pub(crate) fn from_tekken(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        tekken(bytes, path, "tekken.json", &TokenizerConfig::default())
    }

    /// From the bytes of a tiktoken file of that name.
    pub(crate) fn from_tiktoken(bytes: &[u8], name: &str) -> Result<Self, Error> {
        tiktoken(bytes, Path::new(name), name, &TokenizerConfig::default())
    }

    /// From the bytes of a `tokenizer.json`, as the class means it that the configuration names.
    pub(crate) fn from_json(bytes: &[u8], config: &TokenizerConfig) -> Result<Self, Error> {
        let path = PathBuf::from(TOKENIZER_JSON);
        let file = json::parse(bytes, &path)?;
        let class = classes::choose(config, || file.is_byte_level());
        let bytes = bytes.to_vec();
        from_json(Fast { path, bytes, file }, class, config)
    }

    /// From the bytes of the original files of the class that the configuration names; `None` where
    /// none is read.
    pub(crate) fn from_class(
        bytes: &[u8],
        merges: &[u8],
        config: &TokenizerConfig,
    ) -> Option<Result<Self, Error>> {
        let Class::Known(row) = classes::choose(config, || false) else {
            return None;
        };
        let (path, name) = (Path::new("vocabulary"), "vocabulary");
        let merges = (Path::new(MERGES_TXT), merges);
        Some(of_class(row, (path, bytes), merges, config, None, name))
    }

    /// Takes the frame of a `tokenizer.json`; its tokens are found by their names.
    fn take_frame(&mut self, file: &File) {
        let Some(mut frame) = json::frame(file) else {
            return;
        };
        let name_of = |id: u32| file.added_tokens.iter().find(|token| token.id == id);
        for slot in frame.single.iter_mut().chain(&mut frame.pair) {
            if let Slot::Token(id, _) = slot
                && let Some(own) = name_of(*id).and_then(|token| self.token_to_id(&token.content))
            {
                *id = own;
            }
        }
        self.parts.frame = frame;
    }

    fn eos_token(&self) -> Option<u32> {
        self.special.eos.as_ref().and_then(|name| self.token_to_id(name))
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
            names.iter().find(|name| tokens.named(name).is_some()).map(|&name| name.to_owned())
        };
        SpecialTokens {
            bos: first(&["<|begin_of_text|>"]),
            eos: first(&["<|eot_id|>", "<|im_end|>", "<|end_of_text|>", "<|endoftext|>"]),
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
