//! A place for a model that comes and goes: unloaded, being loaded, or loaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Holds a model while it is loaded. Of several threads that want it loaded one does it; a look at
/// the place never waits for that.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    state: Mutex<State<T>>,
    /// Held by whoever loads or unloads; the state is free meanwhile.
    changing: Mutex<()>,
}

#[derive(Debug)]
enum State<T> {
    Unloaded,
    Loading,
    Loaded(Arc<T>),
}

/// Why a model is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Nobody loads it.
    Unloaded,
    /// A thread is loading it.
    Loading,
}

/// What ends when it is taken out.
pub(crate) trait Held {
    /// Whether it still does what it is there for.
    fn is_alive(&self) -> bool;

    /// Ends it, though others may still hold it.
    fn end(&self);
}

impl<T: Held> Slot<T> {
    pub(crate) fn of(model: T) -> Self {
        Self { state: Mutex::new(State::Loaded(Arc::new(model))), changing: Mutex::new(()) }
    }

    pub(crate) fn get(&self) -> Result<Arc<T>, Absent> {
        match &*self.lock() {
            State::Loaded(model) => Ok(Arc::clone(model)),
            State::Loading => Err(Absent::Loading),
            State::Unloaded => Err(Absent::Unloaded),
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.get().is_ok_and(|model| model.is_alive())
    }

    /// Does nothing while it is there and alive.
    pub(crate) fn load<E>(&self, open: impl FnOnce() -> Result<T, E>) -> Result<(), E> {
        let _changing = self.change();
        if self.is_alive() {
            return Ok(());
        }
        // The memory of one that has ended is needed for the new one.
        self.take_out(State::Loading);
        let coming = Coming(self);
        let model = open()?;
        *coming.0.lock() = State::Loaded(Arc::new(model));
        Ok(())
    }

    /// Ends what is there; waits for a thread that loads it.
    pub(crate) fn unload(&self) {
        let _changing = self.change();
        self.take_out(State::Unloaded);
    }

    fn take_out(&self, next: State<T>) {
        let state = std::mem::replace(&mut *self.lock(), next);
        if let State::Loaded(model) = state {
            model.end();
        }
    }
}

impl<T> Slot<T> {
    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never held for longer than a look takes.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the loading, however it ends: a model that has not come is not there.
struct Coming<'a, T>(&'a Slot<T>);

impl<T> Drop for Coming<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Loading) {
            *state = State::Unloaded;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// A model that can end.
    #[derive(Default)]
    struct Fake(AtomicBool);

    impl Held for Fake {
        fn is_alive(&self) -> bool {
            !self.0.load(Ordering::Relaxed)
        }

        fn end(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn unloaded() -> Slot<Fake> {
        let slot = Slot::of(Fake::default());
        slot.unload();
        slot
    }

    #[test]
    fn nobody_waits_for_a_model_that_is_being_loaded_but_who_loads_it() {
        let slot = unloaded();
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        std::thread::scope(|scope| {
            let slot = &slot;
            let first = scope.spawn(move || {
                slot.load(|| {
                    begun.send(()).unwrap();
                    may_go_on.recv_timeout(Duration::from_mins(1)).map(|()| Fake::default())
                })
            });
            has_begun.recv().unwrap();
            // This would wait for the loading, which waits for it.
            assert_eq!((slot.get().err(), slot.is_alive()), (Some(Absent::Loading), false));
            let second = scope.spawn(move || slot.load::<()>(|| panic!("it is loaded already")));
            go_on.send(()).unwrap();
            first.join().unwrap().unwrap();
            second.join().unwrap().unwrap();
        });
        assert!(slot.is_alive());
    }

    #[test]
    fn a_loading_that_fails_leaves_the_model_unloaded() {
        let slot = unloaded();
        assert_eq!(slot.load(|| Err("not today")), Err("not today"));
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            slot.load::<()>(|| panic!("in the middle"))
        }));
        assert!(broken.is_err());
        assert_eq!(slot.get().err(), Some(Absent::Unloaded));
        slot.load(|| Ok::<_, ()>(Fake::default())).unwrap();
        assert!(slot.is_alive());
    }

    #[test]
    fn one_that_has_ended_is_loaded_again() {
        let slot = Slot::of(Fake::default());
        let old = slot.get().unwrap();
        old.end();
        assert!(!slot.is_alive() && slot.get().is_ok());
        slot.load(|| Ok::<_, ()>(Fake::default())).unwrap();
        assert!(slot.is_alive() && !old.is_alive());
    }
}
