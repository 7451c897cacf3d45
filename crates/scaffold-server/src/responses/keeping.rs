//! Keeping a response when it is complete.

use std::sync::Arc;

use serde_json::Value;

use super::memory::Turn;
use crate::call::{Call, Shared};

/// Where a response is to be kept when it is complete.
pub(super) struct Keeping {
    shared: Arc<Shared>,
    owner: Arc<str>,
    input: Vec<Value>,
    before: Option<Arc<Turn>>,
}

impl Keeping {
    pub(super) fn new(call: &Call, input: Vec<Value>, before: Option<Arc<Turn>>) -> Self {
        let (shared, owner) = (Arc::clone(&call.shared), Arc::clone(&call.client.owner));
        Self { shared, owner, input, before }
    }

    pub(super) fn keep(self, response: &Value) {
        let Self { shared, owner, input, before } = self;
        shared.responses.keep(&owner, response, input, before);
    }
}
