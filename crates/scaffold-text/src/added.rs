//! Tokens that are cut out of the text before anything else looks at it.

use crate::error::TextError;
use aho_corasick::{AhoCorasick, MatchKind};

/// A token added to the vocabulary of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddedToken {
    pub(crate) id: u32,
    pub(crate) content: String,
    /// Matches only between characters that do not belong to words.
    pub(crate) single_word: bool,
    /// Takes the spaces before it with it.
    pub(crate) lstrip: bool,
    /// Takes the spaces after it with it.
    pub(crate) rstrip: bool,
    /// Is looked for in the normalized text, else in the text as it is.
    pub(crate) normalized: bool,
    /// A control token: recognized only where special tokens are parsed.
    pub(crate) special: bool,
}

/// A stretch of text: a token that was found, or text between tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) token: Option<u32>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Which tokens may be recognized at which place.
pub(crate) trait Permit {
    fn allows(&self, token: &AddedToken, start: usize, end: usize) -> bool;
}

/// Control tokens are recognized or not, everywhere.
pub(crate) struct Everywhere {
    pub(crate) special: bool,
}

impl Permit for Everywhere {
    fn allows(&self, token: &AddedToken, _start: usize, _end: usize) -> bool {
        self.special || !token.special
    }
}

/// The added tokens of one vocabulary.
#[derive(Debug, Default)]
pub(crate) struct AddedTokens {
    tokens: Vec<AddedToken>,
    in_text: Option<Matcher>,
    in_normalized: Option<Matcher>,
}

/// An automaton over some of the tokens, and which token each of its patterns is.
#[derive(Debug)]
struct Matcher {
    automaton: AhoCorasick,
    indices: Vec<usize>,
}

impl AddedTokens {
    /// `normalize` gives the form in which a `normalized` token is looked for.
    pub(crate) fn new(
        tokens: Vec<AddedToken>,
        normalize: impl Fn(&str) -> String,
    ) -> Result<Self, TextError> {
        let matcher = |normalized: bool| -> Result<Option<Matcher>, TextError> {
            let (indices, patterns): (Vec<usize>, Vec<String>) = tokens
                .iter()
                .enumerate()
                .filter(|(_, token)| token.normalized == normalized && !token.content.is_empty())
                .map(|(index, token)| {
                    let pattern = if normalized {
                        normalize(&token.content)
                    } else {
                        token.content.clone()
                    };
                    (index, pattern)
                })
                .filter(|(_, pattern)| !pattern.is_empty())
                .unzip();
            if patterns.is_empty() {
                return Ok(None);
            }
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&patterns)
                .map_err(|error| TextError::BadVocabulary {
                    what: "the list of added tokens".to_owned(),
                    problem: error.to_string(),
                })?;
            Ok(Some(Matcher { automaton, indices }))
        };
        Ok(AddedTokens {
            in_text: matcher(false)?,
            in_normalized: matcher(true)?,
            tokens,
        })
    }

    pub(crate) fn tokens(&self) -> &[AddedToken] {
        &self.tokens
    }

    /// Whether any token is looked for in normalized text.
    pub(crate) fn looks_in_normalized(&self) -> bool {
        self.in_normalized.is_some()
    }

    /// Cuts `text` at the tokens that are looked for in the text as it is.
    pub(crate) fn split(&self, text: &str, permit: &dyn Permit, emit: &mut dyn FnMut(Segment)) {
        self.run(self.in_text.as_ref(), text, permit, emit);
    }

    /// Cuts normalized `text` at the tokens that are looked for in normalized text.
    pub(crate) fn split_normalized(
        &self,
        text: &str,
        permit: &dyn Permit,
        emit: &mut dyn FnMut(Segment),
    ) {
        self.run(self.in_normalized.as_ref(), text, permit, emit);
    }

    fn run(
        &self,
        matcher: Option<&Matcher>,
        text: &str,
        permit: &dyn Permit,
        emit: &mut dyn FnMut(Segment),
    ) {
        let mut done = 0;
        let found = matcher.into_iter().flat_map(|m| {
            m.automaton.find_iter(text).map(|found| {
                (
                    &self.tokens[m.indices[found.pattern().as_usize()]],
                    found.start(),
                    found.end(),
                )
            })
        });
        for (token, mut start, mut end) in found {
            if !permit.allows(token, start, end)
                || (token.single_word && !stands_alone(text, start, end))
            {
                continue;
            }
            if token.lstrip {
                start = text[..start].trim_end().len().max(done);
            }
            if token.rstrip {
                end += text[end..].len() - text[end..].trim_start().len();
            }
            if done < start {
                emit(Segment {
                    token: None,
                    start: done,
                    end: start,
                });
            }
            emit(Segment {
                token: Some(token.id),
                start,
                end,
            });
            done = end;
        }
        if done < text.len() {
            emit(Segment {
                token: None,
                start: done,
                end: text.len(),
            });
        }
    }
}

/// Whether neither neighbour of `text[start..end]` belongs to a word.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_' || unicode_mark(c);
    !text[..start].chars().next_back().is_some_and(word)
        && !text[end..].chars().next().is_some_and(word)
}

/// Marks belong to words in regular expressions (`\w`).
fn unicode_mark(c: char) -> bool {
    crate::split::classes::classes(c) & crate::split::classes::MARK != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> AddedTokens {
        let token = |id, content: &str| AddedToken {
            id,
            content: content.to_owned(),
            ..AddedToken::default()
        };
        AddedTokens::new(
            vec![
                AddedToken {
                    special: true,
                    ..token(0, "<s>")
                },
                AddedToken {
                    lstrip: true,
                    ..token(1, "<mask>")
                },
                AddedToken {
                    rstrip: true,
                    ..token(2, "<r>")
                },
                AddedToken {
                    single_word: true,
                    ..token(3, "ing")
                },
                AddedToken {
                    normalized: true,
                    ..token(4, "Day")
                },
                token(5, "<s><s>"),
            ],
            str::to_lowercase,
        )
        .expect("valid tokens")
    }

    fn split(text: &str, special: bool) -> Vec<(Option<u32>, &str)> {
        let mut out = Vec::new();
        tokens().split(text, &Everywhere { special }, &mut |s| {
            out.push((s.token, &text[s.start..s.end]));
        });
        out
    }

    #[test]
    fn flags_decide_what_a_token_takes_with_it() {
        assert_eq!(
            split("a  <mask> b", true),
            [(None, "a"), (Some(1), "  <mask>"), (None, " b")]
        );
        assert_eq!(
            split("a <r>  b", true),
            [(None, "a "), (Some(2), "<r>  "), (None, "b")]
        );
        assert_eq!(split("sing ing", true), [(None, "sing "), (Some(3), "ing")]);
        assert_eq!(split("", true), []);
    }

    #[test]
    fn control_tokens_in_text_stay_text_unless_asked_for() {
        assert_eq!(split("x<s>y", false), [(None, "x<s>y")]);
        assert_eq!(
            split("x<s>y", true),
            [(None, "x"), (Some(0), "<s>"), (None, "y")]
        );
        assert_eq!(
            split("<s><s><s>", true),
            [(Some(5), "<s><s>"), (Some(0), "<s>")]
        );
    }

    #[test]
    fn normalized_tokens_are_found_in_normalized_text() {
        let mut out = Vec::new();
        let text = "a day";
        tokens().split_normalized(text, &Everywhere { special: true }, &mut |s| out.push(s));
        assert_eq!(
            out[1],
            Segment {
                token: Some(4),
                start: 2,
                end: 5
            }
        );
    }
}
