//! File listings of commits: those that newer Pythons keep beside their snapshots, and our own.
//!
//! Ours lie in a directory of their own. Python takes a listing of its own for the promise that
//! everything on it was fetched, and we fetch only what a model needs.

use serde_json::{Value, json};

use super::RepoCache;
use crate::commit::Commit;
use crate::digest::Digest;
use crate::listing::{RepoFile, size_of};

/// Python's directory and ours.
const PLACES: [&str; 2] = ["trees", "listings"];

/// The listing of `commit`, when Python or an earlier run of ours has left one that can be
/// understood.
pub(crate) fn read_tree(repo: &RepoCache, commit: &Commit) -> Option<Vec<RepoFile>> {
    PLACES.iter().find_map(|place| {
        let path = repo.dir().join(place).join(format!("{commit}.json"));
        parse_tree(&std::fs::read(path).ok()?)
    })
}

/// Keeps the listing of `commit`, so that nobody has to ask for it again. A cache that cannot be
/// written to is no reason for a failure.
pub(crate) fn write_tree(repo: &RepoCache, commit: &Commit, files: &[RepoFile]) {
    if read_tree(repo, commit).is_some() {
        return;
    }
    let entry = |file: &RepoFile| {
        let info = match &file.digest {
            Some(Digest::Sha256(hash)) => json!({"lfs_sha256": hash, "lfs_size": file.size}),
            Some(Digest::GitSha1(hash)) => json!({"blob_id": hash, "size": file.size}),
            None => json!({"size": file.size}),
        };
        (file.path.clone(), info)
    };
    let files: serde_json::Map<String, Value> = files.iter().map(entry).collect();
    let text = json!({"format_version": 1, "files": files}).to_string();
    let path = repo.dir().join(PLACES[1]).join(format!("{commit}.json"));
    let _ = crate::disk::write_atomically(&path, text.as_bytes());
}

/// Parses a `trees/<commit>.json` of format version 1.
pub(crate) fn parse_tree(text: &[u8]) -> Option<Vec<RepoFile>> {
    let value: Value = serde_json::from_slice(text).ok()?;
    if value.get("format_version")?.as_u64()? != 1 {
        return None;
    }
    let files = value.get("files")?.as_object()?;
    Some(
        files
            .iter()
            .map(|(path, info)| {
                let text = |key: &str| info.get(key).and_then(Value::as_str);
                RepoFile {
                    path: path.clone(),
                    size: info.get("lfs_size").or_else(|| info.get("size")).and_then(size_of),
                    digest: text("lfs_sha256").or_else(|| text("blob_id")).and_then(Digest::parse),
                }
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_writes() {
        let text = br#"{"format_version": 1, "files": {
            "config.json": {"size": 519, "blob_id": "ce013625030ba8dba906f756967f9e9ca394464a"},
            "model.safetensors": {"size": 7, "blob_id": "ce013625030ba8dba906f756967f9e9ca394464a",
              "lfs_sha256": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", "lfs_size": 7}}}"#;
        let files = parse_tree(text).unwrap();
        assert_eq!(files[0].size, Some(519));
        assert!(matches!(files[0].digest, Some(Digest::GitSha1(_))));
        assert!(matches!(files[1].digest, Some(Digest::Sha256(_))));
        for other in [&b"{}"[..], b"{\"format_version\": 2, \"files\": {}}", b"", b"[1]"] {
            assert!(parse_tree(other).is_none());
        }
    }
}
