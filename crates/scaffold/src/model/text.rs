//! A model's tokenizer and chat format, without its weights.

use std::path::Path;

use scaffold_error::Notice;
use scaffold_formats::{ConfigJson, Gguf};
use scaffold_hub::LocalModel;
use scaffold_text::{ChatTemplate, FamilyHint, LoadOptions as TokenizerOptions, Tokenizer};

use super::vocabulary;
use crate::error::Error;

/// What a model's files say about text. The weights may be missing.
#[derive(Debug)]
pub struct TextFiles {
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// The chat format: the model's template or its family's known format, or why there is none.
    pub template: Result<ChatTemplate, Error>,
    /// What was done in another way than might be expected.
    pub notices: Vec<Notice>,
}

impl TextFiles {
    /// Reads a directory with tokenizer files, or a GGUF file. `name` is the model's name, by which
    /// its family is recognised if it has no template; `fast` prefers `tokenizer.json` to the
    /// model's original tokenizer file.
    ///
    /// # Errors
    /// There is no tokenizer, or it cannot be used.
    pub fn open(path: &Path, name: &str, fast: bool) -> Result<Self, Error> {
        let hint =
            |architecture: Option<String>| FamilyHint { name: Some(name.to_owned()), architecture };
        if path.is_dir() {
            let config = ConfigJson::open(path).ok();
            let family = config.and_then(|config| {
                let family = config.map().get("model_type")?.as_str()?;
                Some(family.to_owned())
            });
            return Self::of_directory(path, fast, &hint(family));
        }
        let gguf = Gguf::open(path)?;
        let family = gguf.metadata().architecture().ok().map(str::to_owned);
        Self::of_gguf(&gguf, &hint(family))
    }

    /// Those of a model's files: where it was asked for as a [model of one's own](crate::made) that
    /// has a template, with that one.
    ///
    /// # Errors
    /// As [`open`](Self::open), and a template that cannot be read.
    pub fn of_local(local: &LocalModel, fast: bool) -> Result<Self, Error> {
        let mut files = Self::open(local.files.path(), &local.name, fast)?;
        if let Some(source) = local.made.as_ref().and_then(|made| made.template.as_ref()) {
            let special = files.tokenizer.special_tokens();
            files.template = Ok(ChatTemplate::from_source(source, special)?);
        }
        Ok(files)
    }

    pub(crate) fn of_gguf(gguf: &Gguf, hint: &FamilyHint) -> Result<Self, Error> {
        let (tokenizer, notices) = vocabulary::tokenizer(gguf.metadata())?;
        let sources = vocabulary::templates(gguf.metadata())?;
        let template = ChatTemplate::from_sources_or_family(sources, &tokenizer, hint);
        Ok(Self::new(tokenizer, notices, template))
    }

    pub(crate) fn of_directory(
        directory: &Path,
        fast: bool,
        hint: &FamilyHint,
    ) -> Result<Self, Error> {
        let options = TokenizerOptions { use_fast: fast };
        let (tokenizer, notices) = Tokenizer::from_dir(directory, &options)?;
        let template = ChatTemplate::from_dir(directory, &tokenizer, hint);
        Ok(Self::new(tokenizer, notices, template))
    }

    fn new(
        tokenizer: Tokenizer,
        mut notices: Vec<Notice>,
        template: Result<(ChatTemplate, Vec<Notice>), Error>,
    ) -> Self {
        let template = template.map(|(template, told)| {
            notices.extend(told);
            template
        });
        Self { tokenizer, template, notices }
    }
}
