//! Which certificates are trusted: the system's, or those that the user points at.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls_native_certs::CertificateResult;

use crate::config::Certificates;

/// Where trusted certificates are read from.
#[derive(Clone)]
pub(crate) struct Roots {
    /// In place of the system's store.
    pub(crate) certificates: Certificates,
    /// A bundle beside it.
    pub(crate) extra: Option<PathBuf>,
}

/// The certificates that were to be trusted cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct TrustProblem(pub(crate) String);

impl Roots {
    /// Reads them all.
    ///
    /// Company networks that open TLS connections have their own root in the system's store; a list
    /// that is compiled in would lock their users out. What a user points at and cannot be read
    /// ends the attempt: to go on with fewer certificates would blame the server.
    pub(super) fn read(&self) -> Result<Vec<CertificateDer<'static>>, TrustProblem> {
        let mut roots = self.main()?;
        if let Some(bundle) = &self.extra {
            roots.extend(file("pip's setting `cert`", bundle)?);
        }
        Ok(roots)
    }

    fn main(&self) -> Result<Vec<CertificateDer<'static>>, TrustProblem> {
        let Certificates { file: bundle, dirs } = &self.certificates;
        if bundle.is_none() && dirs.is_empty() {
            let found = rustls_native_certs::load_native_certs();
            return if found.certs.is_empty() {
                Err(TrustProblem(
                    "this system has no store of certificates (on Debian: install ca-certificates)"
                        .to_owned(),
                ))
            } else {
                Ok(found.certs)
            };
        }
        let mut roots = Vec::new();
        if let Some(bundle) = bundle {
            roots.extend(file("SSL_CERT_FILE", bundle)?);
        }
        for dir in dirs {
            roots.extend(directory(dir)?);
        }
        Ok(roots)
    }
}

fn file(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustProblem> {
    if path.is_dir() {
        return Err(TrustProblem(format!(
            "{setting} names {}, which is a directory (SSL_CERT_DIR takes one)",
            path.display()
        )));
    }
    some(setting, path, rustls_native_certs::load_certs_from_paths(Some(path), None))
}

fn directory(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustProblem> {
    // OpenSSL's own default is often a directory that is empty; only one that is not there was
    // mistyped.
    let found = rustls_native_certs::load_certs_from_paths(None, Some(path));
    if path.is_dir() {
        return Ok(found.certs);
    }
    some("SSL_CERT_DIR", path, found)
}

/// A file without any certificate is not what was meant.
fn some(
    setting: &str,
    path: &Path,
    found: CertificateResult,
) -> Result<Vec<CertificateDer<'static>>, TrustProblem> {
    if !found.certs.is_empty() {
        return Ok(found.certs);
    }
    let why = match std::fs::metadata(path).and_then(|_| std::fs::File::open(path)) {
        Err(error) => format!("cannot be read: {error}"),
        Ok(_) => "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned(),
    };
    Err(TrustProblem(format!("{setting} names {}, which {why}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_with_its_setting() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "no certificate\n").unwrap();
        let problem = |certificates: Certificates| {
            let roots = Roots { certificates, extra: None };
            roots.read().unwrap_err().to_string()
        };
        let bundle = |path: &Path| Certificates { file: Some(path.to_owned()), dirs: Vec::new() };
        for (path, part) in [
            (dir.path().join("nope.pem"), "nope.pem, which cannot be read"),
            (empty, "holds no certificate"),
            (dir.path().to_owned(), "which is a directory"),
        ] {
            let text = problem(bundle(&path));
            assert!(text.contains("SSL_CERT_FILE") && text.contains(part), "{text}");
        }
        let text = problem(Certificates { file: None, dirs: vec![dir.path().join("nope")] });
        assert!(text.contains("SSL_CERT_DIR"), "{text}");
    }
}
