//! Vocabularies that are lists of byte strings in the order of their merges: Mistral's
//! `tekken.json` and OpenAI's tiktoken files.

mod tekken;
#[cfg(test)]
mod tests;
mod tiktoken;

pub(crate) use tekken::read as read_tekken;
pub(crate) use tiktoken::read as read_tiktoken;

use crate::added::{AddedToken, AddedTokens};
use crate::byte_level::build::Builder;
use crate::frame::Frame;
use crate::parts::{Engine, Parts};
use crate::split::{Keep, Splitter, Step};
use crate::tokens::{Spelling, TokenKind};
use scaffold_error::Error;
use std::path::Path;

/// Builds the engine. `tokens` are byte strings with their ids, `special` the control tokens.
fn build(
    path: &Path,
    tokens: Vec<(u32, Vec<u8>)>,
    special: Vec<(u32, String)>,
    pattern: &str,
) -> Result<Parts, Error> {
    let mut builder = Builder::new(path.display().to_string(), tokens.len(), 0);
    for (id, bytes) in tokens {
        builder.bytes(id, bytes);
    }
    for (id, name) in &special {
        builder.apart(*id, name, TokenKind::Control);
    }
    builder.merges_by_rank();
    let step = Step::from_pattern(pattern, Keep::Matches)?;
    let (mut engine, tokens) = builder.build(Splitter::new(vec![step]), Spelling::Raw, []);
    engine.whole_words = true;
    let added = special
        .into_iter()
        .map(|(id, content)| AddedToken { id, content, special: true, ..AddedToken::default() })
        .collect();
    Ok(Parts {
        engine: Engine::ByteLevel(Box::new(engine)),
        tokens,
        added: AddedTokens::new(added, str::to_owned)?,
        frame: Frame::default(),
    })
}
