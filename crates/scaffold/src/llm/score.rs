//! How likely a model finds given texts.

use scaffold_engine::{Request, Scores, Stop};
use scaffold_error::err;
use serde::Serialize;

use super::answer::Logprob;
use super::manager::LlmManager;
use crate::error::Error;

/// How likely a text is that comes after another one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// The sum of its tokens' log-probabilities: natural logarithms.
    pub logprob: f64,
    /// Whether each token is the likeliest one in its place, so that greedy decoding would have
    /// written the text.
    pub is_greedy: bool,
    /// Its tokens.
    pub tokens: Vec<Logprob>,
}

/// So many are computed together at most.
const TOGETHER: usize = 32;

/// Scores: what the tests of the field ask of a model that chooses among given answers.
impl LlmManager {
    /// How likely the model finds each of these texts after `context`, which is computed once.
    ///
    /// Text is taken as it is, without a chat format. A context and a text are made into tokens
    /// together, and those that the context alone does not have are the text's; spaces at the end
    /// of the context belong to the text. That is how `lm-evaluation-harness` splits them.
    ///
    /// # Errors
    /// Text that the tokenizer refuses, a context without tokens, a text without tokens of its own,
    /// or one that does not fit.
    pub fn score<T: AsRef<str>>(&self, context: &str, texts: &[T]) -> Result<Vec<Score>, Error> {
        let bare = context.trim_end();
        let from = self.plain_ids(bare)?.len();
        let prompts = texts.iter().enumerate().map(|(index, text)| {
            let ids = self.plain_ids(&format!("{context}{}", text.as_ref()))?;
            if from == 0 || ids.len() <= from {
                let what = if from == 0 { "the context" } else { "the text" };
                return Err(err!(Usage, "{what} has no tokens, so that there is nothing to score")
                    .in_item("text", index));
            }
            Ok(ids)
        });
        let prompts = prompts.collect::<Result<Vec<_>, Error>>();
        self.score_ids(self.named(prompts)?, from)
    }

    /// How likely the model finds the tokens of each prompt from place `from` on, each given all
    /// before it. Prompts that begin alike are computed once up to there.
    ///
    /// # Errors
    /// A place that a prompt does not have, or a prompt that does not fit.
    pub fn score_ids(&self, prompts: Vec<Vec<u32>>, from: usize) -> Result<Vec<Score>, Error> {
        let mut scores = Vec::with_capacity(prompts.len());
        let mut prompts = prompts.into_iter().peekable();
        while prompts.peek().is_some() {
            let requests = prompts.by_ref().take(TOGETHER).map(|prompt| Request {
                scores: Some(Scores { from, top: 1 }),
                stop: Stop { max_new_tokens: Some(0), ..Stop::default() },
                ..Request::new(prompt)
            });
            for stream in self.submit_together(requests.collect())? {
                scores.push(Score::of(stream.collect_answer()?.prompt_logprobs));
            }
        }
        Ok(scores)
    }
}

impl Score {
    fn of(tokens: Vec<Logprob>) -> Self {
        let likeliest =
            |one: &Logprob| one.top.first().is_some_and(|best| best.logprob <= one.chosen.logprob);
        Self {
            logprob: tokens.iter().map(|one| f64::from(one.chosen.logprob)).sum(),
            is_greedy: tokens.iter().all(likeliest),
            tokens,
        }
    }
}
