//! Where the time of a model goes: a prompt read and an answer written, with a clock at every
//! stage.

use scaffold_engine::EngineConfig;
use scaffold_hub::Silent;
use scaffold_kernels::argmax;
use scaffold_model::{Session, SessionSize, Span, Want};

pub use crate::roof::{roof, roof_bytes};
pub use scaffold_kernels::{
    Level,
    roof::{LevelRoof, Roof},
};
pub use scaffold_model::{Effort, Profile, Stage, StageTotal};

use crate::error::{Error, no_tokens};
use crate::memory::Work;
use crate::model::{Model, Placed};

/// The profiles of one model.
#[derive(Debug)]
pub struct Profiles {
    /// Of reading the prompt, the first new token with it.
    pub prefill: Profile,
    /// Of writing the tokens after the first.
    pub decode: Profile,
}

/// Reads `prompt` and writes `generate` tokens after it, `repeats` times, with the threads,
/// weight format and cache format of the model's options. Returns the quickest prefill and the quickest decode:
/// other programs can only make one slower.
///
/// # Errors
/// The prompt is empty, an id is not in the vocabulary, a position has no learned embedding, or the
/// weights do not fit their description.
pub fn profile(
    model: &Model,
    prompt: &[u32],
    generate: usize,
    repeats: usize,
) -> Result<Profiles, Error> {
    if prompt.is_empty() {
        return Err(no_tokens());
    }
    // As the engine does it.
    let EngineConfig { block_tokens, step_tokens, .. } = EngineConfig::default();
    let positions = (prompt.len() + generate).next_multiple_of(block_tokens);
    let work = Work {
        rows: step_tokens,
        threads: 1,
        results: model.spec().vocab,
        positions: Some(positions),
    };
    let decoder = Placed::of(model, &work)?.decoder(None, &mut Silent)?;
    let blocks = (prompt.len() + generate).div_ceil(block_tokens);
    let kv_type = model.options().kv_type;
    let size = SessionSize { blocks, block_tokens, kv_type, rows: step_tokens };
    let mut run =
        Run { session: Session::new(decoder, size)?, blocks: (0..blocks as u32).collect() };
    // Not counted: the first pass touches every page of the weights and wakes the workers.
    run.read(&prompt[..prompt.len().min(step_tokens)])?;
    let mut best = run.once(prompt, generate)?;
    for _ in 1..repeats {
        let next = run.once(prompt, generate)?;
        if next.prefill.time() < best.prefill.time() {
            best.prefill = next.prefill;
        }
        if next.decode.time() < best.decode.time() {
            best.decode = next.decode;
        }
    }
    Ok(best)
}

/// A model with the buffers for one sequence.
struct Run {
    session: Session,
    blocks: Vec<u32>,
}

impl Run {
    fn once(&mut self, prompt: &[u32], generate: usize) -> Result<Profiles, Error> {
        let (prefill, mut token) = self.read(prompt)?;
        let mut decode = Profile::start();
        for start in prompt.len()..prompt.len() + generate {
            token = self.step(&[token], start, Want::Last, &mut decode)?;
        }
        Ok(Profiles { prefill, decode })
    }

    /// Reads a prompt and chooses the first new token.
    fn read(&mut self, prompt: &[u32]) -> Result<(Profile, u32), Error> {
        let mut profile = Profile::start();
        let (mut token, mut start) = (0, 0);
        for tokens in prompt.chunks(self.session.size().rows) {
            let last = start + tokens.len() == prompt.len();
            let want = if last { Want::Last } else { Want::Nothing };
            token = self.step(tokens, start, want, &mut profile)?;
            start += tokens.len();
        }
        Ok((profile, token))
    }

    /// Computes a step and chooses the likeliest token.
    fn step(
        &mut self,
        tokens: &[u32],
        start: usize,
        want: Want,
        profile: &mut Profile,
    ) -> Result<u32, Error> {
        let span = Span { tokens, start, blocks: &self.blocks, want, planned: 0 };
        let logits = self.session.forward_profiled(&[span], profile)?;
        let token = argmax(logits).unwrap_or(0) as u32;
        profile.mark(Stage::Sampling);
        Ok(token)
    }
}
