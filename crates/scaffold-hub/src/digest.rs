//! The two hashes that the Hub names contents by.

use std::fmt;
use std::io::Read;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// The expected hash of a file, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Digest {
    /// SHA-256 of the contents (64 digits): large files.
    Sha256(String),
    /// Git's blob id, SHA-1 over `blob <size>\0` and the contents (40 digits): small files.
    GitSha1(String),
}

impl Digest {
    /// Recognises a hash by its length; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Digest> {
        if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let lower = text.to_ascii_lowercase();
        match text.len() {
            64 => Some(Digest::Sha256(lower)),
            40 => Some(Digest::GitSha1(lower)),
            _ => None,
        }
    }

    /// The hexadecimal digits, which are also the blob's name in the cache.
    pub fn hex(&self) -> &str {
        match self {
            Digest::Sha256(hex) | Digest::GitSha1(hex) => hex,
        }
    }

    /// Hashes `size` bytes of `contents` the way that this digest was made.
    pub(crate) fn of_same_kind(
        &self,
        contents: impl Read,
        size: u64,
        seen: impl FnMut(u64),
    ) -> std::io::Result<Digest> {
        match self {
            Digest::Sha256(_) => sha256(contents, seen).map(Digest::Sha256),
            Digest::GitSha1(_) => git_sha1(contents, size, seen).map(Digest::GitSha1),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Digest::Sha256(hex) => write!(f, "sha256:{hex}"),
            Digest::GitSha1(hex) => write!(f, "git-sha1:{hex}"),
        }
    }
}

pub(crate) fn sha256(contents: impl Read, seen: impl FnMut(u64)) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    feed(contents, seen, |bytes| hasher.update(bytes))?;
    Ok(hex(&hasher.finalize()))
}

fn git_sha1(contents: impl Read, size: u64, seen: impl FnMut(u64)) -> std::io::Result<String> {
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {size}\0"));
    feed(contents, seen, |bytes| hasher.update(bytes))?;
    Ok(hex(&hasher.finalize()))
}

fn feed(
    mut contents: impl Read,
    mut seen: impl FnMut(u64),
    mut each: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let n = contents.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        each(&buffer[..n]);
        seen(n as u64);
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)] as char, DIGITS[usize::from(b & 15)] as char])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_git_and_sha256sum() {
        // `printf 'hello\n' | git hash-object --stdin`, `printf 'hello\n' | sha256sum`
        let git = Digest::parse("ce013625030ba8dba906f756967f9e9ca394464a").unwrap();
        let sha = Digest::parse("5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2E846F6BE03")
            .unwrap();
        for digest in [git, sha] {
            assert_eq!(digest.of_same_kind(&b"hello\n"[..], 6, |_| ()).unwrap(), digest);
        }
        assert_eq!(Digest::parse("xyz"), None);
        assert_eq!(Digest::parse("d41d8cd98f00b204e9800998ecf8427e-12"), None);
    }
}
