//! How many of something each client has at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts by client. Who has none takes no room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<Arc<str>, usize>>>);

impl Places {
    /// One more for this client, if it has not so many already.
    pub(crate) fn take(&self, owner: &Arc<str>, most: usize) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(owner).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        counts.insert(Arc::clone(owner), count + 1);
        Some(Place { places: self.clone(), owner: Arc::clone(owner) })
    }
}

/// One that is taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    owner: Arc<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.owner) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_free_and_leave_nothing() {
        let places = Places::default();
        let (one, other): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let first = places.take(&one, 2).unwrap();
        let second = places.take(&one, 2).unwrap();
        assert!(places.take(&one, 2).is_none());
        assert!(places.take(&other, 1).is_some());
        drop(first);
        assert!(places.take(&one, 2).is_some());
        drop(second);
        assert!(places.0.lock().unwrap().is_empty());
    }
}
