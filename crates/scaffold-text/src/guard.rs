//! Foreign code behind a guard: where a library panics on what a model's file describes, that is an
//! error of the call and not the end of the thread.
//!
//! Two things make that sound. A guarded call works on values of its own and on a tokenizer that is
//! only read, whose caches stand behind locks that a panic poisons and nobody takes for whole. And
//! panics unwind: a build in which they abort is refused by the compiler.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

#[cfg(not(panic = "unwind"))]
compile_error!(
    "scaffold-text catches panics of the `tokenizers` library, which a crafted tokenizer.json can cause: build it with \
     panic = \"unwind\""
);

thread_local! {
    /// Guarded calls that this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the last guarded panic happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Where a guarded panic happened in this crate's own code, which no model's file excuses.
    static OWN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs foreign code; a panic in it becomes an error with its words and its place. Nothing is
/// printed about it.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    hush();
    DEPTH.set(DEPTH.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|panic| {
        let words = words(&*panic);
        match PLACE.take() {
            Some(place) => format!("{words} ({place})"),
            None => words,
        }
    })
}

/// Where this thread's own code panicked behind the guard since this was asked last. For fuzzing:
/// the guard is there for foreign code, and must not hide faults of ours.
pub(crate) fn own_panic() -> Option<String> {
    OWN.take()
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it gives no reason").to_owned()
}

/// Puts a hook before the program's own, once: it keeps guarded panics to itself and hands on all
/// others.
fn hush() {
    static ONCE: Once = Once::new();
    // A thread that panics already cannot change the hook, and its next guarded call is soon
    // enough.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| set_hook(hushed(take_hook())));
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// A hook that hears all panics but the guarded ones.
fn hushed(others: Hook) -> Hook {
    Box::new(move |info| {
        if DEPTH.get() == 0 {
            others(info);
        } else {
            PLACE.set(place(info));
            if let Some(place) = info.location().filter(|place| is_own(place.file())) {
                OWN.set(Some(place.to_string()));
            }
        }
    })
}

/// Whether a source file is one of this crate, which lies beside this one.
fn is_own(file: &str) -> bool {
    let here = file!();
    here.strip_suffix("guard.rs").is_some_and(|directory| file.starts_with(directory))
}

/// The file's name and the line, without the directories of the machine that built this program.
fn place(info: &PanicHookInfo<'_>) -> Option<String> {
    let location = info.location()?;
    let file = location.file();
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    Some(format!("{name}:{}", location.line()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words_and_its_place() {
        assert_eq!(guarded(|| 5), Ok(5));
        let error = guarded(|| panic!("{} apples", 3)).map(|()| 0).unwrap_err();
        assert!(error.starts_with("3 apples (guard.rs:") && error.ends_with(')'), "{error}");
        assert_eq!(
            guarded(|| std::panic::resume_unwind(Box::new(7u8))),
            Err::<(), _>("it gives no reason".to_owned())
        );
    }

    #[test]
    fn a_panic_of_our_own_is_known_from_a_foreign_one() {
        assert!(guarded(|| panic!("ours")).is_err());
        let place = own_panic().expect("a place");
        assert!(place.contains("guard.rs"), "{place}");
        assert_eq!(own_panic(), None);
        assert!(!is_own("/registry/src/tokenizers-0.23.2/src/guard.rs"));
    }

    #[test]
    fn only_guarded_panics_are_kept_from_the_hook() {
        thread_local!(static HEARD: Cell<usize> = const { Cell::new(0) });
        let before = take_hook();
        set_hook(hushed(Box::new(move |info| {
            HEARD.set(HEARD.get() + 1);
            before(info);
        })));
        assert!(guarded(|| guarded(|| panic!("inside")).is_err()).unwrap());
        assert_eq!((HEARD.get(), DEPTH.get()), (0, 0));
        assert!(catch_unwind(|| panic!("outside")).is_err());
        assert_eq!(HEARD.get(), 1);
    }
}
