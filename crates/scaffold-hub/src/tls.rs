//! Which certificates are trusted: the system's, or those that the user points at.

use std::sync::Arc;

use rustls_native_certs::CertificateResult;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::config::Certificates;

/// TLS settings that trust the system's store (or `certificates` in its place) and `extra` bundles beside it.
///
/// Company networks that open TLS connections have their own root in the system's store; a list that is compiled in
/// would lock their users out.
pub(crate) fn config(certificates: &Certificates, extra: Option<&std::path::Path>) -> TlsConfig {
    let mut roots = roots(certificates);
    if let Some(bundle) = extra {
        roots.extend(take(&rustls_native_certs::load_certs_from_paths(
            Some(bundle),
            None,
        )));
    }
    TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build()
}

fn roots(certificates: &Certificates) -> Vec<Certificate<'static>> {
    if certificates.file.is_none() && certificates.dirs.is_empty() {
        return take(&rustls_native_certs::load_native_certs());
    }
    let mut roots = take(&rustls_native_certs::load_certs_from_paths(
        certificates.file.as_deref(),
        None,
    ));
    for dir in &certificates.dirs {
        roots.extend(take(&rustls_native_certs::load_certs_from_paths(
            None,
            Some(dir),
        )));
    }
    roots
}

/// A file that cannot be read leaves the others in force; if nothing is left, the handshake fails and says so.
fn take(found: &CertificateResult) -> Vec<Certificate<'static>> {
    found
        .certs
        .iter()
        .map(|der| Certificate::from_der(der.as_ref()).to_owned())
        .collect()
}
