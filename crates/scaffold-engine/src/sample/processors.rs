//! Logits processors: changes to the logits that also apply to greedy decoding.
//!
//! Order and meaning follow `transformers`: logit and sequence bias, repetition penalty, (presence
//! and frequency penalties, which `transformers` lacks and vLLM applies here), no-repeat n-grams,
//! bad words, minimum of new tokens, suppressed tokens.

use std::collections::HashMap;

use super::sampling::Sampling;

const BANNED: f32 = f32::NEG_INFINITY;

/// How often each token of one sequence occurred. Kept only while a penalty needs it.
#[derive(Debug, Default)]
pub(crate) struct TokenCounts {
    /// Every token of prompt and answer, with the number of times it was generated.
    generated: HashMap<u32, u32>,
}

impl TokenCounts {
    pub(crate) fn of_prompt(prompt: &[u32]) -> Self {
        Self { generated: prompt.iter().map(|&id| (id, 0)).collect() }
    }

    pub(crate) fn push(&mut self, id: u32) {
        *self.generated.entry(id).or_insert(0) += 1;
    }
}

/// What the processors know of a sequence.
pub(crate) struct History<'a> {
    /// Prompt and answer so far.
    pub(crate) tokens: &'a [u32],
    pub(crate) prompt_tokens: usize,
    /// Tokens that end the answer.
    pub(crate) ends: &'a [u32],
    pub(crate) eos: &'a [u32],
    pub(crate) counts: &'a TokenCounts,
}

impl History<'_> {
    /// Whether the answer may not end yet.
    fn is_too_short(&self, p: &Sampling) -> bool {
        let length = self.tokens.len();
        length - self.prompt_tokens < p.min_new_tokens || length < p.min_length
    }

    fn is_at_first(&self) -> bool {
        self.tokens.len() == self.prompt_tokens
    }
}

/// Whether any processor has something to do at this position.
pub(crate) fn any_active(p: &Sampling, history: &History<'_>) -> bool {
    counts_needed(p)
        || !p.logit_bias.is_empty()
        || p.no_repeat_ngram_size > 0
        || !p.bad_words.is_empty()
        || !p.suppress_tokens.is_empty()
        || !p.sequence_bias.is_empty()
        || history.is_too_short(p)
        || (history.is_at_first() && !p.begin_suppress_tokens.is_empty())
}

/// Whether [`TokenCounts`] have to be kept for these parameters.
pub(crate) fn counts_needed(p: &Sampling) -> bool {
    p.repetition_penalty != 1.0 || p.presence_penalty != 0.0 || p.frequency_penalty != 0.0
}

/// Applies every active processor to `logits`, in order.
pub(crate) fn process(logits: &mut [f32], p: &Sampling, history: &History<'_>) {
    for &(id, bias) in &p.logit_bias {
        add(logits, id, bias);
    }
    for (word, bias) in &p.sequence_bias {
        if let Some(&last) = completed(word, history) {
            add(logits, last, *bias);
        }
    }
    if p.repetition_penalty != 1.0 {
        penalize_repetition(logits, history.counts, p.repetition_penalty);
    }
    if p.presence_penalty != 0.0 || p.frequency_penalty != 0.0 {
        penalize_generated(logits, history.counts, p.presence_penalty, p.frequency_penalty);
    }
    if p.no_repeat_ngram_size > 0 {
        ban_repeated_ngrams(logits, history.tokens, p.no_repeat_ngram_size);
    }
    for word in &p.bad_words {
        ban_word(logits, word, history);
    }
    if history.is_too_short(p) {
        for &id in history.ends {
            ban(logits, id);
        }
    }
    for &id in &p.suppress_tokens {
        ban(logits, id);
    }
    if history.is_at_first() {
        for &id in &p.begin_suppress_tokens {
            ban(logits, id);
        }
    }
}

fn add(logits: &mut [f32], id: u32, bias: f32) {
    if let Some(logit) = logits.get_mut(id as usize) {
        *logit += bias;
    }
}

fn ban(logits: &mut [f32], id: u32) {
    if let Some(logit) = logits.get_mut(id as usize) {
        *logit = BANNED;
    }
}

fn penalize_repetition(logits: &mut [f32], counts: &TokenCounts, penalty: f32) {
    for &id in counts.generated.keys() {
        if let Some(logit) = logits.get_mut(id as usize) {
            *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
        }
    }
}

fn penalize_generated(logits: &mut [f32], counts: &TokenCounts, presence: f32, frequency: f32) {
    for (&id, &times) in &counts.generated {
        if times > 0 {
            add(logits, id, -(presence + frequency * times as f32));
        }
    }
}

/// Bans every token that would complete an n-gram which already occurred.
fn ban_repeated_ngrams(logits: &mut [f32], tokens: &[u32], size: usize) {
    let Some(start) = (tokens.len() + 1).checked_sub(size) else {
        return;
    };
    let current = &tokens[start..];
    for ngram in tokens.windows(size) {
        let (&last, before) = ngram.split_last().unwrap_or((&0, &[]));
        if before == current {
            ban(logits, last);
        }
    }
}

fn ban_word(logits: &mut [f32], word: &[u32], history: &History<'_>) {
    let only_eos = matches!(word, [id] if history.eos.contains(id));
    if let Some(&last) = completed(word, history).filter(|_| !only_eos) {
        ban(logits, last);
    }
}

/// The token that would complete a word here.
fn completed<'w>(word: &'w [u32], history: &History<'_>) -> Option<&'w u32> {
    let (last, before) = word.split_last()?;
    history.tokens.ends_with(before).then_some(last)
}
