//! What can be said of a directory or file on this disk, be its weights there or not.

use std::path::{Path, PathBuf};

use scaffold_formats::{ConfigJson, FormatError, Gguf, Safetensors};
use scaffold_model::{ModelSpec, UnknownKeys};

use super::{CONTEXT, Need, context_token_bytes};
use crate::Error;
use crate::embed::repository::modules;

/// What a directory or file holds, and what it would need to be computed.
#[derive(Clone, Debug)]
pub struct FolderCheck {
    /// What was looked at.
    pub path: PathBuf,
    /// The architecture by its own account.
    pub architecture: Option<String>,
    /// Why it cannot be computed; `None` if it can, once it has what it lacks.
    pub unsupported: Option<String>,
    /// Files that are not there and would have to be.
    pub lacks: Vec<String>,
    /// Keys of its configuration that are passed over.
    pub passed_over: Vec<String>,
    /// What it takes, as far as its configuration tells.
    pub need: Option<Need>,
}

/// Files of which a model needs one, to turn texts into tokens.
const TOKENIZERS: &[&str] = &[
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "vocab.json",
    "vocab.txt",
    "tekken.json",
];

impl FolderCheck {
    /// Looks at a directory with a `config.json`, or at a GGUF file. `memory` is what a model may
    /// take here.
    ///
    /// # Errors
    /// There is nothing at `path`, or it cannot be read. What is wrong with the model itself is no
    /// error but the answer.
    pub fn of(
        path: &Path,
        memory: Option<u64>,
        unknown: UnknownKeys,
    ) -> Result<FolderCheck, Error> {
        let mut check = FolderCheck {
            path: path.to_owned(),
            architecture: None,
            unsupported: None,
            lacks: Vec::new(),
            passed_over: Vec::new(),
            need: None,
        };
        let found = if path.is_dir() {
            let model = modules::transformer(path)?;
            match first_gguf(&model).filter(|_| !model.join("config.json").exists()) {
                Some(file) => check.file(&file),
                None if !model.join("config.json").exists() => {
                    check.unsupported = Some(format!(
                        "{} has neither a config.json nor a .gguf file, so that nothing tells what model it is; name the \
                         directory with a model's own files",
                        model.display()
                    ));
                    return Ok(check);
                }
                None => check.directory(&model, unknown),
            }
        } else {
            check.file(path)
        };
        match found {
            Ok((spec, form, bytes)) => check.need = Some(need(&spec, form, bytes, memory)),
            Err(error) if is_about_the_model(&error) => check.unsupported = Some(error.to_string()),
            Err(error) => return Err(error),
        }
        Ok(check)
    }

    fn file(&mut self, path: &Path) -> Result<(ModelSpec, String, u64), Error> {
        let gguf = Gguf::open(path)?;
        self.architecture = gguf.metadata().architecture().ok().map(str::to_owned);
        let mut spec = ModelSpec::from_gguf(gguf.metadata())?;
        spec.see_vocabulary(&gguf);
        let bytes = gguf.infos().map(|info| info.bytes as u64).sum();
        Ok((spec, "gguf".to_owned(), bytes))
    }

    fn directory(
        &mut self,
        path: &Path,
        unknown: UnknownKeys,
    ) -> Result<(ModelSpec, String, u64), Error> {
        let config = ConfigJson::open(path)?;
        let model_type = config.root().get_str("model_type").ok().flatten();
        self.architecture = model_type.map(str::to_owned);
        if !TOKENIZERS.iter().any(|name| path.join(name).exists()) {
            self.lacks.push("a tokenizer (tokenizer.json, or the model's own kind)".to_owned());
        }
        let spec = ModelSpec::from_config_with(&config, unknown)?;
        self.passed_over.clone_from(&spec.passed_over);
        match Safetensors::open(path) {
            Ok(weights) => {
                let used = weights.infos().filter(|info| !spec.leaves_unused(info));
                let bytes = used.map(|info| info.bytes as u64).sum();
                Ok((spec, "safetensors".to_owned(), bytes))
            }
            Err(error @ FormatError::NoWeights { .. }) => {
                self.lacks.push(format!("weights: {error}"));
                let dtype = ["dtype", "torch_dtype"].into_iter();
                let dtype = dtype.filter_map(|key| config.root().get_str(key).ok().flatten());
                let width = if dtype.clone().any(|dtype| dtype == "float32") { 4 } else { 2 };
                let bytes = spec.parameters() * width;
                Ok((spec, "not here".to_owned(), bytes))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The first of a directory's GGUF files, by name.
fn first_gguf(directory: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.flatten();
    let files = entries.map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|e| e == "gguf")).min()
}

/// Whether an error says something of the model, and not of this disk or this user.
fn is_about_the_model(error: &Error) -> bool {
    error.is_refusal()
}

fn need(spec: &ModelSpec, form: String, bytes: u64, memory: Option<u64>) -> Need {
    let token = context_token_bytes(spec);
    let context = if token == 0 { 0 } else { spec.context.min(CONTEXT) };
    let all = bytes + token * context as u64;
    Need {
        form,
        download: 0,
        memory: all,
        context,
        fits: memory.map(|memory| all <= memory),
        supported: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn check(files: &[(&str, &str)]) -> FolderCheck {
        let dir = folder(files);
        FolderCheck::of(dir.path(), Some(1 << 40), UnknownKeys::Refuse).unwrap()
    }

    #[test]
    fn a_configuration_alone_tells_what_the_model_would_take() {
        let check = check(&[(
            "config.json",
            r#"{"model_type": "llama", "torch_dtype": "float16", "context_window": 8}"#,
        )]);
        assert_eq!((check.architecture.as_deref(), &check.unsupported), (Some("llama"), &None));
        assert_eq!(check.lacks.len(), 2, "{:?}", check.lacks);
        assert_eq!(check.passed_over, ["context_window"]);
        // Llama 2 7B, whose sizes are the class's own, with 4096 tokens in the cache or as many as
        // it was made for.
        let need = check.need.unwrap();
        assert_eq!(need.context, 2048);
        assert!((13.4e9..14.7e9).contains(&(need.memory as f64)), "{}", need.memory);
        assert_eq!(need.fits, Some(true));
    }

    #[test]
    fn what_cannot_be_computed_is_said_with_the_reason() {
        for (config, reason) in [
            (r#"{"model_type": "mamba2", "time_step_limit": [0.0, Infinity]}"#, "`mamba2`"),
            (r#"{"architectures": ["X"]}"#, "model_type"),
            (
                r#"{"model_type": "llama", "quantization_config": {"bits": 4}}"#,
                "quantization_config",
            ),
            (r#"{"model_type": "#, "not valid JSON"),
        ] {
            let check = check(&[("config.json", config)]);
            let said = check.unsupported.unwrap();
            assert!(said.contains(reason), "{said}");
            assert!(check.need.is_none());
        }
    }

    #[test]
    fn a_whole_model_lacks_nothing_but_its_tokenizer() {
        let llama = scaffold_testing::golden::tiny("llama");
        let check = FolderCheck::of(&llama.dir, None, UnknownKeys::Refuse).unwrap();
        assert_eq!((check.lacks.len(), check.need.unwrap().form.as_str()), (1, "safetensors"));
        let nothing = self::check(&[]).unsupported.unwrap();
        assert!(nothing.contains("neither a config.json"), "{nothing}");
        let missing = FolderCheck::of(Path::new("/nowhere"), None, UnknownKeys::Refuse);
        assert!(!missing.unwrap_err().is_refusal());
    }
}
