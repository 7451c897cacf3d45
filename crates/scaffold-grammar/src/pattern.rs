//! Regular expressions: brought into one syntax, without what cannot be followed.
//!
//! Everything goes through `regex-syntax`: what comes out has neither groups with names (one of which
//! means something to the machinery below) nor classes that two dialects read differently.

mod ecma;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind, Look};
use scaffold_error::{Error, err};

use crate::limits;

/// A regular expression as Rust, Python and others write it; it is to match a whole answer, so
/// that `^` before it and `$` after it say nothing.
pub(crate) fn whole(regex: &str) -> Result<String, Error> {
    let hir = parse(regex, regex)?;
    let hir = without_ends(hir, true, true);
    if has_look(&hir) {
        return Err(unsupported(regex, "`^`, `$` and `\\b` can be followed only around all of it"));
    }
    Ok(hir.to_string())
}

/// A pattern of a JSON schema: an ECMAScript regular expression that is found anywhere in a text.
pub(crate) fn of_schema(pattern: &str) -> Result<String, Error> {
    limits::check_bytes("the pattern", pattern.len(), limits::REGEX)?;
    let known = decimal(pattern);
    let pattern = known.as_deref().unwrap_or(pattern);
    let translated = ecma::translate(pattern).map_err(|why| unsupported(pattern, &why))?;
    Ok(parse(&translated, pattern)?.to_string())
}

/// The pattern of Pydantic's decimal numbers without its look ahead, which says that there is a digit.
fn decimal(pattern: &str) -> Option<String> {
    let digits = pattern.strip_prefix("^(?!^[-+.]*$)[+-]?0*")?;
    if digits == r"\d*\.?\d*$" {
        return Some(r"^[+-]?(?:\d+\.?\d*|\.\d+)$".to_owned());
    }
    if let Some(part) = counted(digits, r"\d*\.?\d{0,", "}0*$") {
        return Some(format!(r"^[+-]?\d+(?:\.\d{{1,{part}}})?$"));
    }
    // So many digits before the point, and behind it.
    let (whole, rest) = digits.strip_prefix(r"(?:\d{0,")?.split_once("}|(?=")?;
    let (_, part) = rest.split_once(r"}\.\d{0,")?;
    let (whole, part) = (whole.parse::<u32>().ok()?, counted(part, "", "}0*$)")?);
    Some(format!(r"^[+-]?0?\d{{0,{whole}}}\.\d{{1,{part}}}$"))
}

/// The number, of one at least, between these texts.
fn counted(text: &str, before: &str, after: &str) -> Option<u32> {
    let number = text.strip_prefix(before)?.strip_suffix(after)?;
    number.parse().ok().filter(|&number| number > 0)
}

fn parse(regex: &str, written: &str) -> Result<Hir, Error> {
    limits::check_bytes("the regular expression", written.len(), limits::REGEX)?;
    let mut parser = ParserBuilder::new().nest_limit(limits::DEPTH as u32).build();
    let hir = parser.parse(regex).map_err(|error| {
        let (what, place) = match &error {
            regex_syntax::Error::Parse(error) => {
                (error.kind().to_string(), error.span().start.offset)
            }
            regex_syntax::Error::Translate(error) => {
                (error.kind().to_string(), error.span().start.offset)
            }
            other => (other.to_string(), 0),
        };
        let place = if regex == written { format!(" at byte {place}") } else { String::new() };
        unsupported(written, &format!("{what}{place}"))
    })?;
    let hir = plain(hir).map_err(|look| unsupported(written, look))?;
    if expanded(&hir) > limits::EXPANDED {
        return Err(unsupported(written, "its repetitions within each other are too many"));
    }
    Ok(hir)
}

/// About how large it is with each repetition written out.
fn expanded(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Capture(capture) => expanded(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            expanded(&repetition.sub).saturating_mul(u64::from(times.max(1)))
        }
        HirKind::Concat(hirs) | HirKind::Alternation(hirs) => {
            hirs.iter().map(expanded).fold(0, u64::saturating_add)
        }
    }
}

/// Without groups, which say nothing here, and without what cannot be followed.
fn plain(hir: Hir) -> Result<Hir, &'static str> {
    let all = |hirs: Vec<Hir>| hirs.into_iter().map(plain).collect::<Result<Vec<_>, _>>();
    Ok(match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look @ (Look::Start | Look::End)) => Hir::look(look),
        HirKind::Look(
            Look::WordAscii | Look::WordUnicode | Look::WordAsciiNegate | Look::WordUnicodeNegate,
        ) => return Err("word borders (`\\b`, `\\B`) cannot be followed"),
        HirKind::Look(_) => return Err("`^` and `$` of single lines cannot be followed"),
        HirKind::Repetition(mut repetition) => {
            if u64::from(repetition.min) > limits::REPEATS {
                return Err("it repeats something more than 10000 times at least");
            }
            repetition.sub = Box::new(plain(*repetition.sub)?);
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => plain(*capture.sub)?,
        HirKind::Concat(hirs) => Hir::concat(all(hirs)?),
        HirKind::Alternation(hirs) => Hir::alternation(all(hirs)?),
    })
}

/// Without `^` where it stands at the start, and `$` where it stands at the end.
fn without_ends(hir: Hir, at_start: bool, at_end: bool) -> Hir {
    match hir.into_kind() {
        HirKind::Look(Look::Start) if at_start => Hir::empty(),
        HirKind::Look(Look::End) if at_end => Hir::empty(),
        HirKind::Concat(hirs) => {
            let is = |hir: &Hir, look| *hir.kind() == HirKind::Look(look);
            let first = hirs.iter().position(|hir| !is(hir, Look::Start)).unwrap_or(0);
            let last = hirs.iter().rposition(|hir| !is(hir, Look::End)).unwrap_or(0);
            let parts = hirs.into_iter().enumerate();
            let parts = parts
                .map(|(at, hir)| without_ends(hir, at_start && at <= first, at_end && at >= last));
            Hir::concat(parts.collect())
        }
        HirKind::Alternation(hirs) => {
            let parts = hirs.into_iter().map(|hir| without_ends(hir, at_start, at_end));
            Hir::alternation(parts.collect())
        }
        kind => rebuilt(kind),
    }
}

fn rebuilt(kind: HirKind) -> Hir {
    match kind {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => Hir::repetition(repetition),
        HirKind::Capture(capture) => Hir::capture(capture),
        HirKind::Concat(hirs) => Hir::concat(hirs),
        HirKind::Alternation(hirs) => Hir::alternation(hirs),
    }
}

fn has_look(hir: &Hir) -> bool {
    !hir.properties().look_set().is_empty()
}

fn unsupported(regex: &str, why: &str) -> Error {
    const MOST: usize = 200;
    let shown: String = regex.chars().take(MOST).collect();
    let dots = if shown.len() < regex.len() { "…" } else { "" };
    let first = why.lines().next().unwrap_or_default();
    err!(Usage, "the regular expression {shown:?}{dots} cannot be held to: {first}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_around_all_of_it_say_nothing() {
        assert_eq!(whole("^a+$").unwrap(), whole("a+").unwrap());
        assert_eq!(whole("^a$|^b$").unwrap(), whole("a|b").unwrap());
        assert_eq!(whole("(?P<stop>ab)c").unwrap(), whole("abc").unwrap());
    }

    #[test]
    fn decimal_numbers_of_pydantic_are_known() {
        for (rest, expected) in [
            (r"\d*\.?\d*$", Some(r"^[+-]?(?:\d+\.?\d*|\.\d+)$")),
            (r"\d*\.?\d{0,2}0*$", Some(r"^[+-]?\d+(?:\.\d{1,2})?$")),
            (
                r"(?:\d{0,4}|(?=[\d.]{1,7}0*$)\d{0,4}\.\d{0,2}0*$)",
                Some(r"^[+-]?0?\d{0,4}\.\d{1,2}$"),
            ),
            (r"(?:\d{0,4}|(?=[\d.]{1,5}0*$)\d*\.\d*0*$)", None),
            ("", None),
        ] {
            let pattern = format!("^(?!^[-+.]*$)[+-]?0*{rest}");
            assert_eq!(decimal(&pattern).as_deref(), expected, "{pattern}");
            assert_eq!(of_schema(&pattern).is_ok(), expected.is_some(), "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_refused_by_name() {
        for (regex, words) in [
            (r"\bword", "word borders"),
            ("a^b", "only around all of it"),
            ("a(?=b)", "look-around"),
            (r"(a)\1", "backreferences"),
            ("(?m)^a", "single lines"),
            ("a{20000}", "10000 times"),
            ("[b-a]", "invalid character class range"),
            ("(", "unclosed group at byte 0"),
        ] {
            let error = whole(regex).unwrap_err();
            assert!(error.sentence().contains(words), "{error}");
        }
        assert!(whole(&"(".repeat(300)).is_err());
        assert!(whole(&"a".repeat(20_000)).is_err());
        assert!(whole("(((a{1000}){1000}){1000}){1000}").is_err());
        assert!(whole("[a-z]{1,9999}").is_ok());
    }
}
