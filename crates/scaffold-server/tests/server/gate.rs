//! Who is let in, and what a request may be.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use scaffold_server::{Keys, Server};
use serde_json::json;

use crate::house::{House, config, options};

#[test]
fn keys_are_asked_for_where_there_are_some() {
    let keys = Keys::parse("laptop 0123456789abcdef\nphone fedcba9876543210\n").unwrap();
    let house = House::with(|options| options.keys(keys));
    let status = |headers: &str| house.ask("GET", "/api/tags", headers, b"").status;
    assert_eq!(status(""), 401);
    assert_eq!(status("Authorization: Bearer wrong\r\n"), 401);
    assert_eq!(status("Authorization: Basic 0123456789abcdef\r\n"), 401);
    assert_eq!(status("Authorization: Bearer 0123456789abcdef\r\n"), 200);
    assert_eq!(status("authorization: bearer fedcba9876543210\r\n"), 200);
    assert_eq!(status("x-api-key: fedcba9876543210\r\n"), 200);
    let refused = house.get("/v1/models");
    assert_eq!(refused.json()["error"]["code"], "invalid_api_key");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    // These say nothing of models.
    for path in ["/", "/health", "/ready", "/api/version"] {
        assert_eq!(house.get(path).status, 200, "{path}");
    }
}

#[test]
fn without_keys_any_key_will_do() {
    let house = House::new();
    let answer = house.ask("GET", "/v1/models", "Authorization: Bearer whatever\r\n", b"");
    assert_eq!(answer.status, 200);
}

#[test]
fn beyond_this_machine_keys_are_demanded() {
    let home = tempfile::tempdir().unwrap();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = Server::bind(config(home.path()), options().address(everywhere)).err().unwrap();
    assert!(error.to_string().contains("--api-key-file"), "{error}");
    assert!(Server::bind(config(home.path()), options().address(everywhere).open(true)).is_ok());
    // Files that nobody offered are for this machine's own programs.
    let house = House::with(|options| options.address(everywhere).open(true));
    let local = SocketAddr::from(([127, 0, 0, 1], house.address.port()));
    let body = json!({"model": house.chat, "prompt": "x"}).to_string();
    let stream = crate::client::send(local, "POST", "/api/generate", "", body.as_bytes());
    assert_eq!(crate::client::receive(stream).status, 404);
    for (method, path) in [("POST", "/api/pull"), ("DELETE", "/api/delete")] {
        let stream = crate::client::send(local, method, path, "", br#"{"model": "org/name"}"#);
        assert_eq!(crate::client::receive(stream).status, 403, "{path}");
    }
}

#[test]
fn an_address_in_use_is_told() {
    let house = House::new();
    let home = tempfile::tempdir().unwrap();
    let error = Server::bind(config(home.path()), options().address(house.address)).err().unwrap();
    assert!(
        error.to_string().contains("is in use") && error.to_string().contains("--port"),
        "{error}"
    );
}

#[test]
fn pages_of_strangers_are_kept_out() {
    let house = House::with(|options| options.origins(["https://chat.example.org".to_owned()]));
    let asked = |headers: &str| house.ask("GET", "/api/tags", headers, b"");
    assert_eq!(asked("Host: evil.example\r\n").status, 403);
    assert_eq!(asked("Host: localhost:1\r\n").status, 200);
    assert_eq!(asked("Origin: https://evil.example\r\n").status, 403);
    for origin in ["https://chat.example.org", "http://localhost:3000", "tauri://localhost"] {
        let answer = asked(&format!("Origin: {origin}\r\n"));
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, Some(origin))
        );
    }
    assert_eq!(asked("").header("access-control-allow-origin"), None);
    let preflight = |origin: &str| {
        let headers = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Headers: authorization,x-stainless-os\r\n"
        );
        house.ask("OPTIONS", "/v1/chat/completions", &headers, b"")
    };
    let allowed = preflight("http://localhost:3000");
    assert_eq!(allowed.status, 204);
    assert_eq!(
        allowed.header("access-control-allow-headers"),
        Some("authorization,x-stainless-os")
    );
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("DELETE"));
    assert_eq!(preflight("https://evil.example").status, 403);
}

#[test]
fn errors_have_the_shape_of_their_interface() {
    let house = House::new();
    let wrong = house.get("/api/chat");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    assert!(wrong.json()["error"].is_string());
    let wrong = house.get("/v1/chat/completions");
    assert!(wrong.status == 405 && wrong.json()["error"]["message"].is_string());
    let nothing = house.get("/v1/nothing");
    assert!(nothing.status == 404 && nothing.json()["error"]["message"].is_string());
    assert!(house.get("/api/nothing").json()["error"].is_string());
    for body in ["{", "[]", "\"x\"", "{\"model\": 5}"] {
        let answer = house.ask("POST", "/v1/chat/completions", "", body.as_bytes());
        assert_eq!(answer.status, 400, "{body}");
    }
}

#[test]
fn requests_have_names() {
    let house = House::new();
    let own = house.ask("GET", "/health", "X-Request-Id: mine-1\r\n", b"");
    assert_eq!(own.header("x-request-id"), Some("mine-1"));
    let first = house.get("/health").header("x-request-id").unwrap().to_owned();
    assert!(
        first.len() == 16 && Some(first.as_str()) != house.get("/health").header("x-request-id")
    );
    let odd = house.ask("GET", "/health", "X-Request-Id: two words\r\n", b"");
    assert_ne!(odd.header("x-request-id"), Some("two words"));
    assert_eq!(own.header("x-scaffold-version"), Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn long_bodies_and_slow_heads_are_ended() {
    let house = House::with(|options| {
        options.body_bytes(1000_usize).header_time(Duration::from_millis(300))
    });
    let answer = house.ask("POST", "/api/chat", "", &vec![b'x'; 2000]);
    assert_eq!(answer.status, 413);
    assert!(answer.json()["error"].as_str().unwrap().contains("1000 bytes"));
    let mut stream = TcpStream::connect(house.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(!bytes.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn a_slow_body_is_ended() {
    let house = House::with(|options| options.body_time(Duration::from_millis(300)));
    let mut stream = TcpStream::connect(house.address).unwrap();
    stream
        .write_all(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        .unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut bytes = [0; 12];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"HTTP/1.1 408");
}

#[test]
fn garbage_is_answered_or_ended_and_harms_nobody() {
    let house = House::new();
    for bytes in [
        &b"\0\xff\xfe garbage\r\n\r\n"[..],
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/chat HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
        b"GET /%ff%00/../.. HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(house.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let status = answer.get(9..12).unwrap_or(b"none").to_vec();
        assert!(
            answer.is_empty() || status.starts_with(b"4"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let deep = format!("{{\"model\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(house.ask("POST", "/api/chat", "", deep.as_bytes()).status, 400);
    let many = json!({"model": house.chat, "prompt": vec!["a"; 5000]});
    house.bad("/v1/completions", &many, 400);
    let many = json!({"model": house.embedder, "input": vec!["a"; 9000]});
    house.bad("/v1/embeddings", &many, 400);
    assert_eq!(house.get("/health").status, 200);
}
