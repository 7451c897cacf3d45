//! How the rows of a step are shared among prompts.
//!
//! Half of the rows go to the prompt that came first, so that prompts of one length are not all
//! read at the speed of the last. The other half is shared out evenly, short prompts first: a short
//! one is read within few steps, however long the others are. What one does not need goes to the
//! others. Batch prompts get an eighth while interactive ones are read, and all that those leave.

/// Of the rows of a step, what batch prompts get at least.
const FOR_BATCH: usize = 8;

/// A prompt that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reader {
    /// The sequence.
    pub(crate) id: u64,
    /// Rows that it could use.
    pub(crate) pending: usize,
    /// Whether nobody waits for it.
    pub(crate) batch: bool,
    /// Rows that it gets.
    pub(crate) rows: usize,
}

/// Shares `room` rows among `readers`, which are in the order in which they go. All of them are
/// given out, or all that is pending.
pub(crate) fn share(room: usize, readers: &mut [Reader]) {
    // Interactive ones stand before batch ones.
    let border = readers.iter().position(|reader| reader.batch).unwrap_or(readers.len());
    let (interactive, batch) = readers.split_at_mut(border);
    let wanted: usize = batch.iter().map(|reader| reader.pending).sum();
    let kept = if interactive.is_empty() { 0 } else { wanted.min(room.div_ceil(FOR_BATCH)) };
    let left = share_among(room - kept.min(room), interactive);
    share_among(left + kept.min(room), batch);
}

/// Returns what is left.
fn share_among(mut room: usize, readers: &mut [Reader]) -> usize {
    let Some((first, others)) = readers.split_first_mut() else {
        return room;
    };
    first.rows = first.pending.min(if others.is_empty() { room } else { room.div_ceil(2) });
    room -= first.rows;
    let mut by_length: Vec<&mut Reader> = others.iter_mut().collect();
    by_length.sort_by_key(|reader| (reader.pending, reader.id));
    let count = by_length.len();
    for (index, reader) in by_length.into_iter().enumerate() {
        // Rounded up: where there are fewer rows than prompts, some get one and the rest none.
        reader.rows = reader.pending.min(room.div_ceil(count - index));
        room -= reader.rows;
    }
    let more = (first.pending - first.rows).min(room);
    first.rows += more;
    room - more
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shared(room: usize, pending: &[(usize, bool)]) -> Vec<usize> {
        let mut readers: Vec<Reader> = pending
            .iter()
            .zip(0..)
            .map(|(&(pending, batch), id)| Reader { id, pending, batch, rows: 0 })
            .collect();
        share(room, &mut readers);
        readers.iter().map(|reader| reader.rows).collect()
    }

    #[test]
    fn short_prompts_do_not_wait_for_long_ones() {
        let chat = |pending| (pending, false);
        assert_eq!(shared(256, &[chat(4000)]), [256]);
        assert_eq!(shared(256, &[chat(4000), chat(60)]), [196, 60]);
        assert_eq!(shared(256, &[chat(4000), chat(4000), chat(60)]), [128, 68, 60]);
        // The second of two that are long has a half, too.
        assert_eq!(shared(256, &[chat(4000), chat(4000)]), [128, 128]);
        // Batch work does not hold up people, and does not stand still.
        assert_eq!(shared(256, &[chat(4000), (4000, true)]), [224, 32]);
        assert_eq!(shared(256, &[chat(10), (4000, true)]), [10, 246]);
        assert_eq!(shared(256, &[(4000, true)]), [256]);
    }

    proptest! {
        #[test]
        fn all_rows_are_given_out_and_nobody_gets_more_than_it_needs(
            room in 0usize..300,
            mut pending in prop::collection::vec((1usize..500, any::<bool>()), 0..12),
        ) {
            pending.sort_by_key(|&(_, batch)| batch);
            let rows = shared(room, &pending);
            let wanted: usize = pending.iter().map(|&(pending, _)| pending).sum();
            prop_assert_eq!(rows.iter().sum::<usize>(), room.min(wanted));
            for (rows, (pending, _)) in rows.iter().zip(&pending) {
                prop_assert!(rows <= pending);
            }
            // The first of each kind moves on, so that all are read in the end.
            if room >= 2 {
                for batch in [false, true] {
                    if let Some(first) = pending.iter().position(|&(_, b)| b == batch) {
                        prop_assert!(rows[first] > 0, "{:?} {:?}", pending, rows);
                    }
                }
            }
        }

        #[test]
        fn a_short_prompt_has_its_part_whatever_the_others_are(
            room in 64usize..512,
            short in 1usize..40,
            long in prop::collection::vec(1000usize..9000, 0..7),
        ) {
            let pending: Vec<_> = long.iter().chain([&short]).map(|&n| (n, false)).collect();
            let part = room / 2 / long.len().max(1);
            prop_assert!(*shared(room, &pending).last().unwrap() >= short.min(part));
        }
    }
}
