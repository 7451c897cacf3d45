//! A model's files, opened: what the model is, its tensors, its text side.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use scaffold_error::{Notice, Topic};
use scaffold_formats::{ConfigJson, Gguf, Safetensors, TensorSource};
use scaffold_hub::{LocalModel, ModelFiles};
use scaffold_model::{Kind, ModelSpec};
use scaffold_text::{FamilyHint, FillInMiddle, Tokenizer};

use super::text::TextFiles;
use super::vocabulary;
use crate::config::Quantize;
use crate::embed::repository::modules;
use crate::error::Error;
use crate::memory::{self, Need, Size};
use crate::options::{LoadOptions, MemoryLimit};
use crate::packed::Seen;

/// A model's files, mapped and checked, with nothing of it computed yet.
///
/// ```no_run
/// use scaffold::config::Config;
/// use scaffold::hub::Silent;
/// use scaffold::{LoadOptions, Model};
///
/// let config = Config::of_process()?;
/// let files = scaffold::locate::locate(&config, "starter", &mut Silent)?;
/// let model = Model::open(&files, &LoadOptions::from(&config))?;
/// println!("{} layers, {}", model.spec().layers.len(), model.need()?.text());
/// # Ok::<(), scaffold::Error>(())
/// ```
#[derive(Debug)]
pub struct Model {
    local: LocalModel,
    path: PathBuf,
    seen: Option<Seen>,
    spec: ModelSpec,
    tensors: Tensors,
    options: LoadOptions,
    /// Whether what the weights become was left to the memory that there is.
    decided: bool,
    begun: Instant,
}

#[derive(Debug)]
enum Tensors {
    Gguf(Box<Gguf>),
    Safetensors(Box<Safetensors>),
}

impl Model {
    /// Opens a GGUF file (of a split one, the first part), or a directory with `config.json` and
    /// safetensors. Of a `sentence-transformers` repository that has parts, it is the transformer.
    ///
    /// # Errors
    /// The files are not what they claim to be, the architecture is not supported, or the process
    /// may not map so much.
    pub fn open(local: &LocalModel, options: &LoadOptions) -> Result<Self, Error> {
        let begun = Instant::now();
        let path = match &local.files {
            ModelFiles::Directory(root) => modules::transformer(root)?,
            ModelFiles::Gguf(path) => path.clone(),
        };
        memory::ask_to_map(&path)?;
        // Before anything is opened, so that what is kept never belongs to later files.
        let seen = options.keeps().then(|| Seen::now(&path)).flatten();
        let (spec, tensors) = if path.is_dir() {
            let config = ConfigJson::open(&path)?;
            let spec = ModelSpec::from_config_with(&config, options.unknown_keys)?;
            (spec, Tensors::Safetensors(Box::new(Safetensors::open(&path)?)))
        } else {
            let gguf = Gguf::open(&path)?;
            let mut spec = ModelSpec::from_gguf(gguf.metadata())?;
            spec.see_vocabulary(&gguf);
            (spec, Tensors::Gguf(Box::new(gguf)))
        };
        let (local, options) = (local.clone(), options.clone());
        let mut model = Self { local, path, seen, spec, tensors, options, decided: false, begun };
        model.decide()?;
        Ok(model)
    }

    /// Decides what the weights become where that is left to the memory that there is.
    fn decide(&mut self) -> Result<(), Error> {
        if self.options.quantize != Quantize::Auto {
            return Ok(());
        }
        let available = self.options.memory.available();
        // What cannot be computed with at all is said before any choice.
        self.size_with(&self.options)?;
        let size_of = |options: &LoadOptions| self.size_with(options);
        self.options = memory::decide(Some(&self.spec), &self.options, available, size_of);
        self.decided = true;
        Ok(())
    }

    /// The files, and where they came from.
    pub fn local(&self) -> &LocalModel {
        &self.local
    }

    /// The model's name, in its full form.
    pub fn name(&self) -> &str {
        &self.local.name
    }

    /// The directory or file of the weights.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the model is.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// How it is to be loaded.
    pub fn options(&self) -> &LoadOptions {
        &self.options
    }

    /// How much memory it may take, in place of what it was opened with.
    pub(crate) fn set_memory(&mut self, memory: MemoryLimit) {
        self.options.memory = memory;
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &dyn TensorSource {
        match &self.tensors {
            Tensors::Gguf(gguf) => &**gguf,
            Tensors::Safetensors(safetensors) => &**safetensors,
        }
    }

    /// The GGUF file, if it is one: it also holds the vocabulary and the chat template.
    pub fn gguf(&self) -> Option<&Gguf> {
        match &self.tensors {
            Tensors::Gguf(gguf) => Some(gguf),
            Tensors::Safetensors(_) => None,
        }
    }

    /// The checkpoint, if it is one.
    pub(crate) fn safetensors(&self) -> Option<&Safetensors> {
        match &self.tensors {
            Tensors::Safetensors(safetensors) => Some(safetensors),
            Tensors::Gguf(_) => None,
        }
    }

    /// Bytes of the weights as they are stored.
    pub(crate) fn weight_bytes(&self) -> u64 {
        let tensors = self.tensors();
        let infos = tensors.names().into_iter().filter_map(|name| tensors.info(name));
        infos.map(|info| info.bytes as u64).sum()
    }

    /// The tokenizer and the chat format, which are read now.
    ///
    /// # Errors
    /// There is no tokenizer, or it cannot be used.
    pub fn text(&self) -> Result<TextFiles, Error> {
        let hint = FamilyHint {
            name: Some(self.name().to_owned()),
            architecture: Some(self.spec.family.to_owned()),
        };
        match self.gguf() {
            Some(gguf) => TextFiles::of_gguf(gguf, &hint),
            None => TextFiles::of_directory(&self.path, self.options.fast_tokenizer, &hint),
        }
    }

    /// How it is asked for what stands between two texts, if it can be.
    ///
    /// # Errors
    /// The file holds something unexpected.
    pub fn fill_in_middle(&self, tokenizer: &Tokenizer) -> Result<Option<FillInMiddle>, Error> {
        let named = match self.gguf() {
            Some(gguf) => vocabulary::fill_in_middle(gguf.metadata(), tokenizer)?,
            None => None,
        };
        let writes = matches!(self.spec.kind, Kind::Decoder(_));
        Ok(named.or_else(|| FillInMiddle::of(tokenizer)).filter(|_| writes))
    }

    /// What it needs of memory, against what there is now.
    ///
    /// # Errors
    /// A weight cannot be computed with.
    pub fn need(&self) -> Result<Need, Error> {
        let size = self.size()?;
        let (form, available) = (size.stored.name(), self.options.memory.available());
        Ok(Need::new(form, Some(&self.spec), &size, &self.options, available))
    }

    pub(crate) fn size(&self) -> Result<Size, Error> {
        self.size_with(&self.options)
    }

    fn size_with(&self, options: &LoadOptions) -> Result<Size, Error> {
        Size::of(self.tensors(), &self.spec, options.precision())
    }

    /// What the user should know about how the configuration was read.
    pub fn notices(&self) -> Vec<Notice> {
        self.passed_over().into_iter().chain(self.decision()).collect()
    }

    /// What was decided of the weights.
    fn decision(&self) -> Option<Notice> {
        let quantize = self.options.quantize;
        let text = match quantize {
            _ if !self.decided => return None,
            Quantize::None => {
                "LLM_QUANTIZE is auto: the weights fit into memory as they are stored".to_owned()
            }
            _ => format!(
                "LLM_QUANTIZE is auto: the weights become {quantize}, the finest that fits into memory here"
            ),
        };
        Some(Notice::new(Topic::Files, text))
    }

    fn passed_over(&self) -> Option<Notice> {
        let (keys, family) = (&self.spec.passed_over, self.spec.family);
        if keys.is_empty() {
            return None;
        }
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let text = format!(
            "the model's config.json has {}, which transformers does not read for a {family} model: it was passed over",
            keys.join(", ")
        );
        Some(Notice::new(Topic::Files, text))
    }

    /// How long ago its files began to be opened.
    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Its files as they were before they were opened, where something of it is to be kept.
    pub(crate) fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<Model, Error> {
        Model::open(&LocalModel::on_disk(path), &LoadOptions::default())
    }

    #[test]
    fn a_directory_is_opened_by_its_config() {
        let llama = scaffold_testing::golden::tiny("llama");
        let model = open(&llama.dir).unwrap();
        assert_eq!((model.spec().family, model.spec().vocab), ("llama", 512));
        assert!(model.gguf().is_none());
        assert!(model.tensors().names().contains(&"model.embed_tokens.weight"));
    }

    #[test]
    fn what_is_missing_is_the_environments_fault_and_what_is_wrong_is_refused() {
        let missing = open(Path::new("/nowhere/model.gguf")).unwrap_err();
        assert!(
            !missing.is_refusal() && missing.to_string().contains("/nowhere/model.gguf"),
            "{missing}"
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.gguf");
        std::fs::write(&path, "GGUF").unwrap();
        let wrong = open(&path).unwrap_err();
        assert!(wrong.is_refusal() && wrong.to_string().contains("model.gguf"), "{wrong}");
    }
}
