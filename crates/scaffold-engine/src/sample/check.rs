//! Whether the values of a request are ones that the sampler takes.

use scaffold_error::{Error, err};

use super::parameter;
use super::sampling::Sampling;
use crate::request::Stop;

impl Sampling {
    /// Checks every value, for a vocabulary of `vocab` tokens.
    ///
    /// # Errors
    /// The error names the first parameter out of range, its value and the accepted range, or a
    /// token id outside the vocabulary.
    pub fn check(&self, vocab: usize) -> Result<(), Error> {
        for row in &parameter::ALL {
            row.check(row.get(self, &Stop::default()))?;
        }
        let range = |name: &'static str, value: f32, accepted: &'static str| {
            if value.is_finite() {
                Ok(())
            } else {
                Err(parameter::out_of_range(name, value, accepted))
            }
        };
        for (_, bias) in &self.sequence_bias {
            range("sequence_bias", *bias, "a finite number")?;
        }
        for &(_, bias) in &self.logit_bias {
            // Minus infinity is a ban, which is what such a bias is for.
            range("logit_bias", bias, "a finite number or -inf")
                .or_else(|e| if bias == f32::NEG_INFINITY { Ok(()) } else { Err(e) })?;
        }
        let bias = self.logit_bias.iter().map(|&(id, _)| ("logit_bias", id));
        let words = self.bad_words.iter().flatten().map(|&id| ("bad_words", id));
        let biased = self.sequence_bias.iter().flat_map(|(word, _)| word);
        let suppressed = self.suppress_tokens.iter();
        let at_first = self.begin_suppress_tokens.iter();
        let mut ids = bias
            .chain(words)
            .chain(biased.map(|&id| ("sequence_bias", id)))
            .chain(suppressed.map(|&id| ("suppress_tokens", id)))
            .chain(at_first.map(|&id| ("begin_suppress_tokens", id)));
        ids.try_for_each(|(field, id)| known(field, id, vocab))
    }
}

/// Checks a token id that a field of a request names.
pub(crate) fn known(field: &'static str, id: u32, vocab: usize) -> Result<(), Error> {
    if (id as usize) < vocab {
        return Ok(());
    }
    let end = vocab.saturating_sub(1);
    Err(err!(
        Usage,
        "{field} names token {id}, but the vocabulary ends at {end}: use ids of this model's tokenizer"
    )
    .of_key(field))
}
