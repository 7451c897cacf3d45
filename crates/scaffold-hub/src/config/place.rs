//! The directories of models: absolute, or none.
//!
//! Without a home directory and without a setting there is no place for a model. That is an error
//! of whoever reads or writes one there, not of a program that never does; and never is it the
//! current directory.

use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};

use super::HubConfig;
use crate::made::MadeStore;

/// Counts a path from the current directory. An empty one, which is no place, stays so, and so does
/// one where nobody knows the current directory: [`usable`] refuses both.
pub(super) fn absolute(path: impl Into<PathBuf>) -> PathBuf {
    let path = path.into();
    std::path::absolute(&path).unwrap_or(path)
}

/// What is called `name` in a directory; no place in no place.
pub(super) fn below(dir: &Path, name: &str) -> PathBuf {
    if dir.as_os_str().is_empty() { PathBuf::new() } else { dir.join(name) }
}

/// What is called `name` beside a file; no place beside none.
pub(super) fn beside(file: &Path, name: &str) -> PathBuf {
    if file.as_os_str().is_empty() { PathBuf::new() } else { file.with_file_name(name) }
}

/// The path, if it is a place at all.
fn usable<'a>(path: &'a Path, what: &str, key: &str, remedy: &str) -> Result<&'a Path, Error> {
    if path.is_absolute() {
        return Ok(path);
    }
    let problem = if path.as_os_str().is_empty() {
        err!(
            Usage,
            "there is no place for {what}: this user has no home directory (HOME), and {key} is not set"
        )
    } else {
        err!(
            Usage,
            "`{}` is no place for {what}: it depends on the current directory, which is not known",
            path.display()
        )
    };
    Err(problem.of_key(key).remedy(remedy))
}

impl HubConfig {
    /// The cache of repositories, for whoever reads or writes it.
    ///
    /// # Errors
    /// There is no home directory, and no setting says where it lies.
    pub fn hub_cache(&self) -> Result<&Path, Error> {
        let remedy = "set HF_HOME (or HF_HUB_CACHE) to a directory for the models";
        usable(&self.cache_dir, "models of the Hub", "HF_HOME", remedy)
    }

    /// Where models from package indexes lie, for whoever reads or writes them.
    ///
    /// # Errors
    /// There is no home directory, and no setting says where they lie.
    pub fn package_cache(&self) -> Result<&Path, Error> {
        let remedy = "set SCAFFOLD_CACHE to a directory for them";
        usable(&self.packages_dir, "models from package indexes", "SCAFFOLD_CACHE", remedy)
    }

    /// The models of one's own, for whoever reads or writes them.
    ///
    /// # Errors
    /// There is no home directory, and no setting says where they lie.
    pub fn made_models(&self) -> Result<MadeStore, Error> {
        let remedy = "set SCAFFOLD_MODELS to a directory for them";
        let dir = usable(&self.made_dir, "models of your own", "SCAFFOLD_MODELS", remedy)?;
        Ok(MadeStore::new(dir))
    }

    /// Whether models can lie anywhere, for whoever looks through all places.
    ///
    /// # Errors
    /// There is no home directory, and no setting names any place.
    pub fn any_cache(&self) -> Result<(), Error> {
        let cache = self.hub_cache().or_else(|nowhere| self.package_cache().map_err(|_| nowhere));
        cache.map(|_| ()).or_else(|nowhere| self.made_models().map(|_| ()).map_err(|_| nowhere))
    }

    /// The file of the token in use, for whoever writes it.
    ///
    /// # Errors
    /// There is no home directory, and no setting says where it lies.
    pub fn token_file(&self) -> Result<&Path, Error> {
        let remedy = "set HF_HOME to a directory for it (or HF_TOKEN_PATH to a file)";
        usable(&self.token_files.active, "an access token", "HF_HOME", remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> HubConfig {
        let find = |name: &str| vars.iter().find(|(key, _)| *key == name);
        HubConfig::from_vars(|name| find(name).map(|(_, value)| (*value).to_owned()), "")
    }

    #[test]
    fn without_a_home_nothing_lies_in_the_current_directory() {
        let config = config(&[]);
        let paths = [
            &config.hf_home,
            &config.cache_dir,
            &config.packages_dir,
            &config.made_dir,
            &config.token_files.active,
            &config.token_files.stored,
        ];
        assert!(paths.iter().all(|path| path.as_os_str().is_empty()), "{paths:?}");
        let read = config.ollama_dirs.iter().chain(&config.pip.config_files);
        assert!(read.clone().all(|path| path.is_absolute()), "{config:?}");
        for (refused, setting) in [
            (config.hub_cache(), "HF_HOME"),
            (config.package_cache(), "SCAFFOLD_CACHE"),
            (config.made_models().map(|_| Path::new("")), "SCAFFOLD_MODELS"),
            (config.token_file(), "HF_HOME"),
        ] {
            let error = refused.unwrap_err();
            let told = format!("{error}{:?}", error.remedies());
            assert!(told.contains(setting) && told.contains("HOME"), "{told}");
        }
    }

    #[test]
    fn a_setting_is_enough_and_counts_from_the_current_directory() {
        let here = std::env::current_dir().unwrap();
        let set = config(&[("HF_HOME", "models"), ("SCAFFOLD_CACHE", "./ours")]);
        assert_eq!(set.hub_cache().unwrap(), here.join("models/hub"));
        assert_eq!(set.package_cache().unwrap(), here.join("ours/packages"));
        assert_eq!(set.token_file().unwrap(), here.join("models/token"));
        assert!(config(&[]).any_cache().is_err());
        assert!(config(&[("SCAFFOLD_CACHE", "/a")]).any_cache().is_ok());
        assert!(config(&[("SCAFFOLD_MODELS", "/a")]).any_cache().is_ok());
        let set = config(&[("HF_HUB_CACHE", "/a"), ("XDG_CACHE_HOME", "x")]);
        assert_eq!(set.hub_cache().unwrap(), Path::new("/a"));
        assert_eq!(set.package_cache().unwrap(), here.join("x/scaffold/packages"));
        let set = config(&[("XDG_DATA_HOME", "x")]);
        assert_eq!(set.made_models().unwrap().dir(), here.join("x/scaffold/models"));
        assert_eq!(HubConfig::new("x").cache_dir, here.join("x/.cache/huggingface/hub"));
    }

    #[test]
    fn a_tilde_without_a_home_is_a_problem_and_no_directory() {
        let config = config(&[("HF_HOME", "~/models")]);
        let problem = config.problems[0].to_string();
        assert!(problem.contains("HF_HOME") && problem.contains("home"), "{problem}");
        assert!(config.cache_dir.as_os_str().is_empty(), "{:?}", config.cache_dir);
    }
}
