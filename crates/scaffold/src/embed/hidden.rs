//! Hidden states of given tokens, for comparing an encoder with other software.

use scaffold_hub::Silent;
use scaffold_model::{EncoderSession, Text};

use crate::error::{Error, no_tokens};
use crate::memory::Work;
use crate::model::{Model, Placed, check_encoder};

/// The last hidden state of each of `ids`, with the token types `types` (empty: all 0): one row of
/// numbers a token.
///
/// # Errors
/// The model is not an encoder, there are no ids, or one of them or of the types is out of range.
pub fn hidden_states(model: &Model, ids: &[u32], types: &[u32]) -> Result<Vec<Vec<f32>>, Error> {
    check_encoder(model)?;
    if ids.is_empty() {
        return Err(no_tokens());
    }
    let work = Work {
        rows: ids.len(),
        threads: 1,
        results: ids.len().saturating_mul(model.spec().hidden),
        positions: None,
    };
    let encoder = Placed::of(model, &work)?.encoder(&mut Silent)?;
    let mut session = EncoderSession::new(encoder, ids.len());
    let text = Text { tokens: ids, types };
    let states = session.hidden_states(&[text])?;
    Ok(states.chunks_exact(model.spec().hidden).map(<[f32]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use scaffold_hub::LocalModel;
    use scaffold_testing::golden;
    use scaffold_testing::tolerance::{MaxAbs, Tolerance as _};

    use super::*;
    use crate::options::LoadOptions;

    fn states(name: &str, ids: &[u32]) -> Result<Vec<Vec<f32>>, Error> {
        let files = LocalModel::on_disk(&golden::tiny(name).dir);
        hidden_states(&Model::open(&files, &LoadOptions::default())?, ids, &[])
    }

    #[test]
    fn they_agree_with_transformers() {
        let bert = golden::tiny("bert");
        let rows = states("bert", &bert.input_ids).unwrap();
        MaxAbs(1e-4).check("bert", &rows.concat(), bert.last_hidden_state());
    }

    #[test]
    fn what_cannot_be_computed_is_refused() {
        let refused = |name, ids: &[u32]| states(name, ids).unwrap_err().to_string();
        assert!(refused("llama", &[1]).contains("llama model"));
        assert!(refused("bert", &[]).contains("no tokens"));
        assert!(refused("bert", &[512]).contains("512"));
    }
}
