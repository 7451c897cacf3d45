//! The repositories and numbers under `tests/golden/embed`, put together for tests.

use std::fs;
use std::path::{Path, PathBuf};

use scaffold_hub::{LocalModel, Silent};
use serde::de::DeserializeOwned;

use crate::builder::FromModel;
use crate::config::{Config, Inputs};
use crate::error::Error;
use crate::model::Model;
use crate::options::LoadOptions;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// The numbers in a file under `tests/golden/embed`.
pub(crate) fn numbers<T: DeserializeOwned>(name: &str) -> T {
    let path = golden().join("embed").join(name);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// The repository of `name`: a tiny model's configuration and weights, a tokenizer, and its own
/// files.
pub(crate) fn repository(name: &str, base: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let own = golden().join("embed/tiny");
    for file in ["config.json", "model.safetensors"] {
        let from = golden().join("tiny").join(base).join(file);
        fs::copy(from, directory.path().join(file)).unwrap();
    }
    fs::copy(own.join("tokenizer.json"), directory.path().join("tokenizer.json")).unwrap();
    copy(&own.join(name), directory.path());
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The model that lies in `directory`, loaded with no settings of anybody's.
pub(crate) fn load<T: FromModel>(directory: &Path) -> Result<T, Error> {
    let inputs = Inputs { variable: &|_| None, project: None, file: None, flags: vec![] };
    let model = Model::open(&LocalModel::on_disk(directory), &LoadOptions::default())?;
    T::from_model(&model, &Config::load(inputs)?, Vec::new(), &mut Silent)
}
