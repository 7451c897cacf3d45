//! What a user may write where a model is asked for.

mod address;
mod made;
mod part;
mod repo_id;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use scaffold_error::{Error, err};

use crate::url::{Url, encode_part, encode_path};
use address::Stripped;
use part::has_gguf_suffix;
use repo_id::bad_part;

pub use made::MadeName;
pub(crate) use made::is_device;
pub use part::Part;
pub use repo_id::RepoId;

/// A model as the user named it. Parsing looks at the text alone; nothing on disk or on the network
/// is asked.
///
/// | written | means |
/// |---|---|
/// | `org/name`, `hf.co/org/name`, `https://huggingface.co/org/name` | a repository on the Hub, branch `main` |
/// | `org/name@revision`, `…/tree/revision` | a branch, tag, commit or `refs/pr/N` of it |
/// | `org/name:Q4_K_M` | the GGUF file of that quantization |
/// | `org/name/file.gguf`, `…/blob/revision/file.gguf` | that file |
/// | `…/blob/revision/any-other-file` | the repository that has it |
/// | `./directory`, `/path/model.gguf`, `~/x`, `x.gguf`, `directory/x.gguf` | something on this disk |
/// | `ollama:llama3.2`, `ollama:llama3.2:1b` | a model in Ollama's store, read in place |
/// | `word` | an alias, or a repository from before organisations (`gpt2`) |
///
/// ```
/// use scaffold_hub::{ModelName, Part};
/// let ModelName::Repo(repo) = "hf.co/org/name@v1:Q4_K_M".parse().unwrap() else { panic!() };
/// assert_eq!(repo.id.as_str(), "org/name");
/// assert_eq!(repo.revision.as_deref(), Some("v1"));
/// assert_eq!(repo.part, Part::Quantization("Q4_K_M".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ModelName {
    /// A file or directory on this disk.
    Local(PathBuf),
    /// A repository on the Hub.
    Repo(RepoName),
    /// A model in Ollama's store.
    Ollama(OllamaName),
    /// A model of one's own. No text parses as one: [`Hub::name`](crate::Hub::name) knows which there
    /// are.
    Made(MadeName),
}

/// A repository on the Hub, a revision of it, and which part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepoName {
    /// `org/name`, or `name` for the few repositories from before organisations.
    pub id: RepoId,
    /// Branch, tag, full commit or `refs/pr/N`; `main` when absent.
    pub revision: Option<String>,
    /// Which of its files.
    pub part: Part,
}

/// `[host/][namespace/]model[:tag]` as Ollama writes it, with its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OllamaName {
    /// `registry.ollama.ai` unless given.
    pub host: String,
    /// `library` unless given.
    pub namespace: String,
    /// The model's own name.
    pub model: String,
    /// `latest` unless given.
    pub tag: String,
}

impl FromStr for ModelName {
    type Err = Error;

    fn from_str(text: &str) -> Result<ModelName, Error> {
        ModelName::parse(text)
    }
}

impl ModelName {
    /// Parses what a user wrote.
    ///
    /// # Errors
    /// No grammar of the table above fits.
    pub fn parse(text: &str) -> Result<ModelName, Error> {
        ModelName::parse_at(text, None)
    }

    /// As [`ModelName::parse`]; addresses of `endpoint`, a mirror of the Hub, are understood too.
    pub(crate) fn parse_at(text: &str, endpoint: Option<&Url>) -> Result<ModelName, Error> {
        let written = text.trim();
        parse(written, endpoint).map_err(|problem| {
            err!(
                Usage,
                "`{written}` is not a model name: {problem}. Write `org/name` (a Hugging Face repository), \
                 `org/name@revision`, `org/name:Q4_K_M` (a GGUF quantization), `org/name/file.gguf`, a path such as \
                 `./model`, or `ollama:llama3.2`"
            )
        })
    }

    /// The name in a form that means the same wherever it is read: no directory, alias or model of
    /// one's own can be meant by it.
    ///
    /// ```
    /// use scaffold_hub::ModelName;
    ///
    /// assert_eq!(ModelName::parse("gpt2").unwrap().in_full(), "hf.co/gpt2");
    /// ```
    pub fn in_full(&self) -> String {
        match self {
            ModelName::Repo(repo) => {
                let text = repo.to_string();
                let address = format!("hf.co/{text}");
                let is_same =
                    matches!(parse(&address, None), Ok(ModelName::Repo(same)) if same == *repo);
                if !text.starts_with("hf.co/") && is_same { address } else { repo.address() }
            }
            name => name.to_string(),
        }
    }

    /// Whether the text can only be a path (`./x`, `/x`, `~/x`, `C:\x`), whatever is on disk.
    pub fn is_path(text: &str) -> bool {
        let bytes = text.as_bytes();
        let drive = bytes.len() > 2
            && bytes[0].is_ascii_alphabetic()
            && bytes[1] == b':'
            && matches!(bytes[2], b'\\' | b'/');
        text == "."
            || text == ".."
            || text == "~"
            || drive
            || ["/", "./", "../", "~/", "\\", ".\\", "..\\"].iter().any(|p| text.starts_with(p))
    }
}

fn parse(text: &str, endpoint: Option<&Url>) -> Result<ModelName, Error> {
    if text.is_empty() {
        return Err(err!(Usage, "it is empty"));
    }
    if ModelName::is_path(text) {
        return Ok(ModelName::Local(PathBuf::from(text)));
    }
    if let Some(rest) = text.strip_prefix("ollama:") {
        return parse_ollama(rest.strip_prefix("//").unwrap_or(rest)).map(ModelName::Ollama);
    }
    match address::strip(text, endpoint)? {
        Stripped::OfHub(rest) => {
            let rest = rest.trim_end_matches('/');
            // As a clone's address has it.
            let rest = rest.strip_suffix(".git").unwrap_or(rest);
            let repo = match address::without_organisation(rest) {
                Some((name, (revision, part))) => repo(None, name, Some(revision), part),
                None => parse_repo(rest),
            };
            repo.map(ModelName::Repo)
        }
        // A lone file name and `directory/file.gguf` are on this disk; `org/name/file.gguf` is on
        // the Hub.
        Stripped::Plain(rest) if is_file_name(rest) => Ok(ModelName::Local(PathBuf::from(rest))),
        Stripped::Plain(rest) => parse_repo(rest.trim_end_matches('/')).map(ModelName::Repo),
    }
}

/// Whether `text` has the form of a file of weights that is not in a repository.
fn is_file_name(text: &str) -> bool {
    let ending = Path::new(text).extension();
    text.matches('/').count() <= 1
        && !text.contains(['@', ':'])
        && ["gguf", "safetensors"]
            .iter()
            .any(|known| ending.is_some_and(|ending| ending.eq_ignore_ascii_case(known)))
}

fn parse_repo(text: &str) -> Result<RepoName, Error> {
    let mut parts = text.splitn(3, '/');
    let first = parts.next().unwrap_or_default();
    let Some(second) = parts.next() else {
        // One word: an alias that the caller did not know, or a repository from before
        // organisations.
        let (name, revision, label) = split_suffixes(first)?;
        return repo(None, name, revision, label.map_or(Part::Whole, Part::Quantization));
    };
    let Some(rest) = parts.next() else {
        let (name, revision, label) = split_suffixes(second)?;
        return repo(Some(first), name, revision, label.map_or(Part::Whole, Part::Quantization));
    };
    // `org/name@refs/pr/7`: a revision may contain slashes.
    if let Some((name, revision_start)) = second.split_once('@') {
        let tail = format!("{revision_start}/{rest}");
        if let Some(end) = file_start(&tail) {
            return repo(
                Some(first),
                name,
                Some(tail[..end].to_owned()),
                Part::File(tail[end + 1..].to_owned()),
            );
        }
        let (revision, label) = match tail.rsplit_once(':') {
            Some((revision, label)) => (revision.to_owned(), Some(label.to_owned())),
            None => (tail, None),
        };
        return repo(
            Some(first),
            name,
            Some(revision),
            label.map_or(Part::Whole, Part::Quantization),
        );
    }
    if let Some((revision, part)) = address::location(rest) {
        return repo(Some(first), second, Some(revision), part);
    }
    if has_gguf_suffix(rest) {
        return repo(Some(first), second, None, Part::File(rest.to_owned()));
    }
    Err(err!(Usage, "it has more than one `/`, and does not end in `.gguf`"))
}

/// Where the file starts in `revision/file.gguf`: after the first slash, but `refs/pr/N/` belongs
/// to the revision.
fn file_start(tail: &str) -> Option<usize> {
    if !has_gguf_suffix(tail) {
        return None;
    }
    let skip = if tail.starts_with("refs/") { 3 } else { 1 };
    tail.match_indices('/').nth(skip - 1).map(|(i, _)| i)
}

type Suffixes<'a> = (&'a str, Option<String>, Option<String>);

/// Splits `name@revision:label`.
fn split_suffixes(text: &str) -> Result<Suffixes<'_>, Error> {
    let (rest, label) = match text.rsplit_once(':') {
        Some((_, "")) => return Err(nothing_after(':')),
        Some((rest, label)) => (rest, Some(label.to_owned())),
        None => (text, None),
    };
    match rest.split_once('@') {
        Some((_, "")) => Err(nothing_after('@')),
        Some((name, revision)) => Ok((name, Some(revision.to_owned()), label)),
        None => Ok((rest, None, label)),
    }
}

fn repo(
    org: Option<&str>,
    name: &str,
    revision: Option<String>,
    part: Part,
) -> Result<RepoName, Error> {
    let id = RepoId::new(org, name)?;
    if let Some(revision) = &revision {
        check_revision(revision)?;
    }
    match &part {
        Part::Quantization(label) if !is_label(label) => {
            return Err(bad_part(label, "is not a quantization label such as Q4_K_M, Q8_0 or F16"));
        }
        Part::File(file) if !is_safe_path(file) => {
            return Err(bad_part(file, "is not a plain path inside a repository"));
        }
        _ => {}
    }
    // Ollama writes `hf.co/org/name:latest` where it means no particular quantization.
    let part = match part {
        Part::Quantization(label) if label.eq_ignore_ascii_case("latest") => Part::Whole,
        other => other,
    };
    Ok(RepoName { id, revision, part })
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 64
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

fn nothing_after(mark: char) -> Error {
    err!(Usage, "nothing follows the `{mark}`")
}

fn check_revision(revision: &str) -> Result<(), Error> {
    // As git has it, but for what no name here could hold anyway.
    // White space of any script at the end of a name is not of the name, which git does not know.
    let is_ref =
        !revision.contains(['~', '^', '?', '*', '[']) && !revision.contains(char::is_whitespace);
    // The Hub's own address is none either: written after an `@`, it would be read as a host.
    let is_host = revision.rsplit('@').next().is_some_and(address::is_site);
    if is_ref && !is_host && is_safe_path(revision) && revision.len() <= 255 {
        return Ok(());
    }
    Err(bad_part(revision, "is not a branch, tag, commit or refs/pr/N"))
}

/// Whether a `/`-separated path from outside stays below the directory that it is put into, on
/// every platform.
pub(crate) fn is_safe_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 1024
        && !path.contains(['\\', '\0', ':'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255)
}

fn parse_ollama(text: &str) -> Result<OllamaName, Error> {
    if text.is_empty() {
        return Err(nothing_after(':'));
    }
    let (path, tag) = match text.rsplit_once(':') {
        Some((_, "")) => return Err(nothing_after(':')),
        // `host:port/…` has its colon before the last slash.
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (text, "latest"),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let (host, namespace, model) = match parts.as_slice() {
        [model] => ("registry.ollama.ai", "library", *model),
        [namespace, model] => ("registry.ollama.ai", *namespace, *model),
        [host, namespace, model] => (*host, *namespace, *model),
        _ => {
            return Err(bad_part(path, "has more parts than host/namespace/model"));
        }
    };
    for part in [host, namespace, model, tag] {
        let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b));
        if part.is_empty() || !plain || part.starts_with('.') {
            return Err(bad_part(part, "has a character that Ollama's names do not have"));
        }
    }
    Ok(OllamaName {
        host: host.into(),
        namespace: namespace.into(),
        model: model.into(),
        tag: tag.into(),
    })
}

impl RepoName {
    /// The whole repository on its main branch.
    pub fn whole(id: RepoId) -> RepoName {
        RepoName { id, revision: None, part: Part::Whole }
    }

    /// The revision that is meant: `main` unless one was written.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelName::Local(path) => path.display().fmt(f),
            ModelName::Repo(repo) => repo.fmt(f),
            ModelName::Ollama(name) => name.fmt(f),
            ModelName::Made(name) => name.fmt(f),
        }
    }
}

impl RepoName {
    /// As people write it.
    fn plain(&self) -> String {
        let revision = self.revision.as_ref().map(|r| format!("@{r}"));
        let part = match &self.part {
            Part::Whole => String::new(),
            Part::Quantization(label) => format!(":{label}"),
            Part::File(file) => format!("/{file}"),
        };
        format!("{}{}{part}", self.id, revision.unwrap_or_default())
    }

    /// As an address, in which a slash of a revision is told apart from one of a path.
    fn address(&self) -> String {
        let revision = encode_part(self.revision());
        match (&self.part, &self.revision) {
            (Part::File(file), _) => {
                let file = encode_path(file);
                format!("hf.co/{}/blob/{revision}/{file}", self.id)
            }
            (_, Some(_)) => format!("hf.co/{}/tree/{revision}", self.id),
            (_, None) => format!("hf.co/{}", self.plain()),
        }
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.plain();
        match parse(&plain, None) {
            Ok(ModelName::Repo(repo)) if repo == *self => f.write_str(&plain),
            // A repository that is called like a file, a revision with slashes before a path.
            _ => f.write_str(&self.address()),
        }
    }
}

impl fmt::Display for OllamaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ollama:")?;
        if self.host != "registry.ollama.ai" {
            write!(f, "{}/{}/", self.host, self.namespace)?;
        } else if self.namespace != "library" {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{}:{}", self.model, self.tag)
    }
}
