//! What the Hub says about a repository.

use scaffold_error::{Error, err};
use serde_json::Value;

use crate::commit::Commit;
use crate::digest::Digest;

/// One file of a repository, as a listing describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoFile {
    /// Its path, as the server gave it: not to be trusted.
    pub path: String,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its hash.
    pub digest: Option<Digest>,
}

/// Whether a repository asks its readers to agree to something first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Open to everybody.
    Open,
    /// Access is granted at once when the conditions are accepted.
    Automatic,
    /// The authors decide about each request.
    Manual,
}

/// What the Hub says about one revision of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The repository's name by the server's account: another one than asked for when it was
    /// renamed.
    pub id: String,
    /// The commit that the revision stands for.
    pub commit: Commit,
    /// Whether it is private.
    pub private: bool,
    /// Whether it is gated.
    pub gate: Gate,
    /// Whether the Hub has disabled it.
    pub disabled: bool,
    /// The licence's identifier.
    pub licence: Option<String>,
    /// What it is for, in the Hub's words (`text-generation`).
    pub task: Option<String>,
    /// All files.
    pub files: Vec<RepoFile>,
}

/// A listing may have at most this many files.
const MOST_FILES: usize = 200_000;

/// An answer of the Hub's, or of something in its place, that is not `expected`.
pub(crate) fn not_understood(host: &str, expected: &str, problem: &str) -> Error {
    err!(
        Unavailable,
        "{host} answered with something that is not {expected}: {problem}. If HF_ENDPOINT or an index points at a mirror, check \
         its address; a login page of the network also looks like this"
    )
}

impl Listing {
    /// Parses the answer of `/api/models/<id>/revision/<revision>?blobs=true`.
    pub(crate) fn parse(text: &[u8], host: &str) -> Result<Listing, Error> {
        let fail =
            |problem: String| not_understood(host, "a description of a repository", &problem);
        let value: Value =
            serde_json::from_slice(text).map_err(|e| fail(format!("not JSON ({e})")))?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        let id =
            text("id").or_else(|| text("modelId")).ok_or_else(|| fail("it has no `id`".into()))?;
        let sha = text("sha").ok_or_else(|| fail("it has no `sha`".into()))?;
        let commit = Commit::parse(&sha)
            .ok_or_else(|| fail(format!("`sha` is {sha:?}, not 40 hexadecimal digits")))?;
        let siblings = value
            .get("siblings")
            .and_then(Value::as_array)
            .ok_or_else(|| fail("it has no `siblings`".into()))?;
        if siblings.len() > MOST_FILES {
            return Err(fail(format!("it lists {} files", siblings.len())));
        }
        let files = siblings.iter().filter_map(parse_file).collect();
        let card_licence = value
            .get("cardData")
            .and_then(|c| c.get("license"))
            .and_then(Value::as_str)
            .map(str::to_owned);
        let tag_licence = || {
            let tags = value.get("tags").and_then(Value::as_array)?;
            tags.iter().find_map(|t| t.as_str()?.strip_prefix("license:").map(str::to_owned))
        };
        Ok(Listing {
            id,
            commit,
            private: flag("private"),
            gate: parse_gate(value.get("gated")),
            disabled: flag("disabled"),
            licence: card_licence.or_else(tag_licence),
            task: text("pipeline_tag"),
            files,
        })
    }
}

fn parse_gate(value: Option<&Value>) -> Gate {
    match value {
        Some(Value::String(kind)) if kind == "manual" => Gate::Manual,
        Some(Value::String(_) | Value::Bool(true)) => Gate::Automatic,
        _ => Gate::Open,
    }
}

/// Parses a page of `/api/models/<id>/tree/<commit>?recursive=true`; `None` when it is none.
pub(crate) fn parse_tree_page(text: &[u8]) -> Option<Vec<RepoFile>> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let is_file = |entry: &&Value| entry.get("type").and_then(Value::as_str) != Some("directory");
    Some(value.as_array()?.iter().filter(is_file).filter_map(parse_file).collect())
}

/// More than a disk has room for, and little enough that the sizes of a whole listing can be added
/// up: 32 TiB.
const LARGEST_FILE: u64 = 1 << 45;

/// A file's size, where the value is one. What is said to be larger than any file counts as the
/// largest, so that it is refused for want of room.
pub(crate) fn size_of(value: &Value) -> Option<u64> {
    value.as_u64().map(|size| size.min(LARGEST_FILE))
}

fn parse_file(sibling: &Value) -> Option<RepoFile> {
    let lfs = sibling.get("lfs");
    let sha256 = lfs.and_then(|l| l.get("sha256").or_else(|| l.get("oid"))).and_then(Value::as_str);
    let blob = sibling.get("blobId").or_else(|| sibling.get("oid")).and_then(Value::as_str);
    let size = lfs.and_then(|l| l.get("size")).or_else(|| sibling.get("size")).and_then(size_of);
    Some(RepoFile {
        path: sibling.get("rfilename").or_else(|| sibling.get("path"))?.as_str()?.to_owned(),
        size,
        digest: sha256.or(blob).and_then(Digest::parse),
    })
}
