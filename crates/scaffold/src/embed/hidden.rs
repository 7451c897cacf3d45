//! Hidden states of given tokens, for comparing an encoder with other software.

use scaffold_model::{EncoderSession, Text};

use crate::error::Error;
use crate::memory::Work;
use crate::opened::{Opened, check_encoder};
use crate::options::LoadOptions;
use crate::weights::Weights;

/// The last hidden state of each of `ids`, with the token types `types` (empty: all 0): one row of
/// numbers a token.
///
/// # Errors
/// The model is not an encoder, there are no ids, or one of them or of the types is out of range.
pub fn hidden_states(
    weights: &Weights,
    ids: &[u32],
    types: &[u32],
    options: &LoadOptions,
) -> Result<Vec<Vec<f32>>, Error> {
    check_encoder(weights)?;
    if ids.is_empty() {
        return Err(Error::NoTokens);
    }
    let work = Work {
        rows: ids.len(),
        threads: 1,
        results: ids.len().saturating_mul(weights.spec.hidden),
        positions: None,
    };
    let encoder = Opened::new(weights, &work, options)?.encoder()?;
    let mut session = EncoderSession::new(encoder, ids.len());
    let text = Text { tokens: ids, types };
    let states = session.hidden_states(&[text])?;
    Ok(states.chunks_exact(weights.spec.hidden).map(<[f32]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use scaffold_testing::golden;
    use scaffold_testing::tolerance::{MaxAbs, Tolerance as _};

    use super::*;

    #[test]
    fn they_agree_with_transformers() {
        let bert = golden::tiny("bert");
        let weights = Weights::open(&bert.dir).unwrap();
        let rows = hidden_states(&weights, &bert.input_ids, &[], &LoadOptions::default()).unwrap();
        MaxAbs(1e-4).check("bert", &rows.concat(), bert.last_hidden_state());
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let open = |name| Weights::open(&golden::tiny(name).dir).unwrap();
        let states = |name, ids: &[u32]| {
            hidden_states(&open(name), ids, &[], &LoadOptions::default()).unwrap_err().to_string()
        };
        assert!(states("llama", &[1]).contains("llama model"));
        assert!(states("bert", &[]).contains("no tokens"));
        assert!(states("bert", &[512]).contains("512"));
    }
}
