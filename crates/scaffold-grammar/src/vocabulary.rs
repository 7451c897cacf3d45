//! A model's tokens, as grammars see them: bytes, and control tokens that are no bytes.

use std::fmt;
use std::sync::Arc;

use llguidance::ParserFactory;
use llguidance::earley::SlicedBiasComputer;
use scaffold_error::{Error, err};
use scaffold_text::{EncodeOptions, TokenKind, Tokenizer};
use toktrie::{
    INVALID_TOKEN, InferenceCapabilities, SimpleVob, TokRxInfo, TokTrie, TokenId, TokenizerEnv,
};

/// Tokens that are looked at to see whether text comes from their bytes.
const PROBES: usize = 400;

/// The tokens of one tokenizer. It is made once for a model and shared.
pub struct Vocabulary {
    pub(crate) factory: ParserFactory,
    /// Tokens that may not come first: their first space is no text there.
    pub(crate) not_first: Option<Arc<SimpleVob>>,
    tokenizer: Arc<Tokenizer>,
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary")
            .field("source", &self.tokenizer.source())
            .finish_non_exhaustive()
    }
}

impl Vocabulary {
    /// Looks at all tokens of a tokenizer, which takes about a second for 128,000.
    ///
    /// # Errors
    /// The text of an answer is not what the bytes of its tokens say, so that nothing can be held to.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Result<Self, Error> {
        let words: Vec<Vec<u8>> =
            (0..tokenizer.vocab_size() as u32).map(|id| word(&tokenizer, id)).collect();
        let drops_space = check(&tokenizer, &words)?;
        let not_first = drops_space.then(|| {
            let mut tokens = SimpleVob::alloc(words.len());
            let spaced = (0..words.len()).filter(|&id| words[id].first() == Some(&b' '));
            spaced.for_each(|id| tokens.allow_token(id as TokenId));
            Arc::new(tokens)
        });
        let info = TokRxInfo::new(words.len() as u32, INVALID_TOKEN);
        let trie = TokTrie::from(&info, &words);
        let canonical = is_canonical(&tokenizer);
        let env = Arc::new(Env { trie, tokenizer: Arc::clone(&tokenizer), canonical });
        let (env, slices) = (env as toktrie::TokEnv, SlicedBiasComputer::general_slices());
        let factory = ParserFactory::new(&env, InferenceCapabilities::default(), &slices);
        let mut factory = factory.map_err(|error| {
            err!(Internal, "the tokens of {} cannot be put in order: {error}", tokenizer.source())
        })?;
        factory.quiet();
        *factory.limits_mut() = crate::limits::parser();
        Ok(Self { factory, not_first, tokenizer })
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }
}

/// What a token is in a grammar: its bytes; behind a mark that is in no text, the name of a control
/// token; nothing, where it has no meaning.
fn word(tokenizer: &Tokenizer, id: u32) -> Vec<u8> {
    match tokenizer.kind(id) {
        TokenKind::Normal | TokenKind::Added | TokenKind::Byte => {
            let bytes = tokenizer.token_bytes(id).unwrap_or_default();
            // Such bytes are in no text, and would be taken for a mark.
            if bytes.first() == Some(&TokTrie::SPECIAL_TOKEN_MARKER) && bytes.len() > 1 {
                Vec::new()
            } else {
                bytes
            }
        }
        TokenKind::Control => {
            let name = tokenizer.id_to_piece(id).unwrap_or_default();
            let mut word = vec![TokTrie::SPECIAL_TOKEN_MARKER];
            word.extend_from_slice(name.as_bytes());
            word
        }
        TokenKind::Unknown | TokenKind::Unused => Vec::new(),
    }
}

/// Whether the bytes of tokens are the text of answers; and whether the first space of an answer is
/// left out.
fn check(tokenizer: &Tokenizer, words: &[Vec<u8>]) -> Result<bool, Error> {
    let plain = |id: &u32| {
        let word = &words[*id as usize];
        tokenizer.kind(*id) == TokenKind::Normal
            && !word.is_empty()
            && std::str::from_utf8(word).is_ok()
    };
    let normal: Vec<u32> = (0..words.len() as u32).filter(plain).collect();
    let Some(&letter) =
        normal.iter().find(|&&id| words[id as usize].iter().all(u8::is_ascii_alphabetic))
    else {
        return Err(err!(
            Unsupported,
            "the tokenizer of {} has no token that is text",
            tokenizer.source()
        ));
    };
    let before = tokenizer.decode(&[letter], false)?;
    for &id in normal.iter().step_by(normal.len().div_ceil(PROBES)) {
        let both = tokenizer.decode(&[letter, id], false)?;
        let text = both.strip_prefix(&before).unwrap_or_default();
        if text.as_bytes() != words[id as usize] {
            return Err(err!(
                Unsupported,
                "answers of this model cannot be held to a grammar: token {id} of {} is {:?}, and is written as {text:?}",
                tokenizer.source(),
                String::from_utf8_lossy(&words[id as usize])
            ));
        }
    }
    let spaced = normal.iter().find(|&&id| {
        let word = &words[id as usize];
        word.len() > 1 && word[0] == b' ' && word[1] != b' '
    });
    let Some(&spaced) = spaced else { return Ok(false) };
    Ok(!tokenizer.decode(&[spaced], false)?.starts_with(' '))
}

/// Whether texts in the middle of an answer are encoded as they are, without a space in front.
fn is_canonical(tokenizer: &Tokenizer) -> bool {
    ["a", " a", "{\"a\": [1, 2", "\n\n", "Zürich\": "].iter().all(|text| {
        let bytes = encoded(tokenizer, text).map(|ids| {
            ids.into_iter()
                .flat_map(|id| tokenizer.token_bytes(id).unwrap_or_default())
                .collect::<Vec<u8>>()
        });
        bytes.is_some_and(|bytes| bytes == text.as_bytes())
    })
}

fn encoded(tokenizer: &Tokenizer, text: &str) -> Option<Vec<u32>> {
    let options = EncodeOptions { add_special: false, parse_special: false };
    Some(tokenizer.encode(text, &options).ok()?.ids)
}

/// The tokens for the machinery below.
struct Env {
    trie: TokTrie,
    tokenizer: Arc<Tokenizer>,
    /// Texts that must come can be encoded as the tokenizer does it.
    canonical: bool,
}

impl TokenizerEnv for Env {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        let text = std::str::from_utf8(bytes).ok();
        let ids = text.and_then(|text| encoded(&self.tokenizer, text));
        // An encoding that changes the text, as some normalise it, is none of these bytes.
        let same = |ids: &Vec<u32>| ids.iter().flat_map(|&id| self.trie.token(id)).eq(bytes);
        ids.filter(same).unwrap_or_else(|| self.trie.greedy_tokenize(bytes))
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.canonical
    }
}
