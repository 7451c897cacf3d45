//! Whether a server is who it says it is.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::TrustProblem;

/// The usual verifier, which also takes a certificate that is itself among the trusted ones.
///
/// `openssl req -x509` makes self-signed certificates that may sign others; the usual verifier
/// takes no such certificate from a server, while OpenSSL (and so curl and Python) does where it is
/// trusted by name.
#[derive(Debug)]
pub(super) struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl Verifier {
    pub(super) fn new(
        trusted: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Verifier, TrustProblem> {
        let mut store = RootCertStore::empty();
        // Stores of systems hold a few certificates that cannot be parsed; those of no use do no
        // harm.
        store.add_parsable_certificates(trusted.iter().cloned());
        let usual =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
                .build()
                .map_err(|error| {
                    TrustProblem(format!("no certificate can be trusted here ({error})"))
                })?;
        Ok(Verifier { usual, trusted })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.usual.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The dates were looked at before (a certificate out of date is refused with its date);
            // the name was not.
            Err(error)
                if format!("{error:?}").contains("CaUsedAsEndEntity")
                    && self.trusted.iter().any(|trusted| trusted == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    fn pem(name: &str) -> CertificateDer<'static> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/certificates/");
        CertificateDer::from_pem_file(format!("{path}{name}.pem")).unwrap()
    }

    /// What the verifier that trusts `root` says to `shown` from `host`;
    /// `tests/data/certificates/make.sh` made them.
    fn verdict(root: &str, shown: &str, host: &str, year: u64) -> Result<(), String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new(vec![pem(root)], &provider).unwrap();
        let now =
            UnixTime::since_unix_epoch(std::time::Duration::from_secs((year - 1970) * 31_557_600));
        let name = ServerName::try_from(host.to_owned()).unwrap();
        verifier
            .verify_server_cert(&pem(shown), &[], &name, &[], now)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn certificates_are_judged_as_openssl_does() {
        let good = 2050;
        assert_eq!(verdict("authority", "localhost", "localhost", good), Ok(()));
        // Signed by nobody else, and itself among the trusted ones.
        assert_eq!(verdict("self-signed", "self-signed", "localhost", good), Ok(()));
        for (root, shown, host, year, part) in [
            ("authority", "other", "localhost", good, "not valid for name"),
            ("self-signed", "self-signed", "elsewhere", good, "not valid for name"),
            ("self-signed", "self-signed", "localhost", 2200, "expired"),
            ("authority", "self-signed", "localhost", good, "CaUsedAsEndEntity"),
            ("self-signed", "localhost", "localhost", good, "UnknownIssuer"),
        ] {
            let error = verdict(root, shown, host, year).unwrap_err();
            assert!(error.contains(part), "{root} {shown}: {error}");
        }
    }
}
