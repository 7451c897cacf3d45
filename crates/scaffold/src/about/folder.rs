//! What can be said of a directory or file on this disk, be its weights there or not.

use std::path::{Path, PathBuf};

use scaffold_files::directory_has_tokenizer;
use scaffold_formats::{ConfigJson, Gguf, Safetensors};
use scaffold_model::ModelSpec;

use super::{Need, stored_width};
use crate::embed::repository::modules;
use crate::error::Error;
use crate::memory::{self, Listed, Size};
use crate::options::LoadOptions;

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

impl FolderCheck {
    /// Looks at a directory with a `config.json`, or at a GGUF file, that is to be loaded with
    /// `options`.
    ///
    /// # Errors
    /// There is nothing at `path`, or it cannot be read. What is wrong with the model itself is no
    /// error but the answer.
    pub fn of(path: &Path, options: &LoadOptions) -> Result<FolderCheck, Error> {
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
                Some(file) => check.file(&file, options),
                None if !model.join("config.json").exists() => {
                    check.unsupported = Some(format!(
                        "{} has neither a config.json nor a .gguf file, so that nothing tells what model it is; name the \
                         directory with a model's own files",
                        model.display()
                    ));
                    return Ok(check);
                }
                None => check.directory(&model, options),
            }
        } else {
            check.file(path, options)
        };
        match found {
            Ok(need) => check.need = Some(need),
            Err(error) if error.is_refusal() => check.unsupported = Some(error.to_string()),
            Err(error) => return Err(error),
        }
        Ok(check)
    }

    fn file(&mut self, path: &Path, options: &LoadOptions) -> Result<Need, Error> {
        memory::ask_to_map(path)?;
        let gguf = Gguf::open(path)?;
        self.architecture = gguf.metadata().architecture().ok().map(str::to_owned);
        let mut spec = ModelSpec::from_gguf(gguf.metadata())?;
        spec.see_vocabulary(&gguf);
        let available = options.memory.available();
        let size_of = |options: &LoadOptions| Size::of(&gguf, &spec, options.precision());
        Need::decided("gguf", Some(&spec), options, available, size_of)
    }

    fn directory(&mut self, path: &Path, options: &LoadOptions) -> Result<Need, Error> {
        memory::ask_to_map(path)?;
        let config = ConfigJson::open(path)?;
        let model_type = config.root().get_str("model_type").ok().flatten();
        self.architecture = model_type.map(str::to_owned);
        if !directory_has_tokenizer(path) {
            self.lacks.push("a tokenizer (tokenizer.json, or the model's own kind)".to_owned());
        }
        let spec = ModelSpec::from_config_with(&config, options.unknown_keys)?;
        self.passed_over.clone_from(&spec.passed_over);
        let available = options.memory.available();
        match Safetensors::open(path) {
            Ok(weights) => {
                let size_of =
                    |options: &LoadOptions| Size::of(&weights, &spec, options.precision());
                Need::decided("safetensors", Some(&spec), options, available, size_of)
            }
            Err(error) if !Safetensors::is_in(path) => {
                self.lacks.push(format!("weights: {error}"));
                let width = stored_width(&config);
                let bytes = spec.parameters().saturating_mul(width as u64);
                let listed = Listed::Floats(width);
                let size_of = |options: &LoadOptions| {
                    Ok(Size::of_listing(Some(&spec), bytes, listed, options.precision()))
                };
                Need::decided("not here", Some(&spec), options, available, size_of)
            }
            Err(error) => Err(error),
        }
    }
}

/// The first of a directory's GGUF files, by name.
fn first_gguf(directory: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.flatten();
    let files = entries.map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|e| e == "gguf")).min()
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
        let options = LoadOptions {
            memory: crate::MemoryLimit::Bytes(1 << 40),
            max_sequences: 1,
            ..LoadOptions::default()
        };
        FolderCheck::of(dir.path(), &options).unwrap()
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
        assert_eq!(need.memory().context, 2048);
        assert!((13.4e9..14.7e9).contains(&(need.memory().total() as f64)), "{}", need.text());
        assert_eq!((need.fits(), need.is_estimate), (Some(true), true));
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
        let check = FolderCheck::of(&llama.dir, &LoadOptions::default()).unwrap();
        assert_eq!((check.lacks.len(), check.need.unwrap().form.as_str()), (1, "safetensors"));
        let nothing = self::check(&[]).unsupported.unwrap();
        assert!(nothing.contains("neither a config.json"), "{nothing}");
        let missing = FolderCheck::of(Path::new("/nowhere"), &LoadOptions::default());
        assert!(!missing.unwrap_err().is_refusal());
    }
}
