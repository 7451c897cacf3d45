//! The tokens of a vocabulary: what each id means.

use crate::bpe::alphabet;
use ahash::RandomState;
use std::collections::HashMap;

/// What kind of token an id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A piece of text.
    Normal,
    /// A token that steers (`<s>`, `<|im_end|>`): it stands for no text, and text typed by a user
    /// cannot make it unless asked for.
    Control,
    /// A token added to the vocabulary that stands for its own text, always recognized.
    Added,
    /// One byte, for text that no other token covers.
    Byte,
    /// The token for what the vocabulary cannot express.
    Unknown,
    /// An id without a meaning.
    Unused,
}

/// How the name of a normal token relates to its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// GPT-2's alphabet: `Ġthe`.
    ByteLevel,
    /// SentencePiece: `▁the`, `<0x0A>`.
    Metaspace,
    /// The bytes themselves (tekken, tiktoken).
    Raw,
}

/// All tokens by id, their bytes one after the other.
#[derive(Debug)]
pub(crate) struct TokenTable {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    kinds: Vec<TokenKind>,
    spelling: Spelling,
    /// Names of the tokens that are not normal, and of normal ones that are not spelled like the
    /// others.
    named: HashMap<Box<str>, u32, RandomState>,
    names: HashMap<u32, Box<str>, RandomState>,
}

impl TokenTable {
    pub(crate) fn new(spelling: Spelling) -> Self {
        TokenTable {
            bytes: Vec::new(),
            ends: Vec::new(),
            kinds: Vec::new(),
            spelling,
            named: HashMap::default(),
            names: HashMap::default(),
        }
    }

    /// Builds the table from tokens in any order of ids; the last one for an id stays.
    pub(crate) fn fill(&mut self, mut tokens: Vec<(u32, Vec<u8>, TokenKind)>) {
        tokens.sort_by_key(|token| token.0);
        let mut next = 0;
        for index in 0..tokens.len() {
            let (id, ref bytes, kind) = tokens[index];
            if tokens.get(index + 1).is_some_and(|following| following.0 == id) {
                continue;
            }
            while next < id {
                self.push(&[], TokenKind::Unused);
                next += 1;
            }
            self.push(bytes, kind);
            next += 1;
        }
    }

    /// Adds tokens, or replaces those with the same ids, and names them.
    pub(crate) fn extend(&mut self, tokens: Vec<(u32, Vec<u8>, TokenKind)>) {
        if tokens.is_empty() {
            return;
        }
        for (id, bytes, _) in &tokens {
            self.name(*id, &String::from_utf8_lossy(bytes));
        }
        let mut all: Vec<_> =
            (0..self.len() as u32).map(|id| (id, self.bytes(id).to_vec(), self.kind(id))).collect();
        all.extend(tokens);
        self.bytes.clear();
        self.ends.clear();
        self.kinds.clear();
        self.fill(all);
    }

    fn push(&mut self, bytes: &[u8], kind: TokenKind) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len() as u32);
        self.kinds.push(kind);
    }

    /// Gives a token a name of its own, for looking it up by text and for printing it.
    pub(crate) fn name(&mut self, id: u32, name: &str) {
        self.named.insert(name.into(), id);
        self.names.insert(id, name.into());
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn bytes(&self, id: u32) -> &[u8] {
        let at = id as usize;
        let Some(&end) = self.ends.get(at) else {
            return &[];
        };
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start as usize..end as usize]
    }

    pub(crate) fn kind(&self, id: u32) -> TokenKind {
        self.kinds.get(id as usize).copied().unwrap_or(TokenKind::Unused)
    }

    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        self.named.get(name).copied()
    }

    /// The bytes of a normal token from its spelling.
    pub(crate) fn unspell(&self, piece: &str) -> Option<Vec<u8>> {
        match self.spelling {
            Spelling::ByteLevel => piece.chars().map(alphabet::char_to_byte).collect(),
            Spelling::Metaspace => Some(piece.replace('▁', " ").into_bytes()),
            Spelling::Raw => Some(piece.as_bytes().to_vec()),
        }
    }

    /// The token as its vocabulary spells it; bytes that are no text are written as `\xNN`.
    pub(crate) fn piece(&self, id: u32) -> Option<String> {
        if (id as usize) >= self.len() {
            return None;
        }
        if let Some(name) = self.names.get(&id) {
            return Some(name.to_string());
        }
        let bytes = self.bytes(id);
        Some(match self.spelling {
            Spelling::ByteLevel => alphabet::bytes_to_token(bytes),
            Spelling::Metaspace if self.kind(id) == TokenKind::Byte => {
                format!("<0x{:02X}>", bytes.first().copied().unwrap_or_default())
            }
            Spelling::Metaspace => String::from_utf8_lossy(bytes).replace(' ', "▁"),
            Spelling::Raw => escaped(bytes),
        })
    }
}

fn escaped(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_between_ids_are_unused_and_pieces_are_spelled_back() {
        let mut table = TokenTable::new(Spelling::ByteLevel);
        table.fill(vec![
            (3, b" the".to_vec(), TokenKind::Normal),
            (0, b"<s>".to_vec(), TokenKind::Control),
            (1, b"a".to_vec(), TokenKind::Normal),
        ]);
        table.name(0, "<s>");
        assert_eq!(table.len(), 4);
        assert_eq!(table.kind(2), TokenKind::Unused);
        assert_eq!(table.piece(3).as_deref(), Some("Ġthe"));
        assert_eq!(table.named("<s>"), Some(0));
        assert_eq!(table.bytes(3), b" the");
        assert_eq!(table.bytes(99), b"");
        assert_eq!(table.piece(4), None);
        assert_eq!(escaped(b"a\xffb"), "a\\xffb");
    }
}
