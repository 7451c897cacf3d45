//! What the fake Hub serves.

use serde_json::{Value, json};
use sha1::Digest as _;

/// A repository with one commit.
#[derive(Debug, Clone)]
pub struct FakeRepo {
    /// `org/name`.
    pub id: String,
    /// The commit of `main`: 40 hexadecimal digits, made from the contents unless set.
    pub commit: String,
    /// All files.
    pub files: Vec<FakeFile>,
    /// `None`, `auto` or `manual`.
    pub gated: Option<&'static str>,
    /// Whether only tokens with a grant see it.
    pub private: bool,
    /// Whether the Hub has closed it.
    pub disabled: bool,
    /// The name under which it is to be found now.
    pub renamed_to: Option<String>,
    /// What a refusal says, in the Hub's own words.
    pub refusal: Option<String>,
    /// What its descriptions leave out, as some mirrors do.
    pub reticence: Reticence,
}

/// What descriptions of a repository leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reticence {
    /// Nothing.
    None,
    /// The description has names alone; the tree of files has sizes and hashes.
    NamesOnly,
    /// There is no tree either; only the headers of the files have hashes.
    NoTree,
    /// Nobody has hashes.
    NoHashes,
}

/// One file of a repository.
#[derive(Debug, Clone)]
pub struct FakeFile {
    /// Its path.
    pub path: String,
    /// Its contents.
    pub bytes: Vec<u8>,
    /// Whether it is large by the Hub's account: hashed with sha256 and served by the second host.
    pub large: bool,
}

/// An access token and what it may do.
#[derive(Debug, Clone)]
pub struct FakeToken {
    /// The token.
    pub token: String,
    /// The account's name.
    pub account: String,
    /// The value of `auth.accessToken` in `whoami-v2`.
    pub access: Value,
    /// Gated and private repositories that it opens.
    pub grants: Vec<String>,
}

impl FakeRepo {
    /// An empty repository.
    pub fn new(id: &str) -> FakeRepo {
        FakeRepo {
            id: id.to_owned(),
            commit: hex(&sha1::Sha1::digest(id.as_bytes())),
            files: Vec::new(),
            gated: None,
            private: false,
            disabled: false,
            renamed_to: None,
            refusal: None,
            reticence: Reticence::None,
        }
    }

    /// Adds a small file (named by its git hash). The commit changes with it.
    pub fn file(self, path: &str, bytes: impl Into<Vec<u8>>) -> FakeRepo {
        self.with(path, bytes.into(), false)
    }

    /// Adds a large file (named by its sha256, served by the second host). The commit changes with
    /// it.
    pub fn large_file(self, path: &str, bytes: impl Into<Vec<u8>>) -> FakeRepo {
        self.with(path, bytes.into(), true)
    }

    /// Demands that readers ask for access: `auto` or `manual`.
    pub fn gated(mut self, kind: &'static str) -> FakeRepo {
        self.gated = Some(kind);
        self
    }

    fn with(mut self, path: &str, bytes: Vec<u8>, large: bool) -> FakeRepo {
        let mut hasher = sha1::Sha1::new();
        hasher.update(self.commit.as_bytes());
        hasher.update(path.as_bytes());
        hasher.update(&bytes);
        self.commit = hex(&hasher.finalize());
        self.files.retain(|f| f.path != path);
        self.files.push(FakeFile { path: path.to_owned(), bytes, large });
        self
    }

    /// The description, as `/api/models/<id>` answers it.
    pub(super) fn description(&self) -> Value {
        let sibling = |file: &FakeFile| match self.reticence {
            Reticence::None => file.sibling(),
            _ => json!({"rfilename": file.path}),
        };
        let siblings: Vec<Value> = self.files.iter().map(sibling).collect();
        json!({
            "id": self.id, "modelId": self.id, "sha": self.commit, "private": self.private, "disabled": self.disabled,
            "gated": self.gated.map_or(Value::Bool(false), Into::into), "pipeline_tag": "text-generation",
            "tags": ["transformers", "license:apache-2.0"], "cardData": {"license": "apache-2.0"}, "siblings": siblings,
            "downloads": 1, "likes": 0, "createdAt": "2024-01-01T00:00:00.000Z", "lastModified": "2024-01-01T00:00:00.000Z",
        })
    }

    /// The files, as `/api/models/<id>/tree/<revision>` answers them.
    pub(super) fn tree(&self) -> Value {
        self.files.iter().map(FakeFile::tree_entry).collect()
    }
}

impl FakeFile {
    /// The name of its blob: sha256 for large files, git's hash for small ones.
    pub fn etag(&self) -> String {
        if self.large { sha256(&self.bytes) } else { git_sha1(&self.bytes) }
    }

    fn sibling(&self) -> Value {
        let size = self.bytes.len();
        if self.large {
            let lfs = json!({"sha256": sha256(&self.bytes), "size": size, "pointerSize": 134});
            return json!({"rfilename": self.path, "size": size, "blobId": git_sha1(b"pointer"), "lfs": lfs});
        }
        json!({"rfilename": self.path, "size": size, "blobId": git_sha1(&self.bytes)})
    }

    fn tree_entry(&self) -> Value {
        let size = self.bytes.len();
        if self.large {
            let lfs = json!({"oid": sha256(&self.bytes), "size": size, "pointerSize": 134});
            return json!({"type": "file", "path": self.path, "size": size, "oid": git_sha1(b"pointer"), "lfs": lfs});
        }
        json!({"type": "file", "path": self.path, "size": size, "oid": git_sha1(&self.bytes)})
    }
}

impl FakeToken {
    /// A fine-grained token that may read all gated repositories, with access granted to `grants`.
    pub fn fine_grained(token: &str, grants: &[&str]) -> FakeToken {
        let access = json!({
            "displayName": "test", "role": "fineGrained", "createdAt": "2024-01-02T03:04:05.000Z",
            "fineGrained": {"canReadGatedRepos": true, "global": [], "scoped": []},
        });
        FakeToken {
            token: token.to_owned(),
            account: "someone".to_owned(),
            access,
            grants: grants.iter().map(|g| (*g).to_owned()).collect(),
        }
    }
}

/// SHA-256, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// Git's hash of a blob, in hexadecimal.
pub fn git_sha1(bytes: &[u8]) -> String {
    let mut hasher = sha1::Sha1::new();
    hasher.update(format!("blob {}\0", bytes.len()));
    hasher.update(bytes);
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
