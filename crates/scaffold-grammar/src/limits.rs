//! What a grammar may take: of text, of time while it is compiled and while it is followed.

use llguidance::api::ParserLimits;
use scaffold_error::{Error, err};

/// Bytes of a grammar's text.
pub(crate) const TEXT: usize = 512 * 1024;
/// Bytes of a regular expression, or of a pattern in a schema.
pub(crate) const REGEX: usize = 16 * 1024;
/// Groups within groups, schemas within schemas.
pub(crate) const DEPTH: usize = 64;
/// Schemas within a schema, references counted once.
pub(crate) const SCHEMAS: usize = 10_000;
/// Rules of a grammar in llama.cpp's notation.
pub(crate) const RULES: usize = 1000;
/// Values of an `enum`, or choices.
pub(crate) const CHOICES: usize = 10_000;
/// The least number of items, characters or repetitions that may be asked for.
pub(crate) const REPEATS: u64 = 10_000;
/// The size of a regular expression with each repetition written out.
pub(crate) const EXPANDED: u64 = 100_000;
/// A most number beyond this is none: no answer has so many tokens.
pub(crate) const UNREACHABLE: u64 = 1 << 20;

/// The limits of what is compiled. One unit of lexer fuel is about 20 ns while a grammar is compiled,
/// and 70 ns while it is followed; an item is about 50 ns, a state of the lexer one to two kB.
pub(crate) fn parser() -> ParserLimits {
    ParserLimits {
        initial_lexer_fuel: 2_000_000,
        step_lexer_fuel: 500_000,
        max_lexer_states: 50_000,
        verbose_errors: false,
        ..ParserLimits::default()
    }
}

/// Refuses what has more bytes than it may.
pub(crate) fn check_bytes(what: &str, bytes: usize, most: usize) -> Result<(), Error> {
    if bytes <= most {
        return Ok(());
    }
    Err(err!(TooLarge, "{what} has {bytes} bytes, and {most} are accepted: make it shorter"))
}
