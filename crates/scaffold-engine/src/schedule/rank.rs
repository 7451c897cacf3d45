//! Who goes first, and who gives way.
//!
//! Interactive requests go before batch ones; within a kind the owner with the fewest running
//! requests goes first, then whoever came first. A request is overtaken so often at most
//! ([`overtakes`]) by ones that came later; then it is *due*, and goes before all that are not. So
//! nobody starves, however many requests of others keep coming.

use crate::request::Priority;
use crate::sequence::Sequence;

/// After so many times that its blocks went to others, a batch request counts as an interactive
/// one: what was computed for it would else be thrown away for ever.
const PUT_BACK: usize = 2;

/// How often a request is overtaken at most by ones that came later.
pub(crate) fn overtakes(priority: Priority) -> usize {
    match priority {
        Priority::Interactive => 8,
        Priority::Batch => 64,
    }
}

/// What a sequence counts as, after all that has happened to it.
pub(crate) fn class(sequence: &Sequence) -> Priority {
    let put_back = sequence.job.clock.preemptions;
    if put_back >= PUT_BACK { Priority::Interactive } else { sequence.job.standing.priority }
}

/// The order in which running sequences get rows, the first one first. The last one gives way when
/// blocks run out. The first of all never does.
pub(crate) fn seniority(sequence: &Sequence) -> (Priority, u64) {
    (class(sequence), sequence.id)
}

/// The order in which waiting sequences start, the least one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    tier: Tier,
    /// Running sequences of its owner.
    beside: usize,
    id: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    /// Overtaken often enough, or begun already: someone reads it.
    Due,
    Interactive,
    BegunBatch,
    Batch,
}

/// The rank of a waiting sequence whose owner has `beside` running ones.
pub(crate) fn rank(sequence: &Sequence, beside: usize) -> Rank {
    let limit = overtakes(sequence.job.standing.priority);
    let tier = match (class(sequence), sequence.is_begun()) {
        _ if sequence.overtaken >= limit => Tier::Due,
        (Priority::Interactive, true) => Tier::Due,
        (Priority::Interactive, false) => Tier::Interactive,
        (Priority::Batch, true) => Tier::BegunBatch,
        (Priority::Batch, false) => Tier::Batch,
    };
    let beside = if tier == Tier::Due { 0 } else { beside };
    Rank { tier, beside, id: sequence.id }
}
