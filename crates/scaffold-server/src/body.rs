//! Bodies of answers: all at once, or as they are made.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;

/// An answer of HTTP.
pub(crate) type Reply = Response<Body>;

/// A body that is made while it is sent.
pub(crate) trait Source: Send {
    /// The next bytes; `None` at the end.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>>;
}

/// The body of an answer. Dropping it ends what makes it.
pub(crate) enum Body {
    /// All of it.
    Whole(Option<Bytes>),
    /// As it comes.
    Source(Box<dyn Source>),
}

impl Body {
    /// Holds something as long as it is being made.
    pub(crate) fn with<T: Send + 'static>(self, held: Option<T>) -> Self {
        match (self, held) {
            (Body::Source(source), Some(held)) => {
                Body::Source(Box::new(Holding { source, _held: held }))
            }
            (body, _) => body,
        }
    }
}

/// A body with what it holds.
struct Holding<T> {
    source: Box<dyn Source>,
    _held: T,
}

impl<T: Send> Source for Holding<T> {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.source.poll_next(context)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut *self {
            Body::Whole(bytes) => bytes.take(),
            Body::Source(source) => std::task::ready!(source.poll_next(context)),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Body::Source(_) => SizeHint::default(),
        }
    }
}

/// An answer with a body of a type.
pub(crate) fn reply(status: u16, content_type: &'static str, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// An answer in JSON.
pub(crate) fn json(status: u16, value: &Value) -> Reply {
    let body = Body::Whole(Some(Bytes::from(value.to_string())));
    reply(status, "application/json; charset=utf-8", body)
}

/// An answer in words.
pub(crate) fn text(text: impl Into<Bytes>) -> Reply {
    reply(200, "text/plain; charset=utf-8", Body::Whole(Some(text.into())))
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Reply {
    let mut reply = Response::new(Body::Whole(None));
    *reply.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::OK);
    reply
}
