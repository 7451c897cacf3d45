//! Tokens that are cut out of the text before anything else looks at it.

use aho_corasick::{AhoCorasick, Input, MatchKind};
use scaffold_error::{Error, err};
use serde::Deserialize;
use std::collections::HashMap;

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

/// An added token, as `tokenizer.json` and `tokenizer_config.json` write it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct JsonAddedToken {
    #[serde(default)]
    pub(crate) id: u32,
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) single_word: bool,
    #[serde(default)]
    pub(crate) lstrip: bool,
    #[serde(default)]
    pub(crate) rstrip: bool,
    pub(crate) normalized: Option<bool>,
    #[serde(default)]
    pub(crate) special: bool,
}

impl JsonAddedToken {
    pub(crate) fn into_token(self) -> AddedToken {
        AddedToken {
            id: self.id,
            normalized: self.normalized.unwrap_or(!self.special),
            content: self.content,
            single_word: self.single_word,
            lstrip: self.lstrip,
            rstrip: self.rstrip,
            special: self.special,
        }
    }
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

/// An automaton over some of the tokens.
#[derive(Debug)]
struct Matcher {
    automaton: AhoCorasick,
    patterns: Vec<Pattern>,
}

/// What one pattern of the automaton stands for.
#[derive(Debug)]
struct Pattern {
    /// Which token.
    token: usize,
    length: usize,
    /// The patterns that this one begins with, longest first: where a name is not permitted, a
    /// shorter one at the same place may be.
    shorter: Vec<usize>,
}

/// A token's name at a place of the text.
#[derive(Clone, Copy)]
struct Found {
    token: usize,
    start: usize,
    end: usize,
}

/// What a search for the next token gives.
enum Search {
    Found(Found),
    /// Nothing that is permitted starts before this place.
    Again(usize),
    Nothing,
}

impl Matcher {
    fn new(names: &[(usize, String)]) -> Result<Option<Self>, Error> {
        if names.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(names.iter().map(|(_, name)| name))
            .map_err(|error| err!(Damaged, "the list of added tokens is not usable: {error}"))?;
        let places: HashMap<&str, usize> =
            names.iter().enumerate().map(|(place, (_, name))| (name.as_str(), place)).collect();
        let patterns = names
            .iter()
            .map(|(token, name)| Pattern {
                token: *token,
                length: name.len(),
                shorter: name
                    .char_indices()
                    .rev()
                    .filter_map(|(end, _)| places.get(&name[..end]).copied())
                    .collect(),
            })
            .collect();
        Ok(Some(Matcher { automaton, patterns }))
    }

    /// The leftmost, there the longest, name from `at` on that `allows` permits. Names that are not
    /// permitted count as if they were no tokens.
    fn next(&self, text: &str, at: usize, allows: &dyn Fn(&Found) -> bool) -> Search {
        let Some(found) = self.automaton.find(Input::new(text).range(at..)) else {
            return Search::Nothing;
        };
        let start = found.start();
        let longest = found.pattern().as_usize();
        let shorter = self.patterns[longest].shorter.iter().copied();
        let here = |place: usize| Found {
            token: self.patterns[place].token,
            start,
            end: start + self.patterns[place].length,
        };
        match std::iter::once(longest).chain(shorter).map(here).find(allows) {
            Some(found) => Search::Found(found),
            None => Search::Again(start + text[start..].chars().next().map_or(1, char::len_utf8)),
        }
    }
}

impl AddedTokens {
    /// `normalize` gives the form in which a `normalized` token is looked for.
    pub(crate) fn new(
        tokens: Vec<AddedToken>,
        normalize: impl Fn(&str) -> String,
    ) -> Result<Self, Error> {
        let matcher = |normalized: bool| -> Result<Option<Matcher>, Error> {
            let names = tokens
                .iter()
                .enumerate()
                .filter(|(_, token)| token.normalized == normalized)
                .map(|(index, token)| {
                    let name =
                        if normalized { normalize(&token.content) } else { token.content.clone() };
                    (index, name)
                })
                .filter(|(_, name)| !name.is_empty())
                .collect::<Vec<_>>();
            Matcher::new(&names)
        };
        Ok(AddedTokens { in_text: matcher(false)?, in_normalized: matcher(true)?, tokens })
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
        let allows =
            |found: &Found| permit.allows(&self.tokens[found.token], found.start, found.end);
        let (mut done, mut at) = (0, 0);
        while let Some(matcher) = matcher {
            let found = match matcher.next(text, at, &allows) {
                Search::Found(found) => found,
                Search::Again(next) => {
                    at = next;
                    continue;
                }
                Search::Nothing => break,
            };
            let (token, mut start, mut end) = (&self.tokens[found.token], found.start, found.end);
            at = end;
            if token.single_word && !stands_alone(text, start, end) {
                continue;
            }
            if token.lstrip {
                // What a token before has taken stays with it.
                start = text[..start].trim_end().len().max(done).min(start);
            }
            if token.rstrip {
                end += text[end..].len() - text[end..].trim_start().len();
            }
            if done < start {
                emit(Segment { token: None, start: done, end: start });
            }
            emit(Segment { token: Some(token.id), start, end });
            done = end;
        }
        if done < text.len() {
            emit(Segment { token: None, start: done, end: text.len() });
        }
    }
}

/// Whether neither neighbour of `text[start..end]` belongs to a word, as regular expressions see
/// words (`\w`).
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let word = regex_syntax::is_word_character;
    !text[..start].chars().next_back().is_some_and(word)
        && !text[end..].chars().next().is_some_and(word)
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
                AddedToken { special: true, ..token(0, "<s>") },
                AddedToken { lstrip: true, ..token(1, "<mask>") },
                AddedToken { rstrip: true, ..token(2, "<r>") },
                AddedToken { single_word: true, ..token(3, "ing") },
                AddedToken { normalized: true, ..token(4, "Day") },
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
        assert_eq!(split("a  <mask> b", true), [(None, "a"), (Some(1), "  <mask>"), (None, " b")]);
        assert_eq!(split("a <r>  b", true), [(None, "a "), (Some(2), "<r>  "), (None, "b")]);
        assert_eq!(split("sing ing", true), [(None, "sing "), (Some(3), "ing")]);
        assert_eq!(split("", true), []);
    }

    #[test]
    fn control_tokens_in_text_stay_text_unless_asked_for() {
        assert_eq!(split("x<s>y", false), [(None, "x<s>y")]);
        assert_eq!(split("x<s>y", true), [(None, "x"), (Some(0), "<s>"), (None, "y")]);
        assert_eq!(split("<s><s><s>", true), [(Some(5), "<s><s>"), (Some(0), "<s>")]);
    }

    #[test]
    fn normalized_tokens_are_found_in_normalized_text() {
        let mut out = Vec::new();
        let text = "a day";
        tokens().split_normalized(text, &Everywhere { special: true }, &mut |s| out.push(s));
        assert_eq!(out[1], Segment { token: Some(4), start: 2, end: 5 });
    }
}
