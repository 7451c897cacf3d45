//! The engine's thread: takes what was submitted, computes a step, and sleeps when there is nothing
//! to do.
//!
//! Whatever panics here is caught. The requests at hand fail with an error that says so, what they
//! had of the model's memory is made anew, and the engine goes on if its state is whole. Otherwise
//! it ends, and its health says so.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use crate::contain::contained;
use crate::health::{Condition, Record, panicked};
use crate::prefix::Ask;
use crate::sequence::Sequence;
use crate::step::Core;

/// How long it sleeps at most while there are requests that cannot go on.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) enum Command {
    Submit(Box<Sequence>),
    /// A block of a prefix is to be copied.
    Prefix(Ask),
    /// A reader that was waited for has read, or is gone.
    Look,
    Stop,
}

/// Sees to it that the thread never leaves as if it were still there.
struct Leaving<'a>(&'a Record);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.left(Condition::Ended);
    }
}

/// Works until the engine is stopped or cannot go on.
pub(crate) fn run(mut core: Core, commands: &Receiver<Command>, record: &Record) {
    let _leaving = Leaving(record);
    loop {
        if core.is_idle() {
            debug_assert_eq!(core.check_integrity(), Ok(()));
        }
        match contained(|| turn(&mut core, commands)) {
            Ok(true) => {}
            Ok(false) => return record.left(Condition::Stopped),
            Err(panic) => {
                record.panicked(&panic);
                if let Err(problem) = recover(&mut core, &panic) {
                    return end(core, commands, record, &format!("{panic}; {problem}"));
                }
            }
        }
        core.panics.drain(..).for_each(|panic| record.panicked(&panic));
    }
}

/// Takes all commands and computes a step; whether there will be another one.
fn turn(core: &mut Core, commands: &Receiver<Command>) -> bool {
    let mut next = if core.is_idle() {
        commands.recv().map_err(|_| TryRecvError::Disconnected)
    } else if core.is_stalled {
        commands.recv_timeout(LOOK).map_err(|error| match error {
            RecvTimeoutError::Timeout => TryRecvError::Empty,
            RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
        })
    } else {
        commands.try_recv()
    };
    loop {
        match next {
            Ok(Command::Submit(sequence)) => core.submit(*sequence),
            Ok(Command::Prefix(ask)) => core.copy_prefix(ask),
            Ok(Command::Look) => {}
            Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return false,
            Err(TryRecvError::Empty) => break,
        }
        next = commands.try_recv();
    }
    core.step();
    true
}

/// Fails the requests at hand and makes the engine whole again, or says why it is not.
fn recover(core: &mut Core, panic: &str) -> Result<(), String> {
    let error = panicked(panic);
    contained(|| core.recover(&error)).unwrap_or_else(|again| Err(format!("then {again}")))
}

/// Ends the engine: what it holds, and what is still on its way to it, fails with the reason.
fn end(core: Core, commands: &Receiver<Command>, record: &Record, detail: &str) {
    record.ended(detail);
    // A sequence that is dropped without an answer reports what the record says.
    drop(contained(|| drop(core)));
    while commands.try_recv().is_ok() {}
}
