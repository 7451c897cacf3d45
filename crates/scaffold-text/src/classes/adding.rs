//! Which tokens are added to a vocabulary, with which ids: what `transformers` does with the tokens
//! that a model's configuration names.

use crate::added::AddedToken;
use crate::config::{Named, TokenizerConfig};
use std::collections::{HashMap, HashSet};

/// A vocabulary that tokens are added to.
pub(crate) struct Adding<'a> {
    vocabulary: HashMap<&'a str, u32>,
    tokens: Vec<AddedToken>,
    /// Where each token stands in `tokens`.
    places: HashMap<String, usize>,
}

impl<'a> Adding<'a> {
    pub(crate) fn new(vocabulary: HashMap<&'a str, u32>) -> Self {
        Adding { vocabulary, tokens: Vec::new(), places: HashMap::new() }
    }

    /// The id of a token, added or not.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        match self.places.get(name) {
            Some(&place) => Some(self.tokens[place].id),
            None => self.vocabulary.get(name).copied(),
        }
    }

    /// Adds tokens with the ids that they have, unless the vocabulary says otherwise.
    pub(crate) fn keep(&mut self, tokens: impl IntoIterator<Item = AddedToken>) {
        for mut token in tokens {
            token.id = self.id(&token.content).unwrap_or(token.id);
            self.put(token);
        }
    }

    /// Adds tokens: those of the vocabulary keep their ids, others get the next ones, as in
    /// `tokenizers`.
    pub(crate) fn add(&mut self, tokens: impl IntoIterator<Item = AddedToken>) {
        let added = self.tokens.iter().map(|token| token.id);
        let ids = self.vocabulary.values().copied().chain(added);
        let mut next = ids.max().map_or(0, |largest| largest + 1);
        for mut token in tokens {
            if token.content.is_empty() {
                continue;
            }
            token.id = self.id(&token.content).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            self.put(token);
        }
    }

    fn put(&mut self, token: AddedToken) {
        if let Some(&place) = self.places.get(&token.content) {
            self.tokens[place] = token;
        } else {
            self.places.insert(token.content.clone(), self.tokens.len());
            self.tokens.push(token);
        }
    }

    /// Adds the tokens that the configuration lists, then those that have roles, then further
    /// special ones.
    pub(crate) fn add_configured(&mut self, config: &TokenizerConfig, extra: &[Named]) {
        let same = |known: &AddedToken, token: &AddedToken| {
            AddedToken { id: token.id, ..known.clone() } == *token
        };
        let has_role = |name: &str| config.named.iter().any(|(_, token)| token.content == name);
        let mut todo: Vec<AddedToken> = config
            .added_tokens
            .iter()
            .filter(|token| {
                let place = self.places.get(&token.content);
                !place.is_some_and(|&place| same(&self.tokens[place], token))
            })
            .map(|token| AddedToken {
                special: token.special || has_role(&token.content),
                ..token.clone()
            })
            .collect();
        let listed: HashSet<String> = todo.iter().map(|token| token.content.clone()).collect();
        let roles = config.named.iter().map(|(_, token)| token);
        // By their contents: some classes name thousands.
        let mut names: HashMap<&str, Vec<&Named>> = HashMap::new();
        for token in roles.chain(extra) {
            let known = self.places.contains_key(&token.content) || listed.contains(&token.content);
            // The same name with other manners is added again: the last one counts.
            let alike = names.entry(&token.content).or_default();
            if !known && !alike.iter().any(|name| name.is_same(token)) {
                alike.push(token);
                todo.push(token.token(has_role(&token.content)));
            }
        }
        self.add(todo);
    }

    pub(crate) fn into_tokens(self) -> Vec<AddedToken> {
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(content: &str) -> AddedToken {
        Named::new(content).token(true)
    }

    #[test]
    fn tokens_of_the_vocabulary_keep_their_ids_and_others_come_after_it() {
        let mut adding = Adding::new(HashMap::from([("a", 0), ("<s>", 1), ("b", 2)]));
        adding.add([token("<x>"), token("<s>"), token(""), token("<y>")]);
        adding.add([token("<z>"), token("<x>")]);
        let ids: Vec<(u32, String)> =
            adding.into_tokens().into_iter().map(|token| (token.id, token.content)).collect();
        let expected = [(3, "<x>"), (1, "<s>"), (4, "<y>"), (5, "<z>")];
        assert_eq!(ids, expected.map(|(id, name)| (id, name.to_owned())));
    }
}
