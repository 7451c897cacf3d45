//! Just enough HTTP/1.1.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`.
    pub method: String,
    /// Path and query, percent-decoding undone nowhere.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Whether it came to the store (the second host) and not to the Hub.
    pub to_store: bool,
}

impl Request {
    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// First and last byte of a `Range` header.
    pub(super) fn range(&self) -> Option<(u64, Option<u64>)> {
        let (first, last) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    }
}

/// An answer that is still as it should be.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether `Range` is honoured.
    pub(super) ranges: bool,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
            ranges: false,
        }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Applies `Range` and `If-Range`: the answer is then a part (206), or says that there is none
    /// (416).
    pub(super) fn ranged(mut self, request: &Request) -> Answer {
        let Some((first, last)) = request.range().filter(|_| self.ranges && self.status == 200)
        else {
            return self;
        };
        let etag = self.headers.iter().find(|(n, _)| n == "etag").map(|(_, v)| v.clone());
        if request.header("if-range").is_some_and(|v| Some(v) != etag.as_deref()) {
            return self;
        }
        let size = self.body.len() as u64;
        if first >= size {
            self.status = 416;
            self.body.clear();
            return self.header("content-range", format!("bytes */{size}"));
        }
        let end = last.map_or(size, |last| (last + 1).min(size));
        self.status = 206;
        self.body = self.body[first as usize..end as usize].to_vec();
        self.header("content-range", format!("bytes {first}-{}/{size}", end - 1))
    }

    /// Everything before the body. `length` overrides the body's own.
    pub(super) fn head(&self, length: Option<u64>) -> String {
        let mut head =
            format!("HTTP/1.1 {} {}\r\nconnection: close\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&[name, ": ", value, "\r\n"].concat());
        }
        if let Some(length) = length {
            head.push_str(&["content-length: ", &length.to_string(), "\r\n"].concat());
        }
        head + "\r\n"
    }

    pub(super) fn send(self, request: &Request, stream: &mut TcpStream) -> io::Result<()> {
        let answer = self.ranged(request);
        let length = answer.body.len() as u64;
        let own = answer.headers.iter().any(|(n, _)| n == "content-length");
        stream.write_all(answer.head((!own).then_some(length)).as_bytes())?;
        if request.method != "HEAD" {
            stream.write_all(&answer.body)?;
        }
        Ok(())
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        307 => "Temporary Redirect",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        _ => "Something",
    }
}

/// Reads up to the empty line; `None` for anything that is no request.
pub(super) fn read_request(stream: &mut TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while !text.windows(4).any(|w| w == b"\r\n\r\n") {
        let n = stream.read(&mut buffer).ok()?;
        if n == 0 || text.len() > 64 * 1024 {
            return None;
        }
        text.extend_from_slice(&buffer[..n]);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .take_while(|l| !l.is_empty())
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.trim().to_ascii_lowercase(), v.trim().to_owned()))
        .collect();
    Some(Request { method, path, headers, to_store: false })
}
