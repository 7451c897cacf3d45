//! Logits of given tokens, for comparing a model with other software.

use scaffold_error::err;
use scaffold_hub::Silent;
use scaffold_model::{Session, SessionSize, Span, Want};

use crate::error::{Error, no_tokens};
use crate::memory::Work;
use crate::model::{Model, Placed};

/// Tokens in a block of the cache that one sequence needs for itself.
const BLOCK_TOKENS: usize = 32;
/// Tokens that are computed at once: more would only make the buffers larger.
const STEP_TOKENS: usize = 512;

/// Computes the logits after each of `ids` (`all`), or after the last one only: rows of `vocab`
/// values, with the threads, weight format and cache format of the model's options.
///
/// # Errors
/// There are no ids, one is not in the vocabulary, there are more than the model's context holds,
/// or the weights do not fit their description.
pub fn logits(model: &Model, ids: &[u32], all: bool) -> Result<Vec<Vec<f32>>, Error> {
    let context = model.spec().context;
    if ids.is_empty() {
        return Err(no_tokens());
    }
    if ids.len() > context {
        let tokens = ids.len();
        return Err(err!(
            TooLarge,
            "{tokens} tokens were given, but the context of this model holds {context}: give fewer"
        ));
    }
    let results = if all { ids.len() } else { 1 };
    // Of one step, and of all.
    let results = results + results.min(STEP_TOKENS);
    let mut reading = Reading::new(model, ids.len(), STEP_TOKENS, results)?;
    let mut logits = Vec::new();
    for (index, tokens) in ids.chunks(STEP_TOKENS).enumerate() {
        let start = index * STEP_TOKENS;
        let last = start + tokens.len() == ids.len();
        let want = match (all, last) {
            (true, _) => Want::All,
            (false, true) => Want::Last,
            (false, false) => Want::Nothing,
        };
        logits.extend(reading.step(tokens, start, want)?.map(<[f32]>::to_vec));
    }
    Ok(logits)
}

/// A loaded model that reads one sequence of tokens after the other.
pub(crate) struct Reading {
    session: Session,
    vocab: usize,
    positions: usize,
    blocks: Vec<u32>,
}

impl Reading {
    /// Loads the model for sequences of at most so many `positions`, of which `rows` are computed at
    /// once; `results` rows of logits are kept by the caller.
    pub(crate) fn new(
        model: &Model,
        positions: usize,
        rows: usize,
        results: usize,
    ) -> Result<Self, Error> {
        let rows = positions.min(rows);
        let vocab = model.spec().vocab;
        let results = results.saturating_mul(vocab);
        let work = Work { rows, threads: 1, results, positions: Some(positions) };
        let decoder = Placed::of(model, &work)?.decoder(None, &mut Silent)?;
        let vocab = decoder.spec().vocab.max(1);
        let blocks = positions.div_ceil(BLOCK_TOKENS);
        let kv_type = model.options().kv_type;
        let size = SessionSize { blocks, block_tokens: BLOCK_TOKENS, kv_type, rows };
        let session = Session::new(decoder, size)?;
        Ok(Self { session, vocab, positions, blocks: (0..blocks as u32).collect() })
    }

    /// Reads tokens from position `start` on, where what stood there before is forgotten: the rows of
    /// logits that are wanted.
    pub(crate) fn step(
        &mut self,
        tokens: &[u32],
        start: usize,
        want: Want,
    ) -> Result<impl Iterator<Item = &[f32]>, Error> {
        let Self { session, vocab, positions, blocks } = self;
        let span = Span { tokens, start, blocks, want, planned: *positions };
        Ok(session.forward(&[span])?.chunks(*vocab))
    }
}

#[cfg(test)]
mod tests {
    use scaffold_hub::LocalModel;
    use scaffold_model::KvType;
    use scaffold_testing::golden;
    use scaffold_testing::tolerance::{MaxAbs, Tolerance as _};

    use super::*;
    use crate::options::LoadOptions;

    fn of_llama(ids: &[u32], all: bool) -> Result<Vec<Vec<f32>>, Error> {
        let options = LoadOptions { kv_type: KvType::F32, ..LoadOptions::default() };
        let files = LocalModel::on_disk(&golden::tiny("llama").dir);
        logits(&Model::open(&files, &options)?, ids, all)
    }

    #[test]
    fn every_position_agrees_with_transformers() {
        let llama = golden::tiny("llama");
        let rows = of_llama(&llama.input_ids, true).unwrap();
        MaxAbs(1e-4).check("llama logits", &rows.concat(), llama.logits());
        let last = of_llama(&llama.input_ids, false).unwrap();
        assert_eq!(last, rows[rows.len() - 1..]);
    }

    #[test]
    fn ids_that_cannot_be_computed_are_refused() {
        assert!(of_llama(&[], false).unwrap_err().to_string().contains("no tokens"));
        assert!(of_llama(&[512], false).unwrap_err().to_string().contains("512"));
        let long = vec![1; 5000];
        let message = of_llama(&long, false).unwrap_err().to_string();
        assert!(message.contains("5000") && message.contains("256"), "{message}");
    }
}
