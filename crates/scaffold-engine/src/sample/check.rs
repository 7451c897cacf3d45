//! Whether the values of a request are ones that the sampler takes.

use super::parameter;
use super::sampling::Sampling;
use crate::error::EngineError;
use crate::request::Stop;

impl Sampling {
    /// Checks every value, for a vocabulary of `vocab` tokens.
    ///
    /// # Errors
    /// [`EngineError::Sampling`] names the first parameter out of range, its value and the accepted
    /// range; [`EngineError::UnknownToken`] names a token id outside the vocabulary.
    pub fn check(&self, vocab: usize) -> Result<(), EngineError> {
        for row in &parameter::ALL {
            row.check(row.get(self, &Stop::default()))?;
        }
        let range = |parameter: &'static str, value: f32, accepted: &'static str| {
            if value.is_finite() {
                Ok(())
            } else {
                Err(EngineError::Sampling { parameter, value: value.to_string(), accepted })
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
        match bias
            .chain(words)
            .chain(biased.map(|&id| ("sequence_bias", id)))
            .chain(suppressed.map(|&id| ("suppress_tokens", id)))
            .chain(at_first.map(|&id| ("begin_suppress_tokens", id)))
            .find(|&(_, id)| id as usize >= vocab)
        {
            Some((field, id)) => Err(EngineError::UnknownToken { field, id, vocab }),
            None => Ok(()),
        }
    }
}
