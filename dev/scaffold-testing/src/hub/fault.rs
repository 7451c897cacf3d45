//! Ways of misbehaving.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::wire::{Answer, Request};

/// Which answers are spoiled, how often and in which way.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Part of the path.
    pub path: String,
    /// Whether HEAD requests are meant (else GET).
    pub head: bool,
    /// Whether only the store is meant, and not the Hub's own host.
    pub store_only: bool,
    /// How many answers are still to be spoiled.
    pub times: u32,
    /// In which way.
    pub fault: Fault,
}

/// A way of misbehaving.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Closes the connection after this many bytes of the body.
    Cut(usize),
    /// Sends this many bytes of the body, then nothing, and keeps the connection open.
    Stall(usize),
    /// Sends nothing at all, not even the head.
    Mute,
    /// Announces a body longer (or shorter) by this many bytes.
    Length(i64),
    /// Says and sends a part that begins elsewhere than asked for.
    Range,
    /// Answers every `Range` with the whole file.
    NoRanges,
    /// Changes the byte at this place of what is sent.
    Flip(usize),
    /// Answers with this status, these headers and a short page.
    Status(u16, Vec<(String, String)>),
    /// Redirects to this address.
    Redirect(String),
    /// Sends this many bytes at a time, with pauses.
    Drip(usize, Duration),
    /// Gives the file another `ETag`.
    Etag(String),
    /// Goes on sending after the end of the file, with no length announced.
    Endless,
    /// Sends the whole body with no length announced.
    NoLength,
    /// Answers with this body in the right one's place.
    Body(Vec<u8>),
    /// Sends `103 Early Hints`, waits, and goes on as usual.
    EarlyHints(Duration),
    /// Sends these bytes and nothing else, not even a head.
    Raw(Vec<u8>),
}

/// The fault that applies to this request; its rule is used up by one.
pub(super) fn take(rules: &mut [Rule], request: &Request) -> Option<Fault> {
    let applies = |rule: &&mut Rule| {
        rule.times > 0
            && request.path.contains(&rule.path)
            && rule.head == (request.method == "HEAD")
            && (request.to_store || !rule.store_only)
    };
    let rule = rules.iter_mut().find(applies)?;
    rule.times -= 1;
    Some(rule.fault.clone())
}

impl Fault {
    pub(super) fn send(
        self,
        answer: Answer,
        request: &Request,
        stream: &mut TcpStream,
        stop: &AtomicBool,
    ) -> io::Result<()> {
        // Large files are redirected first; what spoils their bytes belongs to the second host.
        let spoils_body = !matches!(
            self,
            Fault::Status(..)
                | Fault::Redirect(_)
                | Fault::Mute
                | Fault::Body(_)
                | Fault::EarlyHints(_)
                | Fault::Raw(_)
        );
        if spoils_body && matches!(answer.status, 301..=308) {
            return answer.send(request, stream);
        }
        match self {
            Fault::Cut(n) => send_part(&answer.ranged(request), n, stream),
            Fault::Stall(n) => {
                send_part(&answer.ranged(request), n, stream)?;
                stream.flush()?;
                wait(Duration::from_secs(30), stop);
                Ok(())
            }
            Fault::Mute => {
                wait(Duration::from_secs(30), stop);
                Ok(())
            }
            Fault::Length(by) => {
                let answer = answer.ranged(request);
                let length = (answer.body.len() as i64 + by).max(0) as u64;
                stream.write_all(answer.head(Some(length)).as_bytes())?;
                stream.write_all(&answer.body)
            }
            Fault::Range => send_other_part(answer, request, stream),
            Fault::NoRanges => Answer { ranges: false, ..answer }.send(request, stream),
            Fault::Flip(at) => {
                let mut answer = answer.ranged(request);
                answer.ranges = false;
                if let Some(byte) = answer.body.get_mut(at) {
                    *byte ^= 0x20;
                }
                let length = answer.body.len() as u64;
                stream.write_all(answer.head(Some(length)).as_bytes())?;
                stream.write_all(&answer.body)
            }
            Fault::Status(status, headers) => {
                let mut page = Answer::new(status, "text/plain", "no such luck");
                page.headers.extend(headers);
                page.send(request, stream)
            }
            Fault::Redirect(to) => {
                Answer::new(307, "text/plain", "").header("location", to).send(request, stream)
            }
            Fault::Drip(bytes, pause) => {
                let answer = answer.ranged(request);
                stream.write_all(answer.head(Some(answer.body.len() as u64)).as_bytes())?;
                for piece in answer.body.chunks(bytes.max(1)) {
                    stream.write_all(piece)?;
                    if wait(pause, stop) {
                        break;
                    }
                }
                Ok(())
            }
            Fault::Etag(etag) => {
                let mut answer = answer;
                answer.headers.retain(|(n, _)| n != "etag" && n != "x-linked-etag");
                answer.header("etag", etag).send(request, stream)
            }
            Fault::Endless => {
                let answer = answer.ranged(request);
                stream.write_all(answer.head(None).as_bytes())?;
                stream.write_all(&answer.body)?;
                let more = vec![b'x'; 64 * 1024];
                // Not quite without end, lest a client that never stops fill the disk.
                for _ in 0..1024 {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    stream.write_all(&more)?;
                }
                Ok(())
            }
            Fault::NoLength => {
                let answer = answer.ranged(request);
                stream.write_all(answer.head(None).as_bytes())?;
                stream.write_all(&answer.body)
            }
            Fault::EarlyHints(pause) => {
                stream.write_all(
                    b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload; as=style\r\n\r\n",
                )?;
                stream.flush()?;
                wait(pause, stop);
                answer.send(request, stream)
            }
            Fault::Raw(bytes) => stream.write_all(&bytes),
            Fault::Body(body) => Answer { body, ranges: false, ..answer }.send(request, stream),
        }
    }
}

fn send_part(answer: &Answer, bytes: usize, stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(answer.head(Some(answer.body.len() as u64)).as_bytes())?;
    stream.write_all(&answer.body[..bytes.min(answer.body.len())])
}

/// As if the range had begun one byte earlier (or the file's second byte, without a range).
fn send_other_part(answer: Answer, request: &Request, stream: &mut TcpStream) -> io::Result<()> {
    let first = request.range().map_or(1, |(first, _)| first.saturating_sub(1));
    let size = answer.body.len();
    let mut answer = answer;
    answer.status = 206;
    answer.ranges = false;
    answer.body = answer.body[(first as usize).min(size)..].to_vec();
    let range = format!("bytes {first}-{}/{size}", size.saturating_sub(1));
    answer.header("content-range", range).send(request, stream)
}

/// Waits, unless the server is stopped meanwhile (then `true`).
fn wait(time: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if stop.load(Ordering::Relaxed) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10).min(time));
    }
    stop.load(Ordering::Relaxed)
}
