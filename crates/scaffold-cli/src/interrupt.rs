//! Ctrl-C: it ends the program, unless something is listening that can stop by itself.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;

use crate::out;

static LISTENING: AtomicBool = AtomicBool::new(false);
static PRESSED: AtomicBool = AtomicBool::new(false);

/// The exit code of a program that Ctrl-C ended: 128 and the number of the signal, as shells count.
pub(crate) const EXIT_CODE: u8 = 130;

/// Sets the handler; once, at the start. Without one, Ctrl-C ends the program as it does any other.
pub(crate) fn install() -> anyhow::Result<()> {
    let set = ctrlc::set_handler(|| {
        let noted = LISTENING.load(Ordering::SeqCst) && !PRESSED.swap(true, Ordering::SeqCst);
        // Pressed again before the listener stopped, or nobody listens.
        if !noted {
            remove_unfinished();
            #[expect(
                clippy::exit,
                reason = "nothing in the program can stop by itself at this point"
            )]
            std::process::exit(i32::from(EXIT_CODE));
        }
    });
    match set {
        Err(ctrlc::Error::System(error)) => {
            out::say(format_args!(
                "note: Ctrl-C ends the program at once here, because no thread can be started that watches for it ({error}); see `ulimit -u`"
            ));
            Ok(())
        }
        set => set.context("cannot watch for Ctrl-C"),
    }
}

/// Files that are not at their place yet.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes this file if the program is ended before [`keep`].
pub(crate) fn remove_when_stopped(path: &Path) {
    unfinished().push(path.to_owned());
}

/// The file has got its name, or is gone.
pub(crate) fn keep(path: &Path) {
    unfinished().retain(|other| other != path);
}

fn remove_unfinished() {
    for path in unfinished().drain(..) {
        // The program ends; there is nobody to tell.
        let _ = std::fs::remove_file(path);
    }
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this lives, a first Ctrl-C is only noted.
pub(crate) struct Listener {
    pressed: &'static AtomicBool,
}

impl Listener {
    /// Starts to listen.
    pub(crate) fn new() -> Listener {
        PRESSED.store(false, Ordering::SeqCst);
        LISTENING.store(true, Ordering::SeqCst);
        Listener { pressed: &PRESSED }
    }

    /// Whether Ctrl-C was pressed since.
    pub(crate) fn pressed(&self) -> bool {
        self.pressed.load(Ordering::SeqCst)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        LISTENING.store(false, Ordering::SeqCst);
    }
}
