//! Building a byte-level vocabulary from tokens and merges that are spelled in GPT-2's alphabet.

use super::{ByteLevel, Ids};
use crate::bpe::{Merges, alphabet};
use crate::split::Splitter;
use crate::tokens::{Spelling, TokenKind, TokenTable};
use ahash::RandomState;
use scaffold_error::{Error, err};
use std::collections::HashMap;
use std::fmt::Display;

/// A token's id, bytes and kind.
pub(crate) type TokenEntry = (u32, Vec<u8>, TokenKind);

/// Tokens collected so far.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    what: String,
    ids: Ids,
    tokens: Vec<TokenEntry>,
    /// Tokens whose names are not in the alphabet: they are found by name only.
    named: Vec<(u32, String)>,
    /// Tokens that are no words, which merges may name all the same.
    apart: HashMap<Vec<u8>, u32>,
    merges: Merges,
    rank: u32,
    /// The bytes of the merge that is being added.
    joined: Vec<u8>,
}

impl Builder {
    /// `what` names the vocabulary in errors.
    pub(crate) fn new(what: impl Into<String>, tokens: usize, merges: usize) -> Self {
        Builder {
            what: what.into(),
            ids: Ids::with_capacity_and_hasher(tokens, RandomState::new()),
            merges: Merges::with_capacity(merges),
            tokens: Vec::with_capacity(tokens),
            ..Builder::default()
        }
    }

    fn bad(&self, problem: impl Display) -> Error {
        err!(Damaged, "{} is not usable: {problem}", self.what)
    }

    /// Adds a token as the vocabulary spells it.
    pub(crate) fn token(&mut self, id: u32, name: &str) {
        let bytes: Option<Vec<u8>> = name.chars().map(alphabet::char_to_byte).collect();
        if let Some(bytes) = bytes {
            self.ids.insert(bytes.clone().into_boxed_slice(), id);
            self.tokens.push((id, bytes, TokenKind::Normal));
        } else {
            self.tokens.push((id, name.as_bytes().to_vec(), TokenKind::Normal));
            self.named.push((id, name.to_owned()));
        }
    }

    /// Adds a token by its bytes.
    pub(crate) fn bytes(&mut self, id: u32, bytes: Vec<u8>) {
        self.ids.insert(bytes.clone().into_boxed_slice(), id);
        self.tokens.push((id, bytes, TokenKind::Normal));
    }

    /// Adds a token that stands for its own name; merges make it only where one names it.
    pub(crate) fn apart(&mut self, id: u32, name: &str, kind: TokenKind) {
        let bytes = alphabet::token_bytes(name);
        // A single byte must stay expressible.
        if bytes.len() == 1 && kind == TokenKind::Added {
            self.ids.insert(bytes.clone().into_boxed_slice(), id);
        }
        self.apart.insert(bytes, id);
        self.tokens.push((id, name.as_bytes().to_vec(), kind));
        self.named.push((id, name.to_owned()));
    }

    /// Adds the next merge, in order of rank.
    pub(crate) fn merge(&mut self, left: &str, right: &str) -> Result<(), Error> {
        self.joined.clear();
        alphabet::push_token_bytes(left, &mut self.joined);
        let border = self.joined.len();
        alphabet::push_token_bytes(right, &mut self.joined);
        let (left_bytes, right_bytes) = self.joined.split_at(border);
        let id = |bytes: &[u8], name: [&str; 2]| {
            let known = self.ids.get(bytes).or_else(|| self.apart.get(bytes));
            known.copied().ok_or_else(|| {
                let name = name.concat();
                self.bad(format!("merge {} ({left:?} {right:?}) needs the token {name:?}, which is not in the vocabulary", self.rank))
            })
        };
        let (left_id, right_id) = (id(left_bytes, [left, ""])?, id(right_bytes, [right, ""])?);
        let joined_id = id(&self.joined, [left, right])?;
        self.merges.insert(left_id, right_id, self.rank, joined_id);
        self.rank += 1;
        Ok(())
    }

    /// Adds the next merge as one line, `left right`.
    pub(crate) fn merge_line(&mut self, line: &str) -> Result<(), Error> {
        match line.split_once(' ') {
            Some((left, right)) if !right.contains(' ') => self.merge(left, right),
            _ => Err(self.bad(format!(
                "merge {} is {line:?} (expected two tokens with one space between)",
                self.rank
            ))),
        }
    }

    /// Adds all merges that tokens with ranks imply: two tokens merge if their joint bytes are a
    /// token, the one with the lowest id first (tiktoken).
    pub(crate) fn merges_by_rank(&mut self) {
        let mut merges = Merges::with_capacity(self.tokens.len() * 2);
        for (id, bytes, kind) in &self.tokens {
            if *kind != TokenKind::Normal {
                continue;
            }
            for at in 1..bytes.len() {
                if let (Some(&left), Some(&right)) =
                    (self.ids.get(&bytes[..at]), self.ids.get(&bytes[at..]))
                {
                    merges.insert(left, right, *id, *id);
                }
            }
        }
        self.merges = merges;
    }

    /// The engine, and the table of its tokens with `more` of them.
    pub(crate) fn build(
        mut self,
        splitter: Splitter,
        spelling: Spelling,
        more: impl IntoIterator<Item = TokenEntry>,
    ) -> (ByteLevel, TokenTable) {
        self.tokens.extend(more);
        let mut table = TokenTable::new(spelling);
        table.fill(self.tokens);
        for (id, name) in &self.named {
            table.name(*id, name);
        }
        (ByteLevel::new(splitter, self.merges, self.ids), table)
    }
}
