//! Rankings, as `sentence-transformers`' cross-encoders compute them.
//!
//! A cross-encoder reads a query and a text together and gives one score; scores of different
//! queries are not to be compared.

mod head;

use std::fmt;

use scaffold_engine::Standing;
use scaffold_error::{Notice, err};
use scaffold_hub::{LocalModel, Progress};
use scaffold_model::{EncoderSession, Exec};
use scaffold_text::Tokenizer;

use crate::batch::{Batcher, Cancel, Computed, EncoderMetrics, Finished, Head, How, Tried};
use crate::builder::{Builder, FromModel};
use crate::config::Config;
pub use crate::embed::Ranked;
use crate::embed::input::{Encode, Input, in_parallel};
use crate::embed::load::{self, Loaded};
use crate::embed::repository::{Limits, Prompts, limits, prompts};
use crate::embed::{Activation, Cut, Prompt, cuts, ranked};
use crate::error::Error;
use crate::model::Model;
use crate::options::setters;

/// A model that scores how well a text answers a query.
///
/// Calls from several threads are computed together: their texts share batches, and none of them
/// holds up another that has fewer. All models of a process share its threads, in turns.
pub struct CrossEncoder {
    model: LocalModel,
    tokenizer: Tokenizer,
    limits: Limits,
    prompts: Prompts,
    batcher: Batcher<Logits>,
    activation: Activation,
    notices: Vec<Notice>,
}

/// The head's own numbers: one for each pair.
#[derive(Debug)]
struct Logits;

impl Head for Logits {
    fn width(&self) -> usize {
        1
    }

    fn finish(
        &self,
        _: &Exec,
        session: &mut EncoderSession,
        _: &[Finished],
    ) -> Result<Vec<f32>, Error> {
        session.scores()
    }
}

/// How pairs are scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScoreOptions<'a> {
    /// Cut a pair that is too long, the longer text first, and report it; otherwise it is an error.
    pub truncate: bool,
    /// What the scores are.
    pub scale: Scale,
    /// The text that is put before the query.
    pub prompt: Prompt<'a>,
    /// What looks like a special token in a text is text; otherwise it is that token, as for
    /// `sentence-transformers`.
    pub special_as_text: bool,
    /// What stops the call, from any thread.
    pub cancel: Option<&'a Cancel>,
    /// Where the call stands among others: its priority, whose it is, and how long it may wait until
    /// it is begun. It never changes a score.
    pub standing: Option<&'a Standing>,
}

setters!(ScoreOptions<'a> {
    truncate: bool,
    scale: Scale,
    prompt: Prompt<'a>,
    special_as_text: bool,
    cancel: Option<&'a Cancel>,
    standing: Option<&'a Standing>,
});

/// What scores are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// As the model's configuration says.
    #[default]
    Configured,
    /// The head's own numbers.
    Logits,
    /// Between 0 and 1.
    Sigmoid,
}

/// The scores of some texts, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// One for each text, larger is better.
    pub values: Vec<f32>,
    /// Tokens that were computed.
    pub tokens: usize,
    /// The pairs of which something was cut off.
    pub cut: Vec<Cut>,
}

impl Scores {
    /// The `top` best texts (all, if `None`), best first; equals stay in their order.
    pub fn ranked(&self, top: Option<usize>) -> Vec<Ranked> {
        ranked(self.values.iter().copied(), top)
    }
}

impl CrossEncoder {
    /// The model called `model` (a repository, a directory, an alias), with the configuration of
    /// this process. Fetches the model if it is not on this disk.
    ///
    /// ```no_run
    /// use scaffold::rerank::CrossEncoder;
    ///
    /// let model = CrossEncoder::from_pretrained("cross-encoder/ms-marco-MiniLM-L-6-v2")?;
    /// let texts = ["Bread is baked from flour.", "Berlin has 3.7 million inhabitants."];
    /// let best = model.rerank("How many people live in Berlin?", &texts, Some(1))?;
    /// assert_eq!(best[0].index, 1);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// A setting that cannot be used, a model that cannot be found, fetched or read, files that are
    /// not an encoder's, an encoder without a classification head, or something that is not
    /// understood.
    pub fn from_pretrained(model: &str) -> Result<CrossEncoder, Error> {
        CrossEncoder::builder(model).load()
    }

    /// The model called `model`, with more to be said of how it is loaded.
    pub fn builder<'a>(model: impl Into<String>) -> Builder<'a, CrossEncoder> {
        Builder::new(Some(model.into()))
    }

    /// How well `text` answers `query`, on the scale that the model's configuration sets.
    ///
    /// # Errors
    /// The pair is too long, or the model has several labels.
    pub fn score(&self, query: &str, text: &str) -> Result<f32, Error> {
        self.score_with(query, text, &ScoreOptions::default())
    }

    /// How well `text` answers `query`, scored as `options` say.
    ///
    /// # Errors
    /// As [`CrossEncoder::scores`].
    pub fn score_with(
        &self,
        query: &str,
        text: &str,
        options: &ScoreOptions<'_>,
    ) -> Result<f32, Error> {
        Ok(self.scores(query, &[text], options)?.values[0])
    }

    /// The `top` best texts (all, if `None`), best first.
    ///
    /// # Errors
    /// As [`CrossEncoder::score`].
    pub fn rerank<T: AsRef<str> + Sync>(
        &self,
        query: &str,
        texts: &[T],
        top: Option<usize>,
    ) -> Result<Vec<Ranked>, Error> {
        let scores = self.scores(query, texts, &ScoreOptions::default())?;
        Ok(scores.ranked(top))
    }

    /// The score of each text. Each is the same, bit for bit, as if its text had been the only one.
    ///
    /// # Errors
    /// A pair is too long and may not be cut, or the model has several labels; too many calls wait,
    /// or this one was stopped or not begun in time.
    pub fn scores<T: AsRef<str> + Sync>(
        &self,
        query: &str,
        texts: &[T],
        options: &ScoreOptions<'_>,
    ) -> Result<Scores, Error> {
        let pair = |index: usize| (query, texts[index].as_ref());
        let scored = self.score_all(texts.len(), pair, options);
        scored.map_err(|error| self.of_model(error))
    }

    /// The score of each pair of a query and a text, computed together as [`scores`](Self::scores)
    /// computes those of one query. Scores of different queries are not to be compared.
    ///
    /// # Errors
    /// As [`scores`](Self::scores).
    pub fn score_pairs<Q: AsRef<str> + Sync, T: AsRef<str> + Sync>(
        &self,
        pairs: &[(Q, T)],
        options: &ScoreOptions<'_>,
    ) -> Result<Scores, Error> {
        let pair = |index: usize| (pairs[index].0.as_ref(), pairs[index].1.as_ref());
        let scored = self.score_all(pairs.len(), pair, options);
        scored.map_err(|error| self.of_model(error))
    }

    /// As [`scores`](Self::scores), but a pair that cannot be scored fails alone: the score of each
    /// text, or what is wrong with it. What concerns the call fails all of them.
    pub fn scores_each<T: AsRef<str> + Sync>(
        &self,
        query: &str,
        texts: &[T],
        options: &ScoreOptions<'_>,
    ) -> Vec<Result<f32, Error>> {
        let each = self
            .try_each(query, texts, options)
            .unwrap_or_else(|error| texts.iter().map(|_| Err(error.clone())).collect());
        each.into_iter().map(|one| one.map_err(|error| self.of_model(error))).collect()
    }

    fn of_model(&self, error: Error) -> Error {
        error.of_model(&*self.model.name)
    }

    fn score_all<'p>(
        &self,
        count: usize,
        pair: impl Fn(usize) -> (&'p str, &'p str) + Sync,
        options: &ScoreOptions<'_>,
    ) -> Result<Scores, Error> {
        self.check_labels()?;
        let how = How { cancel: options.cancel, standing: options.standing, each: false };
        let Computed { values: logits, told: (tokens, cut), .. } =
            self.batcher.compute(&how, |exec, weight| {
                let inputs = self.encode(exec, weight, count, &pair, options)?;
                let inputs = inputs.into_iter().collect::<Result<Vec<_>, Error>>()?;
                let tokens = inputs.iter().map(|input| input.ids.len()).sum();
                let cut = cuts(&inputs);
                Ok((inputs, 0, (tokens, cut)))
            })?;
        let activation = self.activation_of(options.scale);
        let values = logits.into_iter().map(|logit| activation.at(logit)).collect();
        Ok(Scores { values, tokens, cut })
    }

    fn try_each<T: AsRef<str> + Sync>(
        &self,
        query: &str,
        texts: &[T],
        options: &ScoreOptions<'_>,
    ) -> Result<Vec<Result<f32, Error>>, Error> {
        self.check_labels()?;
        let how = How { cancel: options.cancel, standing: options.standing, each: true };
        let Computed { values: logits, failed, told: tried } =
            self.batcher.compute(&how, |exec, weight| {
                let pair = |index: usize| (query, texts[index].as_ref());
                let inputs = self.encode(exec, weight, texts.len(), pair, options)?;
                let (inputs, tried) = Tried::of(inputs);
                Ok((inputs, 0, tried))
            })?;
        let activation = self.activation_of(options.scale);
        Ok(tried.results(failed, |place| activation.at(logits[place])))
    }

    /// The inputs of so many pairs of a query and a text.
    fn encode<'p>(
        &self,
        exec: &Exec,
        weight: u32,
        count: usize,
        pair: impl Fn(usize) -> (&'p str, &'p str) + Sync,
        options: &ScoreOptions<'_>,
    ) -> Result<Vec<Result<Input, Error>>, Error> {
        let encoding = Encode {
            tokenizer: &self.tokenizer,
            limits: &self.limits,
            truncate: options.truncate,
            special_as_text: options.special_as_text,
        };
        let prompt = self.prompts.text(options.prompt)?;
        let how = How { cancel: options.cancel, ..How::default() };
        let bytes = |index: usize| {
            let (query, text) = pair(index);
            prompt.len() + query.len() + text.len()
        };
        let inputs = in_parallel(exec, weight, count, bytes, |index| {
            how.check()?;
            let (query, text) = pair(index);
            if prompt.is_empty() {
                encoding.pair(query, text, index)
            } else {
                encoding.pair(&format!("{prompt}{query}"), text, index)
            }
        });
        how.check()?;
        Ok(inputs)
    }

    fn check_labels(&self) -> Result<(), Error> {
        let labels = self.batcher.encoder.labels();
        if labels.len() == 1 {
            return Ok(());
        }
        let (name, count) = (&self.model.name, labels.len());
        Err(err!(
            Unsupported,
            "{name} gives {count} scores for a pair ({}); a ranking needs one",
            labels.join(", ")
        )
        .of_model(name)
        .remedy("take a model with one label"))
    }

    fn activation_of(&self, scale: Scale) -> Activation {
        match scale {
            Scale::Configured => self.activation,
            Scale::Logits => Activation::Identity,
            Scale::Sigmoid => Activation::Sigmoid,
        }
    }

    /// What was scored until now, and what is waiting.
    pub fn metrics(&self) -> EncoderMetrics {
        self.batcher.metrics()
    }

    /// What is applied to the head's numbers unless something else is asked for.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The texts that the repository puts before a query.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// Tokens that a query and a text may have together, with the special ones.
    pub fn max_tokens(&self) -> Option<usize> {
        self.limits.max_tokens.as_ref().map(|(limit, _)| *limit)
    }

    /// Where the model came from.
    pub fn model(&self) -> &LocalModel {
        &self.model
    }

    /// What the user should know about how the model was read.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Memory of the weights in bytes.
    pub fn weight_bytes(&self) -> usize {
        self.batcher.encoder.weight_bytes()
    }
}

impl FromModel for CrossEncoder {
    fn from_model(
        model: &Model,
        _: &Config,
        mut notices: Vec<Notice>,
        progress: &mut dyn Progress,
    ) -> Result<CrossEncoder, Error> {
        let (root, directory) = (load::directory(model.local())?, model.path());
        let loaded = Loaded::open(model, progress)?;
        let labels = loaded.encoder.labels();
        if labels.is_empty() {
            let name = model.name();
            return Err(err!(
                Unsupported,
                "{name} has no classification head (its architecture is not one \"…ForSequenceClassification\"), so it cannot \
                 score pairs of texts"
            )
            .of_model(name)
            .remedy(
                "take a cross-encoder such as cross-encoder/ms-marco-MiniLM-L-6-v2, or use this model for embeddings",
            ));
        }
        notices.extend(loaded.notices);
        // Without modules, sentence-transformers does not look at them either.
        let prompts = if root.join("modules.json").exists() {
            prompts::read(root)?.prompts
        } else {
            Prompts::default()
        };
        let activation = head::activation(root, directory, labels.len(), &mut notices)?;
        let mut limits = limits::read(directory)?;
        limits.at_most(loaded.encoder.spec().context, directory);
        Ok(CrossEncoder {
            model: model.local().clone(),
            tokenizer: loaded.tokenizer,
            limits,
            prompts,
            batcher: Batcher::new(loaded.encoder, loaded.exec, Logits, model.options()),
            activation,
            notices,
        })
    }
}

impl fmt::Debug for CrossEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrossEncoder")
            .field("model", &self.model.name)
            .field("activation", &self.activation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
