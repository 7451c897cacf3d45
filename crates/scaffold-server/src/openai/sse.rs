//! Server-sent events.

use serde_json::Value;

use crate::dialect::Dialect;
use crate::fault::Fault;

pub(crate) const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";
/// A comment: clients pass over it.
pub(crate) const HEARTBEAT: &[u8] = b": still at it\n\n";

/// An event.
pub(crate) fn event(value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(value.to_string().as_bytes());
    out.extend_from_slice(b"\n\n");
}

/// The last event.
pub(crate) fn done(out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: [DONE]\n\n");
}

/// What went wrong on the way.
pub(crate) fn failed(fault: &Fault, out: &mut Vec<u8>) {
    event(&Dialect::OpenAi.error(fault), out);
}
