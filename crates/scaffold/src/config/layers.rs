//! The sources, one above the other: the first that has a value for a key rules.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, Notice, Topic, err};
use scaffold_hub::{Address, NotText, PathProblem, decode_text, nearest};

use super::inputs::Inputs;
use super::key::Key;
use super::source::{Setting, Source};
use super::{dotenv, toml_file, value};

/// A value as it was written.
struct Raw {
    key: Key,
    /// The name that the source used.
    name: &'static str,
    text: String,
    source: Source,
}

/// Every value that any source has, in the order of the sources.
pub(super) struct Layers<'a> {
    environment: &'a dyn Fn(&str) -> Option<OsString>,
    values: Vec<Raw>,
    notices: Vec<Notice>,
    project: PathBuf,
    /// What `.env` says, ours and others', for `$NAME` in paths.
    dotenv: HashMap<String, String>,
}

impl<'a> Layers<'a> {
    pub(super) fn gather(inputs: Inputs<'a>) -> Result<Layers<'a>, Error> {
        let mut layers = Layers {
            environment: inputs.variable,
            values: Vec::new(),
            notices: Vec::new(),
            project: inputs.project.clone().unwrap_or_default(),
            dotenv: HashMap::new(),
        };
        for flag in inputs.flags {
            let source = Source::Flag(flag.name.to_owned());
            layers.values.push(Raw { key: flag.key, name: flag.name, text: flag.value, source });
        }
        layers.add_environment()?;
        if let Some(project) = &inputs.project {
            layers.add_dotenv(&project.join(".env"))?;
        }
        match (inputs.file, inputs.project) {
            (Some(file), _) => layers.add_toml(&file, Required::Yes)?,
            (None, Some(project)) => {
                layers.add_toml(&project.join("scaffold.toml"), Required::No)?;
            }
            (None, None) => {}
        }
        Ok(layers)
    }

    fn add_environment(&mut self) -> Result<(), Error> {
        for key in Key::all() {
            for &name in key.info().names {
                let Some(value) = (self.environment)(name).filter(|value| !value.is_empty()) else {
                    continue;
                };
                let text = value.into_string().map_err(|_| {
                    err!(Usage, "the environment variable {name} is not valid UTF-8")
                        .of_key(name)
                        .remedy("set it again, or unset it")
                })?;
                let source = Source::Environment(name.to_owned());
                self.values.push(Raw { key, name, text, source });
            }
        }
        Ok(())
    }

    /// A file that is not there for us to read is none: many a `.env` belongs to other programs, or
    /// is the directory of a virtual environment.
    fn add_dotenv(&mut self, path: &Path) -> Result<(), Error> {
        let bytes = match read(path, Required::No) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.tell(format!(
                    "{}:1: this file cannot be read ({error}), so nothing of it is used; make it readable, or remove it",
                    path.display()
                ));
                return Ok(());
            }
        };
        // Other programs' lines may be in any encoding.
        let text = decode_text(&bytes).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(&bytes);
            text.trim_start_matches('\u{feff}').to_owned()
        });
        let found = dotenv::parse(&text, &|name| self.variable(name));
        self.dotenv = found.values;
        let at = |line| Source::File { path: path.to_owned(), line };
        if let Some(&(line, what)) = found.broken.first() {
            return Err(err!(Usage, "{what}").in_file(path).at_line(line));
        }
        for (line, name) in found.strangers {
            let near = nearest(&name, Key::all().map(Key::name));
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            let at = at(line);
            self.tell(format!("{at}: there is no key {name}, so it is not used{hint}"));
        }
        for (line, name) in found.refused {
            let at = at(line);
            self.tell(format!(
                "{at}: {name} is not read from this file, because a project must not be able to send your token elsewhere or \
                 to choose files that are written; set it in the environment"
            ));
        }
        let mut entries = found.entries;
        // Among the names of one key the first in the table rules; of one name the last line, as in
        // a shell.
        entries.sort_by_key(|entry| {
            let rank = entry.key.info().names.iter().position(|name| *name == entry.name);
            (rank, std::cmp::Reverse(entry.line))
        });
        for entry in entries {
            self.values.push(Raw {
                key: entry.key,
                name: entry.name,
                text: entry.value,
                source: at(entry.line),
            });
        }
        Ok(())
    }

    fn add_toml(&mut self, path: &Path, required: Required) -> Result<(), Error> {
        let unreadable = |error: io::Error| {
            let path = path.display();
            err!(Usage, "cannot read the configuration file {path}: {error}")
                .because(error)
                .remedy("check that it exists and that you may read it")
        };
        let Some(bytes) = read(path, required).map_err(unreadable)? else {
            return Ok(());
        };
        let text = decode_text(&bytes).map_err(|error| {
            let at = match error {
                NotText::Utf8 { at } => at,
                NotText::Utf16 => 0,
            };
            let line = bytes[..at].split(|&byte| byte == b'\n').count();
            err!(Usage, "this line cannot be read: {error}").in_file(path).at_line(line)
        })?;
        for entry in toml_file::parse(&text, path)? {
            let source = Source::File { path: path.to_owned(), line: entry.line };
            self.values.push(Raw {
                key: entry.key,
                name: entry.key.name(),
                text: entry.value,
                source,
            });
        }
        Ok(())
    }

    /// The ruling value of a key that has a default.
    pub(super) fn setting<T>(
        &self,
        key: Key,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Setting<T>, Error> {
        match self.optional(key, &read)? {
            Some(setting) => Ok(setting),
            None => match read(key.info().default) {
                Some(value) => Ok(Setting::default_of(value)),
                None => Err(bad_value(key, key.name(), key.info().default, &Source::Default)),
            },
        }
    }

    /// The ruling value of a key, if any source has one. Values that are overruled are not looked
    /// at.
    pub(super) fn optional<T>(
        &self,
        key: Key,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Setting<T>>, Error> {
        let Some(raw) = self.values.iter().find(|raw| raw.key == key) else {
            return Ok(None);
        };
        match read(&raw.text) {
            Some(value) => Ok(Some(Setting { value, source: raw.source.clone() })),
            None => Err(bad_value(key, raw.name, &raw.text, &raw.source)),
        }
    }

    /// The ruling path of a key, with `~` and variables put in. It counts from the project's
    /// directory, or from the current one, and is absolute. Variables are those of the environment and of `.env`.
    pub(super) fn path(&self, key: Key) -> Result<Option<Setting<PathBuf>>, Error> {
        let Some(setting) = self.optional(key, value::text)? else {
            return Ok(None);
        };
        let lookup = |name: &str| self.variable(name).or_else(|| self.dotenv.get(name).cloned());
        match scaffold_hub::expand_path(&setting.value, &self.home(), &lookup) {
            Ok(path) => {
                let path = self.project.join(path);
                // Where nobody knows the current directory, whoever uses the path says so.
                let value = std::path::absolute(&path).unwrap_or(path);
                Ok(Some(Setting { value, source: setting.source }))
            }
            Err(problem) => {
                let (key, value, source) = (key.name(), setting.value, setting.source);
                Err(match problem {
                    PathProblem::Unset(unset) => err!(
                        Usage,
                        "{key} is {value:?} ({source}), and there is no variable {unset}"
                    )
                    .remedy(format!("set {unset}, or write the path out there")),
                    PathProblem::NoHome => {
                        err!(Usage, "{key} is {value:?} ({source}), and {problem}")
                            .remedy("set HOME, or write the path out there")
                    }
                    PathProblem::TooLong => err!(Usage, "{key} ({source}): {problem}")
                        .remedy("write the path out there"),
                }
                .of_key(key))
            }
        }
    }

    /// A variable of the environment, if it is text.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).and_then(|value| value.into_string().ok())
    }

    /// The user's home; empty where there is none.
    pub(super) fn home(&self) -> PathBuf {
        let set = |name| (self.environment)(name).filter(|home| !home.is_empty());
        set("HOME").or_else(|| set("USERPROFILE")).map_or_else(PathBuf::new, PathBuf::from)
    }

    /// The name under which the ruling source has a key.
    pub(super) fn name_of(&self, key: Key) -> Option<&'static str> {
        self.values
            .iter()
            .find(|raw| raw.key == key && !matches!(raw.source, Source::Flag(_)))
            .map(|raw| raw.name)
    }

    fn tell(&mut self, text: String) {
        self.notices.push(Notice::new(Topic::Settings, text));
    }

    pub(super) fn into_notices(self) -> Vec<Notice> {
        self.notices
    }
}

fn bad_value(key: Key, name: &str, text: &str, source: &Source) -> Error {
    let info = key.info();
    // A flag's own name says less than the key's.
    let name = if matches!(source, Source::Flag(_)) { key.name() } else { name };
    let value = if info.secret {
        "this value (hidden)".to_owned()
    } else if key == Key::Endpoint {
        format!("{:?}", Address::from(text).to_string())
    } else {
        format!("{text:?}")
    };
    let default = match info.default {
        "" => String::new(),
        default => format!(", {default}"),
    };
    err!(Usage, "{name} does not take {value} ({source})\n  accepted: {}", info.accepted)
        .of_key(name)
        .remedy(format!("correct it there, or remove it to use the default{default}"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Required {
    Yes,
    No,
}

/// A configuration is a few lines: more than this is another kind of file.
const LARGEST_FILE: u64 = 1 << 20;

/// The system's reason, where there is no file that can be read.
fn read(path: &Path, required: Required) -> Result<Option<Vec<u8>>, io::Error> {
    use std::io::Read as _;
    let optional = required == Required::No;
    match std::fs::metadata(path) {
        // Not there, or in a directory that may not be searched (`sudo -u` out of somebody else's
        // home).
        Err(_) if optional => return Ok(None),
        Err(error) => return Err(error),
        Ok(meta) if meta.is_file() => {}
        // `python -m venv .env` makes a directory. A pipe would be waited for, perhaps for ever.
        Ok(meta) if optional && meta.is_dir() => return Ok(None),
        Ok(_) => return Err(io::Error::other("it is not a file")),
    }
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(Some(bytes))
}
