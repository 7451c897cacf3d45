//! The way of events from the engine's thread to the door: bounded, and never a brake on the
//! engine. This is the door's end of it; the engine's is the [sender](crate::sender).
//!
//! A stream holds a fixed number of events. When its reader is slower than the model, further text
//! is appended to the last piece that waits, so a slow reader gets fewer, longer pieces, and the
//! engine neither waits nor drops anything. The memory of what is not read is bounded, too: a
//! reader that is too many bytes behind is waited for, with its request back in the queue, where it
//! keeps no KV blocks from anyone, until the reader has read half of that.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::event::Event;

#[derive(Debug)]
struct Queue {
    events: VecDeque<Event>,
    /// Whom to wake when an event arrives, besides the thread that waits.
    waker: Option<Waker>,
}

/// What a reader and the engine share.
#[derive(Debug)]
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    /// The reader is gone, or wants no more: the request is cancelled.
    cancelled: AtomicBool,
    /// Tokens of the prompt that are computed.
    read: AtomicUsize,
    /// Bytes that are not read. Written with the queue held.
    unread: AtomicUsize,
    /// The engine waits for the reader. Written with the queue held.
    lagging: AtomicBool,
    room: Room,
}

/// What a stream holds.
#[derive(Clone)]
pub(crate) struct Room {
    /// Events, before text is gathered.
    pub(crate) events: usize,
    /// Bytes, before the engine waits for the reader.
    pub(crate) bytes: usize,
    /// Wakes an engine that waits for readers.
    pub(crate) wake: Arc<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { events, bytes, .. } = self;
        f.debug_struct("Room").field("events", events).field("bytes", bytes).finish_non_exhaustive()
    }
}

/// What a reader gets.
enum Next {
    Event(Event),
    End,
    Wait,
}

impl Shared {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            queue: Mutex::new(Queue {
                // A stream that waits, of which there may be thousands, takes no memory for events.
                events: VecDeque::new(),
                waker: None,
            }),
            arrived: Condvar::new(),
            cancelled: AtomicBool::new(false),
            read: AtomicUsize::new(0),
            unread: AtomicUsize::new(0),
            lagging: AtomicBool::new(false),
            room,
        }
    }

    /// Delivers an event. Never waits: see the module's text for what happens when the reader is
    /// slow.
    pub(crate) fn push(&self, event: Event) {
        let mut queue = self.lock();
        let full = queue.events.len() >= self.room.events;
        let bytes = match (event, queue.events.back_mut()) {
            (Event::Text(next), Some(Event::Text(last))) if full => {
                let bytes = next.bytes();
                last.append(next);
                bytes
            }
            (event, _) => {
                let bytes = event.bytes();
                queue.events.push_back(event);
                bytes
            }
        };
        self.unread.fetch_add(bytes, Ordering::Relaxed);
        self.wake(queue);
    }

    /// Notes how far the prompt is computed.
    pub(crate) fn note_read(&self, tokens: usize) {
        self.read.store(tokens, Ordering::Relaxed);
    }

    /// Whether the reader is gone.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Whether the reader is too far behind; it then tells when it has read.
    pub(crate) fn is_behind(&self) -> bool {
        let behind = || self.unread.load(Ordering::Relaxed) >= self.room.bytes;
        if !behind() {
            return false;
        }
        // With the queue held, so that the reader sees it before it reads on.
        let _queue = self.lock();
        let behind = behind();
        self.lagging.store(behind, Ordering::Relaxed);
        behind
    }

    /// Whether it was too far behind and is so still.
    pub(crate) fn is_lagging(&self) -> bool {
        self.lagging.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a reader gets now. Of a cancelled request that is what came before it was cancelled.
    fn take(&self, queue: &mut Queue) -> Next {
        match queue.events.pop_front() {
            Some(event) => {
                let bytes = event.bytes();
                let left = self.unread.fetch_sub(bytes, Ordering::Relaxed) - bytes;
                if left <= self.room.bytes / 2 {
                    self.go_on();
                }
                Next::Event(event)
            }
            None if self.cancelled.load(Ordering::Relaxed) => Next::End,
            None => Next::Wait,
        }
    }

    /// Wakes the reader, by whichever way it waits.
    fn wake(&self, mut queue: MutexGuard<'_, Queue>) {
        let waker = queue.waker.take();
        drop(queue);
        self.arrived.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The engine sees it before its next step.
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        let queue = self.lock();
        self.go_on();
        self.wake(queue);
    }

    /// Wakes an engine that waits for the reader.
    fn go_on(&self) {
        if self.lagging.swap(false, Ordering::Relaxed) {
            (self.room.wake)();
        }
    }
}

/// The events of one request, in order, as an iterator or one by one.
///
/// Dropping the stream cancels the request, wherever it is: in the queue, in its prompt or in its
/// answer. The engine sees it before its next step.
#[derive(Debug)]
pub struct EventStream {
    shared: Arc<Shared>,
    ended: bool,
}

impl EventStream {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, ended: false }
    }

    /// Waits for the next event; `None` after the last one.
    pub fn recv(&mut self) -> Option<Event> {
        self.wait(None)
    }

    /// Waits for the next event, but no longer than `timeout`; `None` when it did not come, or
    /// after the last one ([`is_ended`](Self::is_ended) tells the two apart).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Option<Event> {
        // A timeout past the end of time is none.
        self.wait(Instant::now().checked_add(timeout))
    }

    /// The next event, if there is one now.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.wait(Some(Instant::now()))
    }

    /// Whether the last event was handed out, or the request was cancelled.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Tokens of the prompt that are computed until now, those that were found in the cache among
    /// them.
    pub fn prompt_read(&self) -> usize {
        self.shared.read.load(Ordering::Relaxed)
    }

    /// A handle that cancels the request from elsewhere. What has arrived is still handed out; then
    /// the stream ends without a last event.
    pub fn canceller(&self) -> Canceller {
        Canceller { shared: Arc::clone(&self.shared) }
    }

    /// The next event, for a task that is woken when it is there: `None` after the last one. No
    /// thread waits meanwhile.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let mut queue = self.shared.lock();
        match self.shared.take(&mut queue) {
            Next::Event(event) => {
                self.ended = event.is_last();
                Poll::Ready(Some(event))
            }
            Next::End => {
                self.ended = true;
                Poll::Ready(None)
            }
            Next::Wait => {
                queue.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn wait(&mut self, deadline: Option<Instant>) -> Option<Event> {
        if self.ended {
            return None;
        }
        let mut queue = self.shared.lock();
        loop {
            match self.shared.take(&mut queue) {
                Next::Event(event) => {
                    self.ended = event.is_last();
                    return Some(event);
                }
                Next::End => {
                    self.ended = true;
                    return None;
                }
                Next::Wait => {}
            }
            queue = match deadline {
                None => self.shared.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline
                        .checked_duration_since(Instant::now())
                        .filter(|left| !left.is_zero())?;
                    self.shared
                        .arrived
                        .wait_timeout(queue, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

/// Cancels a request; see [`EventStream::canceller`].
#[derive(Clone, Debug)]
pub struct Canceller {
    shared: Arc<Shared>,
}

impl Canceller {
    /// Cancels the request, wherever it is. Does nothing when it has ended.
    pub fn cancel(&self) {
        self.shared.cancel();
    }

    /// Whether it was cancelled, or its reader is gone.
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }
}

impl Iterator for EventStream {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.recv()
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.shared.cancel();
    }
}
