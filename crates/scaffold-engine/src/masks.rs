//! Finds out what may come next in constrained answers, beside the forward pass.
//!
//! What a guide allows depends on the tokens before it and not on logits, so that both can be found
//! at the same time. The threads are there from the first constrained request on.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, available_parallelism};

use crate::constraint::Guide;
use crate::guided::{Asked, Guided, ask};
use crate::schedule::{Part, Scheduler};

/// Threads at most: the forward pass has the processors.
const THREADS: usize = 4;

/// The threads that ask guides.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    work: Option<Sender<Work>>,
}

struct Work {
    /// The sequence.
    id: u64,
    guide: Box<dyn Guide>,
    back: Sender<(u64, Asked)>,
}

/// What is being found out for one step.
pub(crate) struct Asking {
    back: Receiver<(u64, Asked)>,
}

impl Masks {
    /// Begins to ask the guides of all sequences whose next tokens this step chooses; `None` where
    /// there are none.
    pub(crate) fn begin(&mut self, scheduler: &mut Scheduler, parts: &[Part]) -> Option<Asking> {
        let mut asking: Option<(Sender<(u64, Asked)>, Asking)> = None;
        for part in parts.iter().filter(|part| part.last) {
            let sequence = &mut scheduler.running[part.index];
            let Some(guide) = sequence.job.guided.as_mut().and_then(Guided::lend) else {
                continue;
            };
            let (back, _) = asking.get_or_insert_with(|| {
                let (sender, back) = mpsc::channel();
                (sender, Asking { back })
            });
            self.ask(Work { id: sequence.id, guide, back: back.clone() });
        }
        // The senders are with the work: nothing more comes when the last of it is done.
        asking.map(|(_, asking)| asking)
    }

    /// Asks on another thread; here, where there can be none.
    fn ask(&mut self, work: Work) {
        let queue = self.work.get_or_insert_with(start);
        if let Err(mpsc::SendError(work)) = queue.send(work) {
            work.done();
        }
    }
}

impl Work {
    fn done(self) {
        let Self { id, guide, back } = self;
        // Whoever does not want it any more has lost the sequence, too.
        let _ = back.send((id, ask(guide)));
    }
}

impl Asking {
    /// Waits for all of it, and gives the guides back.
    pub(crate) fn finish(self, scheduler: &mut Scheduler) {
        for (id, asked) in self.back {
            let sequence = scheduler.running.iter_mut().find(|sequence| sequence.id == id);
            if let Some(guided) = sequence.and_then(|sequence| sequence.job.guided.as_mut()) {
                guided.give_back(asked);
            }
        }
    }
}

fn start() -> Sender<Work> {
    let (sender, work) = mpsc::channel::<Work>();
    let work = Arc::new(Mutex::new(work));
    for _ in 0..available_parallelism().map_or(1, usize::from).min(THREADS) {
        let work = Arc::clone(&work);
        // If none starts, the work comes back and is done by the engine's own thread.
        let _ = thread::Builder::new().name("scaffold-masks".into()).spawn(move || {
            loop {
                let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(next) = next else { return };
                next.done();
            }
        });
    }
    sender
}
