//! Tokenizer classes. A model's tokenizer files are not the whole truth: which tokens stand around
//! a text, where ids begin, whether letters are lowered, stands in the class that the configuration
//! names, and in its settings. This is what `transformers` 5.24 makes of them.

mod adding;
mod byte_pairs;
mod class;
mod languages;
mod model_types;
mod pieces;
mod pipeline;
mod spm_file;
mod table;
mod word_pieces;

pub(crate) use adding::Adding;
pub(crate) use class::{Files, Row};

use crate::added::{AddedToken, JsonAddedToken};
use crate::config::{Named, TokenizerConfig};
use crate::json::{File, Vocabulary};
use crate::special::SpecialTokens;
use crate::unusable::unusable;
use class::Source;
use scaffold_error::{Error, Kind};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use table::{TABLE, UNREAD};

/// What a folder's tokenizer is.
#[derive(Clone, Copy)]
pub(crate) enum Class {
    /// What its `tokenizer.json` says, or its `tokenizer.model` by itself.
    Generic,
    Known(&'static Row),
    /// A class whose original files are not read, and why.
    Unread(&'static str, &'static str),
}

fn find(name: &str) -> Option<Class> {
    let name = name.strip_suffix("Fast").unwrap_or(name);
    let known = TABLE.iter().find(|row| row.names.contains(&name));
    let unread = || UNREAD.iter().find(|(unread, _)| *unread == name);
    known.map(Class::Known).or_else(|| unread().map(|&(name, why)| Class::Unread(name, why)))
}

/// The class of a folder's tokenizer. `byte_level` says whether its `tokenizer.json` works on
/// bytes.
pub(crate) fn choose(config: &TokenizerConfig, byte_level: impl FnOnce() -> bool) -> Class {
    let plain = |name: &str| name.strip_suffix("Fast").unwrap_or(name).to_owned();
    let model_type = config.model_type.as_deref().unwrap_or_default();
    let mislabelled = model_types::is_mislabelled(model_type);
    let declared = config.tokenizer_class.as_deref().or(config.model_class.as_deref()).map(plain);
    let registered = model_types::class_of(model_type);
    let Some(declared) = declared else {
        return registered.and_then(find).unwrap_or(Class::Generic);
    };
    // Published files of Llama 3 and others name the class of Llama 2.
    if declared == "LlamaTokenizer"
        && !mislabelled
        && !model_types::is_mistral(model_type)
        && byte_level()
    {
        return Class::Generic;
    }
    let name = match registered {
        Some(registered) if registered == declared => registered,
        Some(model_types::GENERIC) => return Class::Generic,
        Some(registered) if mislabelled => registered,
        _ => declared.as_str(),
    };
    find(name).unwrap_or(Class::Generic)
}

/// A tokenizer as its class means it.
pub(crate) struct Meant {
    pub(crate) file: File,
    pub(crate) special: SpecialTokens,
    /// Whether parts of the file were replaced by what the class prescribes.
    pub(crate) changed: bool,
}

/// What SentencePiece files say beside their pieces.
#[derive(Default)]
pub(crate) struct Beside {
    charsmap: Option<String>,
    unknown: Option<usize>,
    pieces: Option<Vec<Named>>,
}

/// What a `tokenizer.json` says beside its vocabulary.
#[derive(Default)]
pub(crate) struct Given {
    /// Whether there is one.
    there: bool,
    added_tokens: Vec<JsonAddedToken>,
    post_processor: Option<Value>,
}

impl Given {
    pub(crate) fn of(file: &File) -> Self {
        Given {
            there: true,
            added_tokens: file.added_tokens.clone(),
            post_processor: file.post_processor.clone().filter(|post| !post.is_null()),
        }
    }
}

/// The ids of a vocabulary by its tokens.
fn ids(vocabulary: Option<&Vocabulary>) -> HashMap<&str, u32> {
    match vocabulary {
        Some(Vocabulary::Tokens(tokens)) => {
            tokens.iter().map(|(name, id)| (name.as_str(), *id)).collect()
        }
        Some(Vocabulary::Scored(pieces)) => {
            pieces.iter().zip(0..).map(|((name, _), id)| (name.as_str(), id)).collect()
        }
        None => HashMap::new(),
    }
}

fn listed(tokens: Vec<AddedToken>) -> Vec<JsonAddedToken> {
    tokens
        .into_iter()
        .map(|token| JsonAddedToken {
            id: token.id,
            content: token.content,
            single_word: token.single_word,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            normalized: Some(token.normalized),
            special: token.special,
        })
        .collect()
}

fn tokens(listed: &[JsonAddedToken]) -> Vec<AddedToken> {
    let tokens = listed.iter().cloned();
    tokens.map(JsonAddedToken::into_token).collect()
}

/// A `tokenizer.json` as its class means it.
pub(crate) fn of_json(class: Class, file: File, config: &TokenizerConfig) -> Result<Meant, Error> {
    let given = Given::of(&file);
    let mut config = config.clone();
    // The file's frame counts, and not these.
    config.settings.remove("add_bos_token");
    config.settings.remove("add_eos_token");
    match class {
        Class::Known(row) => {
            let beside =
                Beside { charsmap: precompiled(file.normalizer.as_ref()), ..Beside::default() };
            meant(row, (file, row.keeps_file), &config, &given, &beside)
        }
        Class::Generic | Class::Unread(..) => Ok(as_it_stands(file, config, &given)),
    }
}

/// The table of replacements in a normalizer.
fn precompiled(normalizer: Option<&Value>) -> Option<String> {
    let normalizer = normalizer?;
    let steps = normalizer["normalizers"]
        .as_array()
        .map_or(std::slice::from_ref(normalizer), Vec::as_slice);
    let step = steps.iter().find(|step| step["type"] == "Precompiled")?;
    step["precompiled_charsmap"].as_str().map(str::to_owned)
}

/// The file, with the tokens that only the configuration names.
fn as_it_stands(mut file: File, mut config: TokenizerConfig, given: &Given) -> Meant {
    config.list_tokens(&tokens(&given.added_tokens));
    let extra = config.extra.clone().or(config.additional.clone());
    let added = {
        let mut adding = Adding::new(ids(file.model.vocab.as_ref()));
        adding.keep(tokens(&given.added_tokens));
        adding.add_configured(&config, &extra.unwrap_or_default());
        adding.into_tokens()
    };
    file.added_tokens = listed(added);
    Meant { file, special: config.special(), changed: false }
}

/// A vocabulary as the class of `row` means it; of a file that `stands`, only tokens and frame
/// change.
fn meant(
    row: &Row,
    (mut file, stands): (File, bool),
    config: &TokenizerConfig,
    given: &Given,
    beside: &Beside,
) -> Result<Meant, Error> {
    let mut config = config.clone();
    if given.there {
        config.list_tokens(&tokens(&given.added_tokens));
    }
    row.complete(&mut config);
    let Some(vocabulary) = file.model.vocab.take() else {
        return Ok(as_it_stands(file, config, given));
    };
    let source = Source {
        vocabulary: &vocabulary,
        charsmap: beside.charsmap.as_deref(),
        unknown: beside.unknown,
        pieces: beside.pieces.as_deref(),
    };
    let pipeline = (row.pipeline)(&config, &source);
    let wants_scores = pipeline.model.kind.as_deref() == Some("Unigram");
    let wants_merges = pipeline.model.kind.as_deref() == Some("BPE");
    if wants_scores != matches!(vocabulary, Vocabulary::Scored(_))
        || wants_merges != file.model.merges.is_some()
    {
        // The file describes another kind of tokenizer than its class: it is complete, and counts.
        file.model.vocab = Some(vocabulary);
        return Ok(as_it_stands(file, config, given));
    }
    let (post_processor, added) = {
        let mut adding = Adding::new(ids(Some(&vocabulary)));
        adding.add_configured(&config, &pipeline.extra);
        if pipeline.plain_specials {
            let named = config.named.iter().map(|(_, token)| token);
            let all = named.chain(&pipeline.extra);
            let plain = all.map(|token| Named::new(token.content.as_str()).token(true));
            adding.add(plain.collect::<Vec<_>>());
        }
        let given = given.post_processor.clone();
        let post = pipeline.frame.processor(&config, &adding, given)?;
        (post, adding.into_tokens())
    };
    file.added_tokens = listed(added);
    file.post_processor = Some(post_processor);
    file.model.vocab = Some(vocabulary);
    if !stands {
        let (vocab, merges) = (file.model.vocab.take(), file.model.merges.take());
        file.model = pipeline.model;
        (file.model.vocab, file.model.merges) = (vocab, merges);
        file.normalizer = pipeline.normalizer;
        file.pre_tokenizer = Some(pipeline.pre_tokenizer);
        file.decoder = Some(pipeline.decoder);
    }
    Ok(Meant { file, special: config.special(), changed: true })
}

impl Row {
    /// The name by which the class is known best.
    pub(crate) fn name(&self) -> &'static str {
        self.names[0]
    }

    /// Gives the special tokens the names and manners of the class where the configuration says
    /// nothing.
    fn complete(&self, config: &mut TokenizerConfig) {
        let defaults: Vec<(&str, Named)> =
            self.roles.iter().map(|&(role, name)| (role, Named::new(name))).collect();
        config.complete(&defaults);
        if self.names.contains(&"CodeLlamaTokenizer") {
            let settings = &mut config.settings;
            settings.entry("add_bos_token").or_insert(Value::Bool(true));
        }
        for (role, token) in &mut config.named {
            if self.mask_strips && role == "mask_token" && token.special.is_none() {
                *token = Named {
                    normalized: (self.names == ["NllbTokenizer"]).then_some(true),
                    ..Named::lstrip(std::mem::take(&mut token.content))
                };
            }
        }
    }

    /// The tokenizer of the class's own files; `given` is the `tokenizer.json` beside them.
    /// `merges` counts where the class has such a file.
    pub(crate) fn of_files(
        &self,
        file: (&Path, &[u8]),
        merges: (&Path, &[u8]),
        config: &TokenizerConfig,
        given: &Given,
    ) -> Result<Meant, Error> {
        let mut config = config.clone();
        if given.there {
            config.settings.remove("add_bos_token");
            config.settings.remove("add_eos_token");
        }
        let (path, bytes) = file;
        let (file, beside) = match self.files {
            Files::Words => (word_pieces::read(bytes, path)?, Beside::default()),
            Files::Pairs => (byte_pairs::read(file, merges)?, Beside::default()),
            Files::Pieces(_, layout) => {
                let mut completed = config.clone();
                self.complete(&mut completed);
                let (file, beside) = spm_file::read(bytes, path, layout, self.merges, &completed)?;
                // A `tokenizer.json` has them among its added tokens.
                let kept = Beside { charsmap: beside.charsmap.clone(), ..Beside::default() };
                (file, if given.there { kept } else { beside })
            }
            Files::Unread(why) => {
                return Err(unusable(
                    Kind::Unsupported,
                    path,
                    format!("the files of {} are not read: {why}", self.name()),
                    "Fetch the model's tokenizer.json",
                ));
            }
        };
        meant(self, (file, false), &config, given, &beside)
    }
}
