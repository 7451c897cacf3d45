//! A proxy that speaks HTTP (whole addresses and tunnels) and SOCKS5, and remembers what it was
//! asked.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a proxy allows.
#[derive(Debug, Clone, Default)]
pub struct ProxyRules {
    /// Tunnels lead to port 443 alone, as with Squid as it is delivered.
    pub tunnels_to_443_only: bool,
    /// `name:password` in base64, which every request must bring.
    pub credentials: Option<String>,
}

/// A running proxy. Its thread ends with the test's process.
pub struct FakeProxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeProxy {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub fn start(rules: ProxyRules) -> FakeProxy {
        let listener =
            TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback interface");
        let port = listener.local_addr().map_or(0, |address| address.port());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (rules, heard) = (rules.clone(), Arc::clone(&heard));
                thread::spawn(move || {
                    // A client that hangs up is part of the game.
                    let _ = serve(stream, &rules, &heard);
                });
            }
        });
        FakeProxy { port, asked }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The first line of every request so far; `SOCKS5 host:port` for that protocol.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(mut client: TcpStream, rules: &ProxyRules, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let hear = |text: String| {
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    };
    let mut first = [0];
    client.read_exact(&mut first)?;
    if first[0] == 5 {
        let address = socks(&mut client)?;
        hear(format!("SOCKS5 {address}"));
        let server = TcpStream::connect(&address)?;
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        return join(client, server);
    }
    if !first[0].is_ascii_uppercase() {
        return Ok(());
    }
    let mut head = first.to_vec();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default().to_owned();
    hear(line.clone());
    if let Some(wanted) = &rules.credentials
        && !head
            .to_lowercase()
            .contains(&format!("proxy-authorization: basic {wanted}").to_lowercase())
    {
        return refuse(&mut client, "407 Proxy Authentication Required");
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    if method == "CONNECT" {
        if rules.tunnels_to_443_only && !target.ends_with(":443") {
            return refuse(&mut client, "403 Forbidden");
        }
        let server = TcpStream::connect(target)?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        return join(client, server);
    }
    let Some(rest) = target.strip_prefix("http://") else {
        return refuse(&mut client, "400 Bad Request");
    };
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    let mut server = TcpStream::connect(authority)?;
    let path = &rest[authority.len()..];
    server.write_all(head.replacen(target, path, 1).as_bytes())?;
    join(client, server)
}

fn refuse(client: &mut TcpStream, status: &str) -> io::Result<()> {
    client.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
}

/// The greeting (its first byte was read) and the request; returns where to.
fn socks(client: &mut TcpStream) -> io::Result<String> {
    let mut take = |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let methods = usize::from(take(1)?[0]);
    take(methods)?;
    client.write_all(&[5, 0])?;
    let mut take = |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let kind = take(4)?[3];
    let host = match kind {
        1 => {
            let b = take(4)?;
            Ipv4Addr::new(b[0], b[1], b[2], b[3]).to_string()
        }
        3 => {
            let length = usize::from(take(1)?[0]);
            String::from_utf8_lossy(&take(length)?).into_owned()
        }
        _ => return Err(io::Error::other("an address of another kind")),
    };
    let port = take(2)?;
    Ok(format!("{host}:{}", u16::from_be_bytes([port[0], port[1]])))
}

/// Passes bytes both ways until both have ended.
fn join(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    let _ = io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = up.join();
    Ok(())
}
