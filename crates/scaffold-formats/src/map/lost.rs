//! Mapped files that become shorter while they are read.
//!
//! Reading a page of a mapping behind the end of its file makes the system send `SIGBUS`, which ends
//! the process. Files of models are shared with other programs, and a server holds several models;
//! so here such a page is replaced by one of zeros, it is noted that the file has lost it, and who
//! reads the file asks for that note before anything is made of what was read.
//!
//! The handler does only what POSIX allows in one: it looks at atomics of fixed places and calls
//! `mmap`. Faults elsewhere go to whoever handled them before. It is set once, when the first file
//! is mapped, and leaves alone what another part of the program has set: that is called for all
//! other faults.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use scaffold_error::{Error, err};

/// Files that are watched at once; more are mapped without being watched.
const PLACES: usize = 1024;

/// A mapping, as the handler sees it.
struct Place {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    lost: AtomicBool,
}

static MAPPINGS: [Place; PLACES] = [const {
    Place {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        lost: AtomicBool::new(false),
    }
}; PLACES];

/// Tells whether a mapped file has become shorter than it was when it was mapped.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// What is lost of the last page is read as zeros, without any signal.
    file: File,
    bytes: u64,
    place: Option<usize>,
}

impl Watch {
    /// Watches a mapping of a file.
    pub(super) fn of(path: &Path, file: File, mapping: &[u8]) -> Self {
        install();
        let free = |place: &Place| !place.taken.swap(true, Ordering::AcqRel);
        let place = MAPPINGS.iter().position(free);
        if let Some(place) = place.map(|place| &MAPPINGS[place]) {
            let start = mapping.as_ptr().addr();
            place.lost.store(false, Ordering::Relaxed);
            place.end.store(start + mapping.len().next_multiple_of(page()), Ordering::Relaxed);
            place.start.store(start, Ordering::Release);
        }
        Self(Arc::new(Watched { path: path.to_owned(), file, bytes: mapping.len() as u64, place }))
    }

    /// The mapping is gone; what was noted stays.
    pub(super) fn end(&self) {
        if let Some(place) = self.0.place {
            MAPPINGS[place].start.store(0, Ordering::Release);
            MAPPINGS[place].end.store(0, Ordering::Release);
        }
    }

    /// Whether all that was read was there.
    ///
    /// # Errors
    /// [`Damaged`](scaffold_error::Kind::Damaged): the file has become shorter, and zeros were read
    /// in place of what it has lost.
    pub fn check(&self) -> Result<(), Error> {
        let watched = &*self.0;
        let lost = watched.place.is_some_and(|at| MAPPINGS[at].lost.load(Ordering::Acquire));
        let now = watched.file.metadata().map_or(0, |facts| facts.len());
        if !lost && now >= watched.bytes {
            return Ok(());
        }
        Err(err!(
            Damaged,
            "the file became shorter while it was in use: another program has written to it, and what was read of it is worth \
             nothing; get the file again, and load the model again"
        )
        .in_file(&watched.path))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let place = &MAPPINGS[place];
            place.start.store(0, Ordering::Release);
            place.end.store(0, Ordering::Release);
            place.taken.store(false, Ordering::Release);
        }
    }
}

/// Bytes of a page.
fn page() -> usize {
    static PAGE: OnceLock<usize> = OnceLock::new();
    *PAGE.get_or_init(|| {
        // SAFETY: it only asks for a number.
        let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(bytes).unwrap_or(4096)
    })
}

/// What handled the signal before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
/// For the handler, which may not wait for a lock.
static PAGE_BYTES: AtomicUsize = AtomicUsize::new(4096);

fn install() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        PAGE_BYTES.store(page(), Ordering::Release);
        // SAFETY: all zeros are a valid `sigaction`; both calls get pointers to live values, and the
        // handler is one that a handler may be (see `handle`).
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut before) != 0 {
                return;
            }
            let _ = BEFORE.set(before);
            let mut ours: libc::sigaction = std::mem::zeroed();
            ours.sa_sigaction = handle as *const () as usize;
            // On the stack that the standard library has set aside for faults of the stack itself.
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGBUS, &raw const ours, std::ptr::null_mut());
        }
    });
}

/// Puts zeros where a watched mapping has lost a page.
extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the system passes a valid `siginfo_t`, and `SIGBUS` has an address.
    let address = unsafe { (*info).si_addr() }.addr();
    let within = |place: &&Place| {
        let start = place.start.load(Ordering::Acquire);
        start != 0 && (start..place.end.load(Ordering::Acquire)).contains(&address)
    };
    let found = MAPPINGS.iter().find(within);
    let replaced = found.is_some_and(|place| {
        place.lost.store(true, Ordering::Release);
        put_zeros(address)
    });
    if !replaced {
        pass_on(signal, info, context);
    }
}

fn put_zeros(address: usize) -> bool {
    let page = PAGE_BYTES.load(Ordering::Acquire);
    let start = address - address % page;
    // SAFETY: the page belongs to a mapping of this process that is read-only and is being read now,
    // so it is alive; a private page of zeros takes the place of one that cannot be read.
    let put = unsafe {
        libc::mmap(
            std::ptr::with_exposed_provenance_mut(start),
            page,
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    put != libc::MAP_FAILED
}

/// Gives the signal to whoever handled it before.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let before = BEFORE.get();
    match before {
        Some(before)
            if before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN =>
        {
            if before.sa_flags & libc::SA_SIGINFO != 0 {
                // SAFETY: the flag says that it is a function of this type, and it gets what the
                // system has passed.
                let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                    unsafe { std::mem::transmute(before.sa_sigaction) };
                handler(signal, info, context);
            } else {
                // SAFETY: without the flag it is a function of this type.
                let handler: extern "C" fn(libc::c_int) =
                    unsafe { std::mem::transmute(before.sa_sigaction) };
                handler(signal);
            }
        }
        _ => {
            // SAFETY: the default is always allowed. The fault comes again and ends the process, as
            // it would have without this handler.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::super::FileBytes;
    use super::*;

    #[test]
    fn a_file_that_becomes_shorter_is_named_and_the_process_lives() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weights");
        std::fs::write(&path, vec![7u8; 300_000]).unwrap();
        let other = directory.path().join("other");
        std::fs::write(&other, vec![8u8; 300_000]).unwrap();
        let (bytes, beside) = (FileBytes::map(&path).unwrap(), FileBytes::map(&other).unwrap());
        let watch = bytes.watch().unwrap().clone();
        assert_eq!((bytes[0], bytes[299_999], watch.check().is_ok()), (7, 7, true));
        OpenOptions::new().write(true).open(&path).unwrap().set_len(10_000).unwrap();
        assert_eq!((bytes[9_999], bytes[200_000], bytes[299_999]), (7, 0, 0));
        let error = watch.check().unwrap_err();
        assert_eq!(error.kind(), scaffold_error::Kind::Damaged);
        assert!(error.to_string().contains("weights") && error.to_string().contains("shorter"));
        // Nor a page less, but a few bytes.
        let end = beside.watch().unwrap();
        assert_eq!((beside[299_999], beside.watch().unwrap().check().is_ok()), (8, true));
        OpenOptions::new().write(true).open(&other).unwrap().set_len(299_990).unwrap();
        assert_eq!((beside[299_999], end.check().is_err()), (0, true));
        // What was noted outlives the mapping, and its place is free for others.
        drop(bytes);
        assert!(watch.check().is_err());
        drop(watch);
        std::fs::write(&path, vec![9u8; 300_000]).unwrap();
        let again = FileBytes::map(&path).unwrap();
        assert_eq!((again[299_999], again.watch().unwrap().check().is_ok()), (9, true));
    }

    #[test]
    fn there_may_be_more_files_than_places() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("small");
        std::fs::write(&path, [1; 100]).unwrap();
        let many: Vec<_> = (0..PLACES + 20).map(|_| FileBytes::map(&path).unwrap()).collect();
        assert!(many.iter().all(|bytes| bytes.watch().unwrap().check().is_ok()));
    }
}
