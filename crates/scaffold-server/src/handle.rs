//! One request, from its head to the head of its answer: the gate, the body, the endpoint, and what
//! every answer carries.

use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW,
    HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use hyper::{Method, Request};
use percent_encoding::percent_decode_str;

use crate::body::{Reply, empty, json};
use crate::call::{Answered, Call, Shared};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::random;
use crate::routes::{self, Route};

/// What answers requests.
pub(crate) struct Handler {
    pub(crate) shared: Arc<Shared>,
    pub(crate) gate: Gate,
    pub(crate) body_bytes: usize,
    pub(crate) body_time: Duration,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IGNORED: HeaderName = HeaderName::from_static("x-scaffold-ignored");
const NOTICE: HeaderName = HeaderName::from_static("x-scaffold-notice");
const VERSION: HeaderName = HeaderName::from_static("x-scaffold-version");

impl Handler {
    /// Answers a request, whatever it is and whatever happens.
    pub(crate) async fn handle(&self, request: Request<Incoming>, peer: IpAddr) -> Reply {
        let begun = Instant::now();
        let id = id_of(request.headers());
        let method = request.method().clone();
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
        let route = routes::find(&path);
        let mut seen =
            Seen { owner: None, origin: None, ignored: Vec::new(), notice: String::new() };
        let answered = if method == Method::OPTIONS {
            self.preflight(request.headers(), &mut seen)
        } else {
            // Boxed, so that one may be polled whose predecessor panicked, and small on its way.
            let work = Box::pin(self.answer(request, peer, &path, route, &mut seen));
            Caught(work).await
        };
        let mut reply = answered.unwrap_or_else(|fault| refusal(Dialect::of(&path), &fault));
        Self::add_headers(&mut reply, &id, &seen);
        let (status, time) = (reply.status().as_u16(), begun.elapsed());
        let known = route.map_or("other", |route| route.path);
        self.shared.watched.count(known, status, time);
        // A line a second would hide all others.
        if status < 400 && route.is_some_and(Route::is_for_watchers) {
            return reply;
        }
        tracing::info!(
            target: "scaffold::server",
            id,
            client = seen.owner.as_deref().unwrap_or("-"),
            %method,
            path = known,
            status,
            seconds = time.as_secs_f64(),
            ignored = seen.ignored.join(" "),
            "request"
        );
        reply
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        path: &str,
        route: Option<&'static Route>,
        seen: &mut Seen,
    ) -> Answered {
        let is_public = route.is_some_and(|route| route.is_public);
        let passed = self.gate.pass(request.headers(), peer, is_public)?;
        seen.origin = passed.origin;
        seen.owner = Some(Arc::clone(&passed.client.owner));
        let route = route.ok_or_else(|| {
            Fault::new(
                404,
                format!("there is nothing at {path}: see docs/compatibility.md for what there is"),
            )
        })?;
        if !route.takes(request.method().as_str()) {
            let (method, methods) = (request.method(), route.methods);
            let message = format!("{} takes {methods}, not {method}", route.path);
            return Err(Fault { allow: Some(methods), ..Fault::new(405, message) });
        }
        if self.shared.watched.is_draining() && !route.is_public {
            let message = "the server is being stopped and takes no more requests";
            let retry_after = Some(Duration::from_secs(5));
            return Err(Fault { retry_after, ..Fault::new(503, message) });
        }
        let account = passed.client.account.clone().filter(|_| route.computes());
        let entered = account.map(|account| account.enter()).transpose()?;
        let (head, body) = request.into_parts();
        let shared = Arc::clone(&self.shared);
        let call = |bytes| Call::new(shared, path.to_owned(), head, bytes, passed.client);
        let call = if route.takes_files() {
            call(Bytes::new()).with_incoming(body)
        } else {
            call(self.read(body).await?)
        };
        let reply = route.answer(&call).await?;
        // Names of fields are a client's words: what cannot stand in a header is left out.
        seen.ignored = call.ignored().iter().take(64).map(|name| plain(name)).collect();
        seen.notice = call.notices.joined();
        Ok(reply.map(|body| body.with(entered)))
    }

    /// The whole body, no longer than may be and no later.
    async fn read(&self, body: Incoming) -> Result<Bytes, Fault> {
        let limit = self.body_bytes;
        let read = tokio::time::timeout(self.body_time, Limited::new(body, limit).collect()).await;
        match read {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Fault::new(
                413,
                format!(
                    "the body is longer than {limit} bytes, which is the most that this server takes"
                ),
            )),
            Ok(Err(_)) => Err(Fault::new(400, "the body broke off")),
            Err(_) => Err(Fault::new(408, "the body did not come in time")),
        }
    }

    /// What a browser asks before it asks.
    fn preflight(&self, headers: &HeaderMap, seen: &mut Seen) -> Answered {
        seen.origin = self.gate.origin(headers)?;
        let mut reply = empty(204);
        let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let map = reply.headers_mut();
        map.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, POST, DELETE, OPTIONS"),
        );
        // A page that may ask may say what it likes.
        if let Some(wanted) = wanted {
            map.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        }
        map.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        Ok(reply)
    }

    fn add_headers(reply: &mut Reply, id: &str, seen: &Seen) {
        let map = reply.headers_mut();
        if let Ok(id) = HeaderValue::from_str(id) {
            map.insert(REQUEST_ID, id);
        }
        map.insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
        if let Some(origin) =
            seen.origin.as_deref().and_then(|origin| HeaderValue::from_str(origin).ok())
        {
            map.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = "x-request-id, x-scaffold-ignored, x-scaffold-notice, x-scaffold-version, retry-after";
            map.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
            map.insert(VARY, HeaderValue::from_static("origin"));
        }
        if let Ok(names) = HeaderValue::from_str(&seen.ignored.join(", "))
            && !seen.ignored.is_empty()
        {
            map.insert(IGNORED, names);
        }
        if let Ok(notice) = HeaderValue::from_str(&seen.notice)
            && !seen.notice.is_empty()
        {
            map.insert(NOTICE, notice);
        }
    }
}

/// What is known of a request when it is answered.
struct Seen {
    owner: Option<Arc<str>>,
    origin: Option<String>,
    ignored: Vec<String>,
    notice: String,
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_graphic() && *c != ',').take(64).collect()
}

/// The request's name: the client's own, where it has one that can be repeated.
fn id_of(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    match given
        .filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
    {
        Some(id) => id.to_owned(),
        None => random::digits(),
    }
}

fn refusal(dialect: Dialect, fault: &Fault) -> Reply {
    let mut reply = json(fault.status, &dialect.error(fault));
    let map = reply.headers_mut();
    if let Some(seconds) = fault.retry_seconds() {
        map.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(methods) = fault.allow {
        map.insert(ALLOW, HeaderValue::from_static(methods));
    }
    if fault.status == 401 {
        map.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    reply
}

/// A panic is a fault like any other: it has an answer.
struct Caught<F>(Pin<Box<F>>);

impl<F: Future<Output = Answered>> Future for Caught<F> {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Fault::internal())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_has_an_answer() {
        let work = Box::pin(async { panic!("for this test") });
        let mut caught = std::pin::pin!(Caught(work));
        let polled = caught.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()));
        let Poll::Ready(Err(fault)) = polled else { panic!("no answer") };
        assert_eq!(fault.status, 500);
    }
}
