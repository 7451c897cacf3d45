//! What the fuzz targets and the test over their corpora call. Not part of the interface.

use std::sync::{Arc, OnceLock};

use scaffold_error::{Error, Kind};
use serde_json::Value;

use crate::compile::Compiled;
use crate::grammar::Grammar;
use crate::guide::Progress;
use crate::vocabulary::Vocabulary;

/// Tokens of an answer that is tried.
const TOKENS: u32 = 60;

/// Arbitrary bytes as a JSON schema: it is refused, or an answer by it is JSON as far as it is whole.
pub fn schema(data: &[u8]) {
    let Ok(schema) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let checked = survived(crate::schema::check(&schema));
    let answers = followed(&Grammar::Schema(schema.clone()));
    // What is refused without a model is refused with one.
    assert!(checked.is_some() || answers.is_empty());
    for answer in answers {
        let read = serde_json::from_slice::<Value>(&answer);
        // JSON has numbers that programs have not.
        let right =
            read.as_ref().map_or_else(|error| error.to_string().contains("out of range"), |_| true);
        assert!(right, "{read:?} {}", String::from_utf8_lossy(&answer));
    }
}

/// Arbitrary bytes as a grammar of llama.cpp's.
pub fn gbnf(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        followed(&Grammar::Gbnf(text.to_owned()));
    }
}

/// Whole answers by a grammar, of those that are tried; none, where it is refused.
fn followed(grammar: &Grammar) -> Vec<Vec<u8>> {
    let compiled = Compiled::new(grammar, Arc::clone(vocabulary()));
    let Some(compiled) = survived(compiled) else {
        return Vec::new();
    };
    (0..3).filter_map(|seed| survived(answer(&compiled, seed)).flatten()).collect()
}

/// An answer that is chosen by no model; `None`, if it is not whole by then.
fn answer(compiled: &Compiled, seed: u32) -> Result<Option<Vec<u8>>, Error> {
    let tokenizer = vocabulary().tokenizer();
    let (mut guide, mut text, mut chance) = (compiled.begin(), Vec::new(), seed);
    for _ in 0..TOKENS {
        match guide.progress() {
            Progress::Complete => return Ok(Some(text)),
            Progress::MayEnd if seed.is_multiple_of(2) => return Ok(Some(text)),
            _ => {}
        }
        let allowed = guide.allowed()?;
        let ids: Vec<u32> = (0..tokenizer.vocab_size() as u32)
            .filter(|id| {
                allowed.get(*id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
            })
            .collect();
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let Some(&id) = ids.get(chance as usize % ids.len().max(1)) else {
            assert_ne!(
                guide.progress(),
                Progress::Incomplete,
                "{:?}",
                String::from_utf8_lossy(&text)
            );
            return Ok(Some(text));
        };
        guide.take(id)?;
        let forced = guide.forced(TOKENS as usize)?;
        text.extend(
            [id].iter()
                .chain(&forced)
                .flat_map(|&id| tokenizer.token_bytes(id).unwrap_or_default()),
        );
    }
    Ok(None)
}

fn vocabulary() -> &'static Arc<Vocabulary> {
    static MADE: OnceLock<Arc<Vocabulary>> = OnceLock::new();
    MADE.get_or_init(|| {
        let tokenizer = Arc::new(scaffold_text::fuzzing::bytes());
        Arc::new(Vocabulary::new(tokenizer).expect("a vocabulary of bytes"))
    })
}

/// What came of it. Grammars are compiled on a thread of their own, whose panic comes back as an
/// error of this kind, as does what the machinery below does not know.
fn survived<T>(result: Result<T, Error>) -> Option<T> {
    if let Err(error) = &result {
        assert_ne!(error.kind(), Kind::Internal, "{error}");
    }
    result.ok()
}
