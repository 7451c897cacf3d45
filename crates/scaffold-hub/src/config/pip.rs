//! Which package index pip would use: its variables, then its configuration files, then the
//! default.

use std::path::{Path, PathBuf};

/// The index of everybody who configured nothing.
const DEFAULT_INDEX: &str = "https://pypi.org/simple";

/// What pip would find in its environment.
#[derive(Clone, Default)]
pub struct PipEnvironment {
    /// `PIP_INDEX_URL`.
    pub index_url: Option<String>,
    /// `PIP_EXTRA_INDEX_URL`, separated by white space.
    pub extra_index_url: Option<String>,
    /// `PIP_NO_INDEX`.
    pub no_index: Option<String>,
    /// `PIP_CERT`.
    pub cert: Option<PathBuf>,
    /// `PIP_PROXY`.
    pub proxy: Option<String>,
    /// Configuration files, the least important first. None need exist.
    pub config_files: Vec<PathBuf>,
}

// An index's address may contain a password.
impl std::fmt::Debug for PipEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipEnvironment")
            .field("config_files", &self.config_files)
            .finish_non_exhaustive()
    }
}

/// What comes of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct IndexSettings {
    /// In the order they are asked.
    pub(crate) indexes: Vec<String>,
    pub(crate) no_index: bool,
    /// A bundle of certificates to trust.
    pub(crate) cert: Option<PathBuf>,
    pub(crate) proxy: Option<String>,
}

impl PipEnvironment {
    /// Takes pip's variables through `var`, and the places where its configuration files are on
    /// this platform.
    pub(crate) fn from_vars(var: &impl Fn(&str) -> Option<String>, home: &Path) -> PipEnvironment {
        PipEnvironment {
            index_url: var("PIP_INDEX_URL"),
            extra_index_url: var("PIP_EXTRA_INDEX_URL"),
            no_index: var("PIP_NO_INDEX"),
            cert: var("PIP_CERT").map(PathBuf::from),
            proxy: var("PIP_PROXY"),
            config_files: config_files(var, home),
        }
    }

    /// Reads the configuration files and settles what holds.
    pub(crate) fn index_settings(&self) -> IndexSettings {
        let mut options = Options::default();
        for path in &self.config_files {
            if let Ok(text) = std::fs::read_to_string(path) {
                options.read(&text);
            }
        }
        self.settled(&options)
    }

    /// What holds if the text is that of the only configuration file.
    pub(crate) fn settings_of(&self, text: &str) -> IndexSettings {
        let mut options = Options::default();
        options.read(text);
        self.settled(&options)
    }

    fn settled(&self, options: &Options) -> IndexSettings {
        let pick =
            |variable: &Option<String>, key: &str| variable.clone().or_else(|| options.get(key));
        let index = pick(&self.index_url, "index-url").unwrap_or_else(|| DEFAULT_INDEX.to_owned());
        let extra = pick(&self.extra_index_url, "extra-index-url").unwrap_or_default();
        let mut indexes = vec![index.trim().to_owned()];
        indexes.extend(extra.split_whitespace().map(str::to_owned));
        IndexSettings {
            indexes,
            no_index: pick(&self.no_index, "no-index").is_some_and(|v| is_true(&v)),
            cert: self.cert.clone().or_else(|| options.get("cert").map(PathBuf::from)),
            proxy: pick(&self.proxy, "proxy").filter(|p| !p.trim().is_empty()),
        }
    }
}

/// In pip's order: of the system, of the user, of the virtual environment, and the one that is
/// named explicitly.
fn config_files(var: &impl Fn(&str) -> Option<String>, home: &Path) -> Vec<PathBuf> {
    let explicit = var("PIP_CONFIG_FILE").map(PathBuf::from);
    // pip's documented way of switching all of them off.
    if explicit
        .as_deref()
        .is_some_and(|p| p == Path::new("/dev/null") || p.as_os_str().eq_ignore_ascii_case("nul"))
    {
        return Vec::new();
    }
    let name = if cfg!(windows) { "pip.ini" } else { "pip.conf" };
    // Without a home there is nothing of the user's: what lies in the current directory is not.
    let home = Some(home).filter(|home| !home.as_os_str().is_empty());
    let mut files = Vec::new();
    let mut user = Vec::new();
    if cfg!(windows) {
        files.extend(var("PROGRAMDATA").map(|dir| Path::new(&dir).join("pip").join(name)));
        user.extend(home.map(|home| home.join("pip").join(name)));
        user.extend(var("APPDATA").map(|dir| Path::new(&dir).join("pip").join(name)));
    } else {
        if cfg!(target_os = "macos") {
            files.push(PathBuf::from("/Library/Application Support/pip").join(name));
        }
        let xdg = var("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".to_owned());
        // The first directory of the list is the most important one, and pip lets later files win.
        files.extend(
            xdg.split(':')
                .filter(|d| !d.is_empty())
                .rev()
                .map(|dir| Path::new(dir).join("pip").join(name)),
        );
        files.push(Path::new("/etc").join(name));
        user.extend(home.map(|home| home.join(".pip").join(name)));
        let support = home.map(|home| home.join("Library/Application Support/pip"));
        let apple = support.filter(|support| cfg!(target_os = "macos") && support.is_dir());
        if let Some(support) = apple {
            user.push(support.join(name));
        } else {
            let set = var("XDG_CONFIG_HOME").map(PathBuf::from);
            let config = set.or_else(|| Some(home?.join(".config")));
            user.extend(config.map(|config| config.join("pip").join(name)));
        }
    }
    // With an explicit file that exists, pip leaves the user's own out.
    if !explicit.as_deref().is_some_and(Path::exists) {
        files.extend(user);
    }
    files.extend(var("VIRTUAL_ENV").map(|dir| Path::new(&dir).join(name)));
    files.extend(explicit);
    files
}

/// Options by section, later files over earlier ones.
#[derive(Default)]
struct Options(Vec<(String, String, String)>);

impl Options {
    /// Reads an INI file as Python's `RawConfigParser` does: indented lines continue a value.
    fn read(&mut self, text: &str) {
        let mut section = String::new();
        let mut current: Option<(String, String)> = None;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if line.starts_with([' ', '\t'])
                && let Some((_, value)) = &mut current
            {
                value.push('\n');
                value.push_str(trimmed);
                continue;
            }
            self.store(&section, current.take());
            if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
                section = name.trim().to_ascii_lowercase();
            } else if let Some((key, value)) = trimmed.split_once(['=', ':']) {
                current = Some((
                    key.trim().to_ascii_lowercase().replace('_', "-"),
                    value.trim().to_owned(),
                ));
            }
        }
        self.store(&section, current);
    }

    fn store(&mut self, section: &str, option: Option<(String, String)>) {
        if let Some((key, value)) = option {
            self.0.push((section.to_owned(), key, value));
        }
    }

    /// A section of a command goes before `[global]`, wherever it stands. What is done here is
    /// nearest to `pip download`.
    fn get(&self, key: &str) -> Option<String> {
        let last = |section: &str| {
            self.0
                .iter()
                .rev()
                .find(|(s, k, _)| s == section && k == key)
                .map(|(_, _, v)| v.clone())
        };
        ["download", "install", "global"]
            .iter()
            .find_map(|section| last(section))
            .filter(|v| !v.is_empty())
    }
}

fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on", "t", "y"].iter().any(|t| value.trim().eq_ignore_ascii_case(t))
}

#[cfg(test)]
mod tests;
