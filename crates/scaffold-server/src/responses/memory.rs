//! Responses that are kept for their clients: in memory, within bounds, each for whoever asked for
//! it alone.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::options::KeptResponses;

/// What was said in one request and its answer, after what was said before. Several responses may
/// go on from one.
#[derive(Debug)]
pub(super) struct Turn {
    /// Items that came in.
    pub(super) input: Vec<Value>,
    /// Items that the model gave.
    pub(super) output: Vec<Value>,
    before: Option<Arc<Turn>>,
    bytes: usize,
    /// What all turns of the client take.
    total: Arc<AtomicUsize>,
}

impl Turn {
    /// All items up to the end of this turn, in order.
    pub(super) fn items(self: &Arc<Self>) -> Vec<Value> {
        let mut turns = vec![self];
        while let Some(before) = turns.last().and_then(|turn| turn.before.as_ref()) {
            turns.push(before);
        }
        let items = turns.into_iter().rev().flat_map(|turn| turn.input.iter().chain(&turn.output));
        items.cloned().collect()
    }

    fn find(&self, id: &str) -> Option<&Value> {
        self.output.iter().chain(&self.input).find(|item| item["id"] == id)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
        // A long conversation ends one turn after the other, and not each within the one after it.
        let mut before = self.before.take();
        while let Some(mut turn) = before.and_then(Arc::into_inner) {
            before = turn.before.take();
        }
    }
}

/// A response that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The response, as it was told.
    pub(super) response: Arc<Value>,
    pub(super) turn: Arc<Turn>,
    at: Instant,
}

/// What one client has, the oldest first.
#[derive(Debug, Default)]
struct Shelf {
    kept: VecDeque<(String, Kept)>,
    bytes: Arc<AtomicUsize>,
}

/// The responses of all clients.
#[derive(Debug)]
pub(crate) struct Memory {
    limits: KeptResponses,
    shelves: Mutex<HashMap<Arc<str>, Shelf>>,
}

impl Memory {
    pub(crate) fn new(limits: KeptResponses) -> Self {
        Self { limits, shelves: Mutex::default() }
    }

    /// Whether anything is kept at all.
    pub(super) fn keeps(&self) -> bool {
        self.limits.count > 0
    }

    /// Keeps a response, and forgets others where there is no room.
    pub(super) fn keep(
        &self,
        owner: &Arc<str>,
        response: &Value,
        input: Vec<Value>,
        before: Option<Arc<Turn>>,
    ) {
        let id = response["id"].as_str().unwrap_or_default().to_owned();
        let output = response["output"].as_array().cloned().unwrap_or_default();
        // The response has the items of the output once more.
        let items = input.iter().chain(&output).map(weight);
        let bytes = items.sum::<usize>() + weight(response) + id.len();
        self.with(|shelves| {
            let shelf = shelves.entry(Arc::clone(owner)).or_default();
            let total = Arc::clone(&shelf.bytes);
            total.fetch_add(bytes, Ordering::Relaxed);
            let turn = Arc::new(Turn { input, output, before, bytes, total });
            let response = Arc::new(response.clone());
            shelf.kept.push_back((id, Kept { response, turn, at: Instant::now() }));
        });
    }

    /// A response of this client's.
    pub(super) fn find(&self, owner: &str, id: &str) -> Option<Kept> {
        self.with(|shelves| {
            let kept = &shelves.get(owner)?.kept;
            kept.iter().rev().find(|(known, _)| known == id).map(|(_, kept)| kept.clone())
        })
    }

    /// An item of this client's.
    pub(super) fn item(&self, owner: &str, id: &str) -> Option<Value> {
        self.with(|shelves| {
            let kept = &shelves.get(owner)?.kept;
            kept.iter().rev().find_map(|(_, kept)| kept.turn.find(id).cloned())
        })
    }

    /// Forgets a response; whether it was there. What others go on from stays with those.
    pub(super) fn forget(&self, owner: &str, id: &str) -> bool {
        self.with(|shelves| {
            let Some(shelf) = shelves.get_mut(owner) else {
                return false;
            };
            let count = shelf.kept.len();
            shelf.kept.retain(|(known, _)| known != id);
            shelf.kept.len() < count
        })
    }

    /// Does something with what is kept, within the limits before and after it.
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Arc<str>, Shelf>) -> T) -> T {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        self.make_room(&mut shelves);
        let done = work(&mut shelves);
        self.make_room(&mut shelves);
        done
    }

    fn make_room(&self, shelves: &mut HashMap<Arc<str>, Shelf>) {
        let KeptResponses { count, bytes, age } = self.limits;
        for shelf in shelves.values_mut() {
            let is_old = |(_, kept): &(String, Kept)| kept.at.elapsed() >= age;
            while shelf.kept.front().is_some_and(is_old) {
                shelf.kept.pop_front();
            }
        }
        while shelves.values().map(|shelf| shelf.kept.len()).sum::<usize>() > count {
            forget_oldest(shelves, |shelf| shelf.kept.len());
        }
        let taken = |shelf: &Shelf| shelf.bytes.load(Ordering::Relaxed);
        // A response that is being computed may still hold what was forgotten.
        while shelves.values().map(taken).sum::<usize>() > bytes && forget_oldest(shelves, taken) {}
        shelves.retain(|_, shelf| !shelf.kept.is_empty());
    }
}

/// Forgets the oldest response of the client that has most; whether there was one.
fn forget_oldest(shelves: &mut HashMap<Arc<str>, Shelf>, share: impl Fn(&Shelf) -> usize) -> bool {
    let full = shelves.values_mut().filter(|shelf| !shelf.kept.is_empty());
    full.max_by_key(|shelf| share(shelf)).is_some_and(|shelf| shelf.kept.pop_front().is_some())
}

/// Bytes that a value takes in memory, about.
fn weight(value: &Value) -> usize {
    /// A place in a map, beside its key and its value.
    const ENTRY: usize = 48;
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, it)| ENTRY + key.len() + weight(it)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inner
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn memory(count: usize, bytes: usize) -> Memory {
        Memory::new(KeptResponses { count, bytes, age: Duration::from_mins(1) })
    }

    fn keep(memory: &Memory, owner: &str, id: &str, before: Option<&str>) {
        let before = before.map(|before| memory.find(owner, before).unwrap().turn);
        let item = |kind: &str| json!({"id": format!("{kind}_{id}"), "text": id});
        let response = json!({"id": id, "output": [item("out")]});
        memory.keep(&owner.into(), &response, vec![item("in")], before);
    }

    fn taken(memory: &Memory, owner: &str) -> usize {
        let shelves = memory.shelves.lock().unwrap();
        shelves.get(owner).map_or(0, |shelf| shelf.bytes.load(Ordering::Relaxed))
    }

    #[test]
    fn each_has_their_own_and_what_is_gone_on_from_stays() {
        let memory = memory(10, 1 << 20);
        keep(&memory, "me", "a", None);
        keep(&memory, "me", "b", Some("a"));
        assert!(memory.find("you", "a").is_none() && memory.item("you", "in_a").is_none());
        assert_eq!(memory.item("me", "out_b").unwrap()["text"], "b");
        assert!(memory.forget("me", "a") && !memory.forget("me", "a"));
        let items = memory.find("me", "b").unwrap().turn.items();
        let ids: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["in_a", "out_a", "in_b", "out_b"]);
        assert!(memory.forget("me", "b"));
        assert_eq!(taken(&memory, "me"), 0);
        assert!(memory.shelves.lock().unwrap().is_empty());
    }

    #[test]
    fn whoever_has_most_makes_room() {
        let memory = memory(4, 1 << 20);
        keep(&memory, "you", "only", None);
        for id in ["a", "b", "c", "d"] {
            keep(&memory, "me", id, None);
        }
        assert!(memory.find("you", "only").is_some() && memory.find("me", "a").is_none());
        let size = taken(&memory, "you");
        let small = self::memory(100, 3 * size);
        for id in ["a", "b", "c", "d", "e"] {
            keep(&small, "me", id, None);
        }
        assert!(small.find("me", "e").is_some() && small.find("me", "a").is_none());
        assert!(taken(&small, "me") <= 3 * size);
        // One that is larger than all may be is not kept.
        let none = self::memory(100, size / 2);
        keep(&none, "me", "abcdef", None);
        assert!(none.find("me", "abcdef").is_none());
    }

    #[test]
    fn old_ones_are_forgotten_and_long_chains_end_well() {
        let limits = KeptResponses { count: 10, bytes: 1 << 20, age: Duration::ZERO };
        let memory = Memory::new(limits);
        keep(&memory, "me", "a", None);
        assert!(memory.find("me", "a").is_none());
        let total = Arc::<AtomicUsize>::default();
        let mut before = None;
        for _ in 0..200_000 {
            let total = Arc::clone(&total);
            let turn = Turn { input: Vec::new(), output: Vec::new(), before, bytes: 0, total };
            before = Some(Arc::new(turn));
        }
        drop(before);
        assert_eq!(Arc::strong_count(&total), 1);
    }
}
