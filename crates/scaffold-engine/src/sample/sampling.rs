//! What a request asks of the sampler.

/// How the next token is chosen. Names and meaning are those of `transformers`' generation config.
///
/// The default is greedy, without any change to the logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// `false`: the token with the highest logit (ties: the lowest id); everything from
    /// `temperature` to `typical_p` and `seed` is then without effect. The processors
    /// (`repetition_penalty` … `suppress_tokens`) always apply.
    pub do_sample: bool,
    /// Divides the logits. 0 is greedy, as the Ollama and OpenAI interfaces use it.
    pub temperature: f32,
    /// Keeps the k highest logits, and ties with the k-th. 0 keeps all.
    pub top_k: usize,
    /// Keeps the smallest set of the most probable tokens whose probabilities add up to this. 1
    /// keeps all.
    pub top_p: f32,
    /// Keeps tokens that are at least this fraction as probable as the most probable one. 0 keeps
    /// all.
    pub min_p: f32,
    /// Keeps the tokens whose information content is nearest to the expected one, up to this mass.
    /// 1 keeps all.
    pub typical_p: f32,
    /// Divides positive and multiplies negative logits of every token that occurred, the prompt's
    /// included. 1: off.
    pub repetition_penalty: f32,
    /// Subtracted once from every token that was generated (OpenAI's meaning: the prompt does not
    /// count). 0: off.
    pub presence_penalty: f32,
    /// Subtracted once for each time a token was generated (OpenAI's meaning). 0: off.
    pub frequency_penalty: f32,
    /// No run of this many tokens occurs twice, counting the prompt. 0: off.
    pub no_repeat_ngram_size: usize,
    /// Added to the logits of these tokens, before every other processor.
    pub logit_bias: Vec<(u32, f32)>,
    /// Token sequences that are never completed. A sequence that is only an end-of-sequence token
    /// is ignored, as in `transformers`; use [`Stop::ignore_eos`](crate::Stop::ignore_eos) or
    /// `suppress_tokens` for that.
    pub bad_words: Vec<Vec<u32>>,
    /// Added to the logit of the token that completes a sequence. One token alone is completed
    /// anywhere.
    pub sequence_bias: Vec<(Vec<u32>, f32)>,
    /// No end-of-sequence or stop token before this many new tokens.
    pub min_new_tokens: usize,
    /// The same, counting the prompt's tokens too.
    pub min_length: usize,
    /// Tokens that are never chosen.
    pub suppress_tokens: Vec<u32>,
    /// Tokens that are not chosen as the first new one.
    pub begin_suppress_tokens: Vec<u32>,
    /// Seed of the random numbers. `None` draws one, which
    /// [`Event::Started`](crate::Event::Started) reports.
    pub seed: Option<u64>,
    /// Tells several answers to one request apart: each has its own random numbers under the same
    /// seed.
    pub sequence: u32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            do_sample: false,
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            typical_p: 1.0,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            no_repeat_ngram_size: 0,
            logit_bias: Vec::new(),
            bad_words: Vec::new(),
            sequence_bias: Vec::new(),
            min_new_tokens: 0,
            min_length: 0,
            suppress_tokens: Vec::new(),
            begin_suppress_tokens: Vec::new(),
            seed: None,
            sequence: 0,
        }
    }
}

impl Sampling {
    /// The token with the highest logit, always.
    pub fn greedy() -> Self {
        Self::default()
    }

    /// Whether the highest logit decides, without a random number.
    pub fn is_greedy(&self) -> bool {
        !self.do_sample || self.temperature == 0.0
    }
}
