//! Which models exist as a package, and as which.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::local::{LocalModel, ModelFiles, Source};

/// A package that holds a model.
#[derive(Debug, Clone, Deserialize)]
pub struct PackageSource {
    /// The repository that it stands in for.
    pub repo: String,
    /// The package's name.
    pub package: String,
    /// The exact version.
    pub version: String,
    /// The model's licence.
    pub licence: String,
    /// The files that are taken out of it.
    pub members: Vec<Member>,
}

/// One file of a package.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// Its name in the archive.
    pub member: String,
    /// Where it is put, below the package's directory.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its hash.
    pub sha256: String,
}

/// All known packages.
pub fn table() -> &'static [PackageSource] {
    static TABLE: OnceLock<Vec<PackageSource>> = OnceLock::new();
    // The file is part of the program, and a test parses it.
    TABLE.get_or_init(|| {
        serde_json::from_str(include_str!("../../data/packages.json")).unwrap_or_default()
    })
}

impl PackageSource {
    /// The directory that it is unpacked to.
    pub(crate) fn dir(&self, packages: &Path) -> PathBuf {
        packages.join(format!("{}-{}", self.package, self.version))
    }

    pub(super) fn title(&self) -> String {
        format!("{} {}", self.package, self.version)
    }

    pub(super) fn model(&self, dir: &Path, index: Option<String>) -> LocalModel {
        let gguf = self
            .members
            .iter()
            .find(|m| Path::new(&m.path).extension().is_some_and(|e| e == "gguf"));
        let files = match gguf {
            Some(member) => ModelFiles::Gguf(dir.join(&member.path)),
            None => ModelFiles::Directory(dir.to_owned()),
        };
        let source = Source::Package { package: self.title(), index };
        LocalModel {
            name: self.repo.clone(),
            files,
            source,
            revision: None,
            ollama: None,
            made: None,
        }
    }
}
