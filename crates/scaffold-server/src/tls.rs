//! HTTPS with a certificate from files.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use scaffold::Error;
use scaffold_error::err;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::options::TlsFiles;

/// What the first byte of a client that speaks TLS says.
const HANDSHAKE: u8 = 22;
/// What somebody hears who speaks HTTP: in HTTP, so that it is understood.
const NOT_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n\
    this server speaks HTTPS at this port: ask for https:// in place of http://\n";

/// The certificate of a server.
pub(crate) struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, Error> {
        let config = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, config })
    }

    /// Reads the files again: connections from now on get what is in them. If they are not as they
    /// should be nothing changes.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        let config = Arc::new(read(&self.files)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Agrees on the keys of a connection; `None` with a client that cannot.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let mut byte = [0];
        if stream.peek(&mut byte).await.ok()? == 0 {
            return None;
        }
        if byte[0] != HANDSHAKE {
            refuse(stream).await;
            return None;
        }
        let config = Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await.ok()
    }
}

/// Tells a client of HTTP what is spoken here.
async fn refuse(mut stream: TcpStream) {
    if stream.write_all(NOT_HTTP).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    // A connection that is closed before its request is read loses what was said to it.
    let mut rest = [0; 4096];
    let read = async {
        for _ in 0..64 {
            if !matches!(stream.read(&mut rest).await, Ok(1..)) {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), read).await;
}

fn read(files: &TlsFiles) -> Result<ServerConfig, Error> {
    let TlsFiles { certificate, key } = files;
    let chain = certificates(certificate)?;
    let private = private_key(key)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| err!(Internal, "TLS cannot be set up: {cause}"))?;
    let mut config =
        builder.with_no_client_auth().with_single_cert(chain, private).map_err(|cause| {
            err!(
                Usage,
                "the certificate cannot be used with the private key in {}: {cause}",
                key.display()
            )
            .in_file(certificate)
            .remedy("give the certificate of the server first, and the key that it was made with")
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = std::fs::read(path).map_err(Error::io("read", path))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain =
        read.map_err(|cause| err!(Usage, "the certificate cannot be read: {cause}").in_file(path))?;
    if chain.is_empty() {
        return Err(err!(
            Usage,
            "there is no certificate in it: accepted is PEM, which begins with -----BEGIN CERTIFICATE-----"
        )
        .in_file(path));
    }
    Ok(chain)
}

/// What is in the file is not repeated in errors.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let text = std::fs::read(path).map_err(Error::io("read", path))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        err!(
            Usage,
            "there is no private key in it that can be read: accepted is PEM without a passphrase, which begins with -----BEGIN PRIVATE \
             KEY-----"
        )
        .in_file(path)
    })
}
