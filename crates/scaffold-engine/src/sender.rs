//! The engine's end of streams: one reader, or several who asked for the same.
//!
//! A request whose answer is determined may be joined by equal ones while it is at work. Each
//! reader gets all events from the first on; what came before one has joined is kept for that, its
//! pieces of text put together. The request is cancelled when the last reader has left, and waited
//! for only while all of them are far behind.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::channel::{EventStream, Room, Shared};
use crate::event::Event;
use crate::health::Record;

/// A stream, and the engine's end of it. `record` knows why an engine is gone that has said
/// nothing.
pub(crate) fn event_channel(room: Room, record: Arc<Record>) -> (EventSender, EventStream) {
    channel(room, record, None)
}

/// As [`event_channel`], for a request that others may join.
pub(crate) fn joined_channel(room: Room, record: Arc<Record>) -> (EventSender, EventStream) {
    channel(room, record, Some(Vec::new()))
}

fn channel(
    room: Room,
    record: Arc<Record>,
    said: Option<Vec<Event>>,
) -> (EventSender, EventStream) {
    let reader = Arc::new(Shared::new(room));
    let readers = vec![Arc::clone(&reader)];
    let inner = Inner { readers, said, closed: false, given_up: false, read: 0 };
    (
        EventSender { readers: Arc::new(Readers(Mutex::new(inner))), record },
        EventStream::new(reader),
    )
}

/// The readers of one request.
#[derive(Debug)]
pub(crate) struct Readers(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    readers: Vec<Arc<Shared>>,
    /// What was said until now, where others may join.
    said: Option<Vec<Event>>,
    /// A last event was sent. A sender that goes sends one.
    closed: bool,
    /// The engine has seen that all have left.
    given_up: bool,
    /// Tokens of the prompt that are computed.
    read: usize,
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more reader, who hears everything; `None` where the request is over.
    pub(crate) fn join(&self, room: Room) -> Option<EventStream> {
        let mut inner = self.lock();
        if inner.closed || inner.given_up {
            return None;
        }
        let said = inner.said.as_ref()?;
        let reader = Arc::new(Shared::new(room));
        for event in said {
            reader.push(event.clone());
        }
        reader.note_read(inner.read);
        inner.readers.push(Arc::clone(&reader));
        Some(EventStream::new(reader))
    }

    /// Whether nobody can join any more.
    pub(crate) fn is_over(&self) -> bool {
        let inner = self.lock();
        inner.closed || inner.given_up
    }
}

/// The engine's end of a stream.
#[derive(Debug)]
pub(crate) struct EventSender {
    readers: Arc<Readers>,
    record: Arc<Record>,
}

impl EventSender {
    /// Those who read it.
    pub(crate) fn readers(&self) -> &Arc<Readers> {
        &self.readers
    }

    /// Delivers an event to all. Never waits.
    pub(crate) fn send(&self, event: Event) {
        let mut inner = self.readers.lock();
        inner.closed |= event.is_last();
        if inner.closed {
            inner.said = None;
        }
        if let Some(said) = &mut inner.said {
            match (&event, said.last_mut()) {
                (Event::Text(next), Some(Event::Text(last))) => last.append(next.clone()),
                _ => said.push(event.clone()),
            }
        }
        if inner.readers.len() > 1 {
            inner.readers.retain(|reader| !reader.is_cancelled());
        }
        if let Some((last, others)) = inner.readers.split_last() {
            for reader in others {
                reader.push(event.clone());
            }
            last.push(event);
        }
    }

    /// Tells how far the prompt is computed. That is no event: who waits for the answer's text need
    /// not be woken for it.
    pub(crate) fn tell_read(&self, tokens: usize) {
        let mut inner = self.readers.lock();
        inner.read = tokens;
        for reader in &inner.readers {
            reader.note_read(tokens);
        }
    }

    /// Whether all readers are gone: none comes any more then.
    pub(crate) fn is_cancelled(&self) -> bool {
        let mut inner = self.readers.lock();
        let is_left = inner.readers.iter().all(|reader| reader.is_cancelled());
        inner.given_up |= is_left;
        is_left
    }

    /// Whether the readers are so far behind that they have to be waited for.
    pub(crate) fn is_behind(&self) -> bool {
        let inner = self.readers.lock();
        let (mut is_read, mut are_behind) = (false, true);
        for reader in inner.readers.iter().filter(|reader| !reader.is_cancelled()) {
            is_read = true;
            // All are asked, so that each tells when it has read.
            are_behind &= reader.is_behind();
        }
        is_read && are_behind
    }

    /// Whether the engine need not wait for the readers any more.
    pub(crate) fn has_caught_up(&self) -> bool {
        let inner = self.readers.lock();
        inner.readers.iter().any(|reader| reader.is_cancelled() || !reader.is_lagging())
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        let closed = self.readers.lock().closed;
        // Of a cancelled request everybody knows why nothing comes any more.
        if !closed && !self.is_cancelled() {
            self.send(Event::Failed(self.record.reason()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake};
    use std::time::Duration;

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
            event_channel(Room { events: 1000, bytes: 600, wake: wake.clone() }, Arc::default());
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
        let (sender, stream) = event_channel(Room { events: 1000, bytes: 1, wake }, Arc::default());
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

    fn text_of(stream: EventStream) -> String {
        let text = |event| match event {
            Event::Text(text) => text.text,
            _ => "!".to_owned(),
        };
        stream.map(text).collect()
    }

    #[test]
    fn who_joins_hears_everything_and_leaves_alone() {
        let (sender, first) = joined_channel(room(100), Arc::default());
        sender.send(piece("a", 0));
        sender.send(piece("b", 1));
        sender.tell_read(7);
        let second = sender.readers().join(room(100)).unwrap();
        assert_eq!(second.prompt_read(), 7);
        let third = sender.readers().join(room(100)).unwrap();
        sender.send(piece("c", 2));
        drop(third);
        drop(first);
        assert!(!sender.is_cancelled());
        sender.send(piece("d", 3));
        let fourth = sender.readers().join(room(100)).unwrap();
        sender.send(Event::Failed(stopped()));
        assert!(sender.readers().is_over() && sender.readers().join(room(100)).is_none());
        assert_eq!((text_of(second), text_of(fourth)), ("abcd!".to_owned(), "abcd!".to_owned()));
    }

    #[test]
    fn nobody_joins_what_all_have_left_or_what_is_not_to_be_joined() {
        let (sender, first) = joined_channel(room(100), Arc::default());
        let second = sender.readers().join(room(100)).unwrap();
        drop(first);
        assert!(!sender.is_cancelled());
        drop(second);
        // Somebody who comes before the engine has seen it is in time.
        let third = sender.readers().join(room(100)).unwrap();
        assert!(!sender.is_cancelled());
        drop(third);
        assert!(sender.is_cancelled() && sender.readers().join(room(100)).is_none());
        let (sender, _stream) = event_channel(room(100), Arc::default());
        assert!(sender.readers().join(room(100)).is_none());
    }

    #[test]
    fn the_engine_waits_only_for_all_of_them() {
        let room = || Room { bytes: 1, ..room(100) };
        let (sender, mut slow) = joined_channel(room(), Arc::default());
        let mut quick = sender.readers().join(room()).unwrap();
        sender.send(piece("a", 0));
        assert!(sender.is_behind() && !sender.has_caught_up());
        assert!(quick.try_recv().is_some());
        assert!(sender.has_caught_up() && !sender.is_behind());
        sender.send(piece("b", 1));
        assert!(sender.is_behind());
        drop(quick);
        assert!(sender.has_caught_up(), "who has left is not waited for");
        assert!(slow.try_recv().is_some() && slow.try_recv().is_some());
        assert!(!sender.is_behind());
    }
}
