//! HTTPS, with certificates that `tests/certificates/make.sh` made.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use scaffold_server::{Server, TlsFiles};

use crate::house::{House, config, options};

fn of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates").join(name)
}

fn files(certificate: &str, key: &str) -> TlsFiles {
    TlsFiles { certificate: of(certificate), key: of(key) }
}

/// Asks over HTTPS; the whole answer, and the certificate that was shown.
fn ask(
    address: SocketAddr,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (String, Vec<u8>) {
    let mut roots = RootCertStore::empty();
    let authority = fs::read(of("authority.pem")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut stream = StreamOwned::new(client, socket);
    stream
        .write_all(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let shown = stream.conn.peer_certificates().unwrap()[0].to_vec();
    (answer, shown)
}

#[test]
fn clients_are_answered_over_tls_and_those_of_http_are_told() {
    let tls = files("one.pem", "one.key");
    let mut house = House::with(|options| options.tls(tls).header_time(Duration::from_millis(500)));
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let (answer, _) = ask(house.address, versions);
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("version"), "{answer}");
    }
    let plain = house.get("/api/version");
    assert!(plain.status == 400 && plain.text().contains("https://"), "{}", plain.text());
    // Who says nothing, or nonsense, is let go in time and holds up nobody.
    let mut silent = TcpStream::connect(house.address).unwrap();
    let mut nonsense = TcpStream::connect(house.address).unwrap();
    nonsense.write_all(&[22, 3, 1, 255, 255, 1, 2, 3]).unwrap();
    assert!(ask(house.address, rustls::ALL_VERSIONS).0.starts_with("HTTP/1.1 200 OK"));
    let begun = Instant::now();
    for stream in [&mut silent, &mut nonsense] {
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
    assert!(begun.elapsed() < Duration::from_secs(30));
    let _silent = TcpStream::connect(house.address).unwrap();
    assert!(house.stop(), "a connection without a handshake was waited for");
}

#[test]
fn certificates_change_while_the_server_runs() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let put = |name: &str| {
        fs::copy(of(&format!("{name}.pem")), &certificate).unwrap();
        fs::copy(of(&format!("{name}.key")), &key).unwrap();
    };
    put("one");
    let tls = TlsFiles { certificate: certificate.clone(), key: key.clone() };
    let server = Server::bind(config(directory.path()), options().tls(tls)).unwrap();
    let (address, stopper, reloader) = (server.address(), server.stopper(), server.reloader());
    let thread = std::thread::spawn(move || server.run());
    let shown = || ask(address, rustls::ALL_VERSIONS).1;
    let first = shown();
    fs::write(&certificate, "no certificate").unwrap();
    assert!(reloader.reload().is_err());
    assert_eq!(shown(), first);
    put("other");
    reloader.reload().unwrap();
    assert_ne!(shown(), first);
    stopper.stop();
    assert!(thread.join().unwrap().unwrap());
}

#[test]
fn files_that_are_no_certificate_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    for (certificate, key, named) in [
        ("none.pem", "one.key", "none.pem"),
        ("one.key", "one.key", "one.key"),
        ("one.pem", "one.pem", "one.pem"),
        ("make.sh", "one.key", "make.sh"),
        // Of another certificate.
        ("one.pem", "other.key", "other.key"),
    ] {
        let tls = files(certificate, key);
        let error = Server::bind(config(home.path()), options().tls(tls)).err().unwrap();
        let words = error.to_string();
        assert!(words.contains(named) && !words.contains("MIG"), "{words}");
    }
}
