//! The file listings that newer Pythons keep beside their snapshots.

use serde_json::Value;

use super::{Commit, RepoCache};
use crate::digest::Digest;
use crate::listing::RepoFile;

/// The listing of `commit`, when Python has left one that can be understood.
pub(crate) fn read_tree(repo: &RepoCache, commit: &Commit) -> Option<Vec<RepoFile>> {
    let path = repo.dir().join("trees").join(format!("{commit}.json"));
    parse_tree(&std::fs::read(path).ok()?)
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
                    size: info
                        .get("lfs_size")
                        .or_else(|| info.get("size"))
                        .and_then(Value::as_u64),
                    digest: text("lfs_sha256")
                        .or_else(|| text("blob_id"))
                        .and_then(Digest::parse),
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
        for other in [
            &b"{}"[..],
            b"{\"format_version\": 2, \"files\": {}}",
            b"",
            b"[1]",
        ] {
            assert!(parse_tree(other).is_none());
        }
    }
}
