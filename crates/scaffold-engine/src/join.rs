//! Requests that join equal ones that are at work.
//!
//! A client that has lost patience sends its request again, while the first is still computed.
//! Where the answer is determined both get the one that is computed.

use std::sync::{Arc, Weak};

use crate::channel::{EventStream, Room};
use crate::request::Request;
use crate::sender::Readers;

/// The requests at work that may be joined.
#[derive(Debug, Default)]
pub(crate) struct Joins(Vec<(Request, Weak<Readers>)>);

/// Whether a request may be joined, and join: its answer is the same whenever it is computed.
pub(crate) fn may_join(request: &Request) -> bool {
    let sampling = &request.sampling;
    request.standing.join && (sampling.is_greedy() || sampling.seed.is_some())
}

impl Joins {
    /// The answer to an equal request, from its start.
    pub(crate) fn join(&mut self, request: &Request, room: &Room) -> Option<EventStream> {
        self.0.retain(|(_, readers)| readers.upgrade().is_some_and(|readers| !readers.is_over()));
        let mut equal = self.0.iter().filter(|(other, _)| other == request);
        equal.find_map(|(_, readers)| readers.upgrade()?.join(room.clone()))
    }

    /// From now on others may join this one.
    pub(crate) fn add(&mut self, request: Request, readers: &Arc<Readers>) {
        self.0.push((request, Arc::downgrade(readers)));
    }
}
