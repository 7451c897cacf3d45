//! Which inputs are computed together.

use scaffold_model::{Encoder, EncoderScratch, Text};

use super::EmbedError;
use super::input::Input;

/// Puts inputs of `lengths` tokens into batches of at most `budget` tokens; an input that is longer than the budget
/// makes a batch of its own. Each batch lists indices into `lengths`; every index occurs once.
///
/// Inputs of similar length share a batch, longest first: the first batch is then the one that needs most memory, and
/// the last ones, which decide when the work is done, are small.
pub(crate) fn batches(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
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

/// The texts of a batch, as the encoder takes them. A model without token types ignores what the tokenizer says.
pub(crate) fn texts<'a>(
    batch: &[usize],
    inputs: &'a [Input],
    token_types: usize,
) -> Result<Vec<Text<'a>>, EmbedError> {
    let text = |&index: &usize| {
        let input = &inputs[index];
        if input.ids.is_empty() {
            return Err(EmbedError::NoTokens { index });
        }
        let types = if token_types > 1 {
            &input.types[..]
        } else {
            &[]
        };
        Ok(Text {
            tokens: &input.ids,
            types,
        })
    };
    batch.iter().map(text).collect()
}

/// Buffers for `rows` tokens, made for `usual` at least so that later batches find them large enough.
pub(crate) fn scratch<'a>(
    kept: &'a mut Option<EncoderScratch>,
    encoder: &Encoder,
    rows: usize,
    usual: usize,
) -> &'a mut EncoderScratch {
    if kept.as_ref().is_some_and(|kept| kept.max_rows() < rows) {
        *kept = None;
    }
    kept.get_or_insert_with(|| encoder.new_scratch(rows.max(usual)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inputs_of_similar_length_share_a_batch() {
        assert_eq!(
            batches(&[3, 9, 3, 4, 20], 10),
            [vec![4], vec![1], vec![3, 0, 2]]
        );
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
