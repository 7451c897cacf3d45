//! One request, as the endpoints see it: past the gate, with its whole body.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use scaffold::engine::Standing;

use crate::body::Reply;
use crate::fault::Fault;
use crate::fields::Fields;
use crate::gate::client::Client;
use crate::models::Models;
use crate::notices::Notices;
use crate::places::Places;
use crate::responses::memory::Memory;
use crate::watched::Watched;

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) models: Arc<Models>,
    pub(crate) watched: Watched,
    /// Streams that tell of models, by client.
    pub(crate) listeners: Places,
    /// Responses that are kept for their clients.
    pub(crate) responses: Memory,
}

/// A request.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    /// The path, as it was written.
    pub(crate) path: String,
    /// What stands behind the path, without its question mark.
    pub(crate) query: String,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) client: Client,
    /// When it was read.
    pub(crate) begun: Instant,
    ignored: Mutex<Vec<String>>,
    /// What the client is told beside its answer.
    pub(crate) notices: Notices,
    /// A body that is read while it comes, in place of the whole one.
    incoming: Mutex<Option<Incoming>>,
}

impl Call {
    pub(crate) fn new(
        shared: Arc<Shared>,
        path: String,
        head: Parts,
        body: Bytes,
        client: Client,
    ) -> Self {
        let (begun, ignored) = (Instant::now(), Mutex::default());
        let query = head.uri.query().unwrap_or_default().to_owned();
        let (method, headers) = (head.method, head.headers);
        let notices = Notices::default();
        let incoming = Mutex::default();
        Self {
            shared,
            path,
            query,
            method,
            headers,
            body,
            client,
            begun,
            ignored,
            notices,
            incoming,
        }
    }

    /// The same with a body that is read while it comes.
    pub(crate) fn with_incoming(self, incoming: Incoming) -> Self {
        Self { incoming: Mutex::new(Some(incoming)), ..self }
    }

    /// The body that is read while it comes; there is one once, at paths that take such.
    pub(crate) fn incoming(&self) -> Option<Incoming> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn models(&self) -> &Arc<Models> {
        &self.shared.models
    }

    /// The fields of its body.
    pub(crate) fn fields(&self) -> Result<Fields, Fault> {
        Fields::of_body(&self.body)
    }

    /// The model that is asked. Clients of servers that have one model name none: that is the one that
    /// was loaded at the start, where it is the only one.
    pub(crate) fn model(&self, fields: &mut Fields) -> Result<String, Fault> {
        match fields.text("model")? {
            Some(model) => Ok(model),
            None => self.models().only().ok_or_else(|| {
                Fault::field(
                    "model",
                    "model is required, as the server was not started with one model alone (--model)",
                )
            }),
        }
    }

    /// Tells of what was not read of these.
    pub(crate) fn ignore(&self, fields: Fields) {
        self.ignored.lock().unwrap_or_else(PoisonError::into_inner).extend(fields.rest());
    }

    /// Tells of these, which were not read either.
    pub(crate) fn ignore_these(&self, names: Vec<String>) {
        self.ignored.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// What was accepted and has no meaning.
    pub(crate) fn ignored(&self) -> Vec<String> {
        std::mem::take(&mut *self.ignored.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts tokens that were read or written for the client.
    pub(crate) fn spend(&self, tokens: usize) {
        if let Some(account) = &self.client.account {
            account.spend(tokens);
        }
    }

    /// Where its requests stand among others.
    pub(crate) fn standing(&self) -> Standing {
        Standing {
            owner: Some(Arc::clone(&self.client.owner)),
            salt: self.client.salt.clone(),
            join: true,
            ..Standing::default()
        }
    }
}

/// What an endpoint gives.
pub(crate) type Answered = Result<Reply, Fault>;
