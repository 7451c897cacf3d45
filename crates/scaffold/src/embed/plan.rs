//! Which inputs are computed together, and on which threads.

use scaffold_error::err;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scaffold_model::{Encoder, EncoderSession, Exec, Text};

use super::input::Input;
use crate::error::Error;
use crate::memory;

/// Tokens that are computed together, unless one text alone has more. With more the hidden states
/// would no longer stay in a core's own cache, with fewer the weights would be read too often.
pub(crate) const BATCH_TOKENS: usize = 256;

/// Sessions that nobody computes with at the moment.
#[derive(Default)]
pub(crate) struct Idle(Mutex<Vec<EncoderSession>>);

/// What is done with the texts of one batch: puts the numbers of each text into its row of the last
/// argument.
pub(crate) type Run<'a> =
    &'a (dyn Fn(&[Text<'_>], &mut EncoderSession, &mut [f32]) -> Result<(), Error> + Sync);

/// Computes `width` numbers for each input, in the order of the inputs.
///
/// Where there are batches enough, each thread takes whole ones, so that threads do not wait for
/// each other after every operation; otherwise all threads share each operation.
pub(crate) fn compute(
    exec: &Exec,
    encoder: &Arc<Encoder>,
    idle: &Idle,
    inputs: &[Input],
    width: usize,
    run: Run<'_>,
) -> Result<Vec<f32>, Error> {
    let lengths: Vec<usize> = inputs.iter().map(|input| input.ids.len()).collect();
    let batches = batches(&lengths, BATCH_TOKENS);
    let one = |batch: &[usize]| {
        let texts = texts(batch, inputs, encoder.spec().embedding.token_types)?;
        let rows = batch.iter().map(|&index| lengths[index]).sum();
        let mut session = idle.take(encoder, rows)?;
        let mut out = vec![0.0; batch.len() * width];
        let done = run(&texts, &mut session, &mut out);
        idle.give_back(session);
        done.map(|()| out)
    };
    let computed: Vec<Result<Vec<f32>, Error>> = if batches.len() < 2 * exec.team.threads() {
        batches.iter().map(|batch| one(batch)).collect()
    } else {
        let slots: Vec<Mutex<Option<_>>> = batches.iter().map(|_| Mutex::default()).collect();
        exec.team.run(batches.len(), &|index| {
            let computed = one(&batches[index]);
            // A batch is computed once: nobody waits here.
            *slots[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(computed);
        });
        let taken = slots.into_iter();
        taken.filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    };
    let mut out = vec![0.0; inputs.len() * width];
    for (batch, computed) in batches.iter().zip(computed) {
        for (&index, row) in batch.iter().zip(computed?.chunks_exact(width.max(1))) {
            out[index * width..(index + 1) * width].copy_from_slice(row);
        }
    }
    Ok(out)
}

impl Idle {
    /// A session for `rows` tokens, made for a whole batch at least so that later ones find them
    /// large enough.
    fn take(&self, encoder: &Arc<Encoder>, rows: usize) -> Result<EncoderSession, Error> {
        let idle = self.lock().pop();
        if let Some(idle) = idle.filter(|idle| idle.max_rows() >= rows) {
            return Ok(idle);
        }
        // Those of a whole batch were asked for when the model was loaded.
        if rows > BATCH_TOKENS {
            memory::ask_for_rows(encoder.spec(), rows)?;
        }
        Ok(EncoderSession::new(Arc::clone(encoder), rows.max(BATCH_TOKENS)))
    }

    fn give_back(&self, session: EncoderSession) {
        self.lock().push(session);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<EncoderSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts inputs of `lengths` tokens into batches of at most `budget` tokens; an input that is longer
/// than the budget makes a batch of its own. Each batch lists indices into `lengths`; every index
/// occurs once.
///
/// Inputs of similar length share a batch, longest first: the first batch is then the one that
/// needs most memory, and the last ones, which decide when the work is done, are small.
fn batches(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // Stable: inputs of the same length stay in their order.
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for index in order {
        tokens += lengths[index];
        if let Some(batch) = batches.last_mut().filter(|_| tokens <= budget) {
            batch.push(index);
        } else {
            batches.push(vec![index]);
            tokens = lengths[index];
        }
    }
    batches
}

/// The texts of a batch, as the encoder takes them. A model without token types ignores what the
/// tokenizer says.
fn texts<'a>(
    batch: &[usize],
    inputs: &'a [Input],
    token_types: usize,
) -> Result<Vec<Text<'a>>, Error> {
    let text = |&index: &usize| {
        let input = &inputs[index];
        if input.ids.is_empty() {
            return Err(err!(
                Usage,
                "it is empty, and this model's tokenizer puts nothing around a text: there is nothing to compute"
            )
            .in_item("text", index)
            .remedy("leave the text out"));
        }
        let types = if token_types > 1 { &input.types[..] } else { &[] };
        Ok(Text { tokens: &input.ids, types })
    };
    batch.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inputs_of_similar_length_share_a_batch() {
        assert_eq!(batches(&[3, 9, 3, 4, 20], 10), [vec![4], vec![1], vec![3, 0, 2]]);
        assert!(batches(&[], 10).is_empty());
        // An input without tokens takes no room, and still has its place.
        assert_eq!(batches(&[0, 0], 10), [vec![0, 1]]);
    }

    proptest! {
        #[test]
        fn every_input_is_in_exactly_one_batch_within_the_budget(
            lengths in prop::collection::vec(0usize..40, 0..80),
            budget in 1usize..64,
        ) {
            let plan = batches(&lengths, budget);
            let mut seen: Vec<usize> = plan.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in &plan {
                let tokens: usize = batch.iter().map(|&index| lengths[index]).sum();
                prop_assert!(batch.len() == 1 || tokens <= budget);
            }
        }
    }
}
