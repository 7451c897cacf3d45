//! The way of events from the engine's thread to the door: bounded, and never a brake on the
//! engine.
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
use crate::health::Record;

#[derive(Debug)]
struct Queue {
    events: VecDeque<Event>,
    /// A last event was sent. A sender that goes sends one.
    closed: bool,
    /// Whom to wake when an event arrives, besides the thread that waits.
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Shared {
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

/// A stream, and the engine's end of it. `record` knows why an engine is gone that has said
/// nothing.
pub(crate) fn event_channel(room: Room, record: Arc<Record>) -> (EventSender, EventStream) {
    let shared = Arc::new(Shared {
        queue: Mutex::new(Queue {
            // A stream that waits, of which there may be thousands, takes no memory for events.
            events: VecDeque::new(),
            closed: false,
            waker: None,
        }),
        arrived: Condvar::new(),
        cancelled: AtomicBool::new(false),
        read: AtomicUsize::new(0),
        unread: AtomicUsize::new(0),
        lagging: AtomicBool::new(false),
        room,
    });
    (EventSender { shared: Arc::clone(&shared), record }, EventStream { shared, ended: false })
}

/// The engine's end of a stream.
#[derive(Debug)]
pub(crate) struct EventSender {
    shared: Arc<Shared>,
    record: Arc<Record>,
}

impl EventSender {
    /// Delivers an event. Never waits: see the module's text for what happens when the reader is
    /// slow.
    pub(crate) fn send(&self, event: Event) {
        let mut queue = self.shared.lock();
        queue.closed |= event.is_last();
        let full = queue.events.len() >= self.shared.room.events;
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
        self.shared.unread.fetch_add(bytes, Ordering::Relaxed);
        self.shared.wake(queue);
    }

    /// Tells how far the prompt is computed. That is no event: who waits for the answer's text need
    /// not be woken for it.
    pub(crate) fn tell_read(&self, tokens: usize) {
        self.shared.read.store(tokens, Ordering::Relaxed);
    }

    /// Whether the reader is gone.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// Whether the reader is so far behind that it has to be waited for.
    pub(crate) fn is_behind(&self) -> bool {
        let shared = &*self.shared;
        let behind = || shared.unread.load(Ordering::Relaxed) >= shared.room.bytes;
        if !behind() {
            return false;
        }
        // With the queue held, so that the reader sees it before it reads on.
        let _queue = shared.lock();
        let behind = behind();
        shared.lagging.store(behind, Ordering::Relaxed);
        behind
    }

    /// Whether the engine need not wait for the reader any more.
    pub(crate) fn has_caught_up(&self) -> bool {
        !self.shared.lagging.load(Ordering::Relaxed)
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        let closed = self.shared.lock().closed;
        // Of a cancelled request everybody knows why nothing comes any more.
        if !closed && !self.is_cancelled() {
            self.send(Event::Failed(self.record.reason()));
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

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;
    use crate::event::Text;
    use crate::health::stopped;

    fn room(events: usize) -> Room {
        Room { events, bytes: 1 << 20, wake: Arc::new(|| {}) }
    }

    fn piece(text: &str, id: u32) -> Event {
        Event::Text(Text { text: text.into(), ids: vec![id], ..Text::default() })
    }

    #[test]
    fn a_slow_reader_gets_longer_pieces_and_loses_nothing() {
        let (sender, stream) = event_channel(room(2), Arc::default());
        for (id, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            sender.send(piece(text, id as u32));
        }
        sender.send(Event::Failed(stopped()));
        let pieces: Vec<_> = stream
            .map(|e| match e {
                Event::Text(t) => (t.text, t.ids),
                _ => ("end".into(), vec![]),
            })
            .collect();
        assert_eq!(
            pieces,
            [("a".into(), vec![0]), ("bcd".into(), vec![1, 2, 3]), ("end".into(), vec![])]
        );
    }

    #[test]
    fn a_reader_far_behind_is_waited_for_and_wakes_the_engine_once_it_has_read() {
        let woken = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&woken);
        let wake = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let (sender, mut stream) =
            event_channel(Room { events: 1000, bytes: 600, wake }, Arc::default());
        let mut sent = 0;
        while !sender.is_behind() {
            sender.send(piece(&"a".repeat(50), 0));
            sent += 1;
        }
        assert!((2..12).contains(&sent) && !sender.has_caught_up());
        let read = std::iter::from_fn(|| {
            let waits = woken.load(Ordering::Relaxed) == 0;
            waits.then(|| stream.try_recv()).flatten()
        });
        assert!((1..sent).contains(&read.count()), "half of it is enough");
        assert!(sender.has_caught_up() && !sender.is_behind());
        let (sender, stream) =
            event_channel(Room { bytes: 1, ..sender.shared.room.clone() }, Arc::default());
        sender.send(piece("a", 0));
        assert!(sender.is_behind());
        drop(stream);
        assert_eq!(woken.load(Ordering::Relaxed), 2, "a cancelled request is cleared away");
    }

    #[test]
    fn a_lost_engine_is_an_error_not_an_end() {
        let (sender, mut stream) = event_channel(room(4), Arc::default());
        sender.send(piece("a", 0));
        drop(sender);
        assert!(matches!(stream.recv(), Some(Event::Text(_))));
        let Some(Event::Failed(error)) = stream.recv() else { panic!("no failure") };
        assert_eq!(error.to_string(), stopped().to_string());
        assert!(stream.recv().is_none() && stream.is_ended());
    }

    #[test]
    fn dropping_the_stream_cancels() {
        let (sender, stream) = event_channel(room(4), Arc::default());
        assert!(!sender.is_cancelled());
        drop(stream);
        assert!(sender.is_cancelled());
        sender.send(piece("a", 0));
    }

    #[test]
    fn a_cancelled_stream_gives_what_it_has_and_ends() {
        let (sender, mut stream) = event_channel(room(4), Arc::default());
        let canceller = stream.canceller();
        sender.send(piece("a", 0));
        canceller.clone().cancel();
        assert!(sender.is_cancelled() && canceller.is_cancelled());
        drop(sender);
        assert!(matches!(stream.recv(), Some(Event::Text(_))));
        assert!(!stream.is_ended());
        assert!(stream.recv().is_none() && stream.is_ended());
    }

    #[test]
    fn whoever_waits_is_woken_by_a_cancel() {
        let (_sender, mut stream) = event_channel(room(4), Arc::default());
        let canceller = stream.canceller();
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || stream.recv().is_none());
            canceller.cancel();
            assert!(reader.join().unwrap());
        });
    }

    #[test]
    fn a_task_is_woken_when_something_has_arrived() {
        #[derive(Default)]
        struct Count(AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let count = Arc::<Count>::default();
        let (waker, woken) = (Arc::clone(&count).into(), || count.0.load(Ordering::Relaxed));
        let mut context = Context::from_waker(&waker);
        let (sender, mut stream) = event_channel(room(4), Arc::default());
        assert!(stream.poll_recv(&mut context).is_pending() && woken() == 0);
        sender.send(piece("a", 0));
        sender.send(piece("b", 1));
        assert_eq!(woken(), 1, "once for each time that it waits");
        assert!(stream.poll_recv(&mut context).is_ready());
        assert!(stream.poll_recv(&mut context).is_ready());
        assert!(stream.poll_recv(&mut context).is_pending());
        drop(sender);
        assert_eq!(woken(), 2);
        assert!(matches!(stream.poll_recv(&mut context), Poll::Ready(Some(Event::Failed(_)))));
        assert!(matches!(stream.poll_recv(&mut context), Poll::Ready(None)));
    }

    #[test]
    fn waiting_has_a_limit() {
        let (_sender, mut stream) = event_channel(room(4), Arc::default());
        assert!(stream.try_recv().is_none());
        assert!(stream.recv_timeout(Duration::from_millis(1)).is_none());
        assert!(!stream.is_ended());
    }
}
