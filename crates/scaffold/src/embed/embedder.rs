//! Texts in, embeddings out.

use std::fmt;
use std::sync::Arc;

use scaffold_error::{Notice, err};
use scaffold_hub::{LocalModel, Progress};
use scaffold_model::{Encoder, Exec};
use scaffold_text::Tokenizer;
use serde::Serialize;

use super::input::{Encode, Input};
use super::load::{self, Loaded};
use super::stage::Stages;
use super::{Prompt, Repository, Similarity, normalize, plan};
use crate::builder::{Builder, FromModel};
use crate::config::Config;
use crate::error::Error;
use crate::model::Model;
use crate::options::setters;

/// A model that turns texts into embeddings, the same ones as `sentence-transformers` computes.
///
/// A call uses all of the model's threads. While one does, calls from other threads compute with
/// their own alone.
pub struct Embedder {
    model: LocalModel,
    repository: Repository,
    tokenizer: Tokenizer,
    encoder: Arc<Encoder>,
    stages: Stages,
    exec: Arc<Exec>,
    idle: plan::Idle,
    notices: Vec<Notice>,
}

/// How texts are embedded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbedOptions<'a> {
    /// The text that is put before each text.
    pub prompt: Prompt<'a>,
    /// Cut a text that is too long, and report it; otherwise it is an error.
    pub truncate: bool,
    /// Scale every embedding to length 1, also where the repository does not.
    pub normalize: bool,
    /// Keep the first this many numbers of an embedding (for models that were trained for it).
    /// Where the repository scales its embeddings to length 1, what is kept is scaled again.
    pub dimensions: Option<usize>,
    /// What looks like a special token in a text (`[SEP]`) is text. Otherwise it is that token,
    /// which is what `sentence-transformers` does, and what some models ask for: choose this for
    /// texts of strangers.
    pub special_as_text: bool,
}

setters!(EmbedOptions<'a> {
    prompt: Prompt<'a>,
    truncate: bool,
    normalize: bool,
    dimensions: Option<usize>,
    special_as_text: bool,
});

/// The embeddings of some texts, in the order of the texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    values: Vec<f32>,
    width: usize,
    /// Tokens that were computed, with prompts and special tokens.
    pub tokens: usize,
    /// The texts of which something was cut off.
    pub cut: Vec<Cut>,
}

/// A text of which something was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its place among the texts, from 0.
    pub index: usize,
    /// Tokens that it has.
    pub tokens: usize,
    /// Tokens that were computed.
    pub kept: usize,
}

/// A text's place in a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// Its place among the texts that were given, from 0.
    pub index: usize,
    /// Its score; larger is better.
    pub score: f32,
}

/// The `most` best (all, if `None`), best first; equals stay in their order.
pub(crate) fn ranked(scores: impl Iterator<Item = f32>, most: Option<usize>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> =
        scores.enumerate().map(|(index, score)| Ranked { index, score }).collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked.truncate(most.unwrap_or(usize::MAX));
    ranked
}

impl Embeddings {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers in each.
    pub fn dimensions(&self) -> usize {
        self.width
    }

    /// One after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// All numbers, `[texts, width]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// How alike each text is to each, `[texts][texts]`.
    pub fn similarities(&self, similarity: Similarity) -> Vec<Vec<f32>> {
        self.iter().map(|a| self.iter().map(|b| similarity.of(a, b)).collect()).collect()
    }
}

impl Embedder {
    /// The model called `model` (a repository, a directory, an alias), with the configuration of
    /// this process. Fetches the model if it is not on this disk.
    ///
    /// ```no_run
    /// use scaffold::embed::Embedder;
    ///
    /// let embedder = Embedder::from_pretrained("sentence-transformers/all-MiniLM-L6-v2")?;
    /// let similarity = embedder.similarity("What is sustainability?", "How do we measure environmental impact?")?;
    /// assert!((similarity - 0.4467).abs() < 1e-4);
    /// # Ok::<(), scaffold::Error>(())
    /// ```
    ///
    /// # Errors
    /// A setting that cannot be used, a model that cannot be found, fetched or read, files that are
    /// not an encoder's, or something in them that is not understood; each error names the file.
    pub fn from_pretrained(model: &str) -> Result<Embedder, Error> {
        Embedder::builder(model).load()
    }

    /// The model called `model`, with more to be said of how it is loaded. What the options say
    /// about contexts does not concern an encoder.
    pub fn builder<'a>(model: impl Into<String>) -> Builder<'a, Embedder> {
        Builder::new(Some(model.into()))
    }

    /// One text with the repository's default prompt.
    ///
    /// # Errors
    /// The text is too long.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>, Error> {
        self.embed_with(text, &EmbedOptions::default())
    }

    /// One text, embedded as `options` say.
    ///
    /// # Errors
    /// As [`Embedder::embed_batch`].
    pub fn embed_with(&self, text: &str, options: &EmbedOptions<'_>) -> Result<Vec<f32>, Error> {
        Ok(self.embed_batch(&[text], options)?.values)
    }

    /// A question to be answered by documents: with the prompt for queries, where the repository
    /// has one.
    ///
    /// # Errors
    /// The text is too long.
    pub fn embed_query(&self, text: &str) -> Result<Vec<f32>, Error> {
        self.embed_with(text, &EmbedOptions::new().prompt(Prompt::Query))
    }

    /// Documents that are to be found: with the prompt for documents, where the repository has one.
    ///
    /// # Errors
    /// A text is too long.
    pub fn embed_documents<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<Embeddings, Error> {
        let options = EmbedOptions::new().prompt(Prompt::Document);
        self.embed_batch(texts, &options)
    }

    /// The `most` of `documents` that are nearest to a query, by the repository's own similarity
    /// function, the nearest first; equals stay in their order.
    ///
    /// # Errors
    /// The query is too long, or the documents were embedded in other dimensions.
    pub fn search(
        &self,
        query: &str,
        documents: &Embeddings,
        most: usize,
    ) -> Result<Vec<Ranked>, Error> {
        let query = self.embed_query(query)?;
        if !documents.is_empty() && documents.width != query.len() {
            let (found, wanted) = (documents.width, query.len());
            return Err(err!(
                Usage,
                "the documents have {found} dimensions, and this model's embeddings have {wanted}: embed them with the same \
                 model and the same options"
            ));
        }
        let similarity = self.repository.similarity;
        let scores = documents.iter().map(|document| similarity.of(&query, document));
        Ok(ranked(scores, Some(most)))
    }

    /// Some texts. Each embedding is the same, bit for bit, as if its text had been the only one.
    ///
    /// # Errors
    /// A text is too long and may not be cut, a prompt does not exist, more dimensions are asked
    /// for than there are.
    pub fn embed_batch<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        options: &EmbedOptions<'_>,
    ) -> Result<Embeddings, Error> {
        let embedded = self.embed_all(texts, options);
        embedded.map_err(|error| error.of_model(&*self.model.name))
    }

    fn embed_all<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        options: &EmbedOptions<'_>,
    ) -> Result<Embeddings, Error> {
        let keep = self.kept_width(options.dimensions)?;
        let prompt = self.repository.prompts.text(options.prompt)?;
        let encoding =
            Encode { special_as_text: options.special_as_text, ..self.encoding(options.truncate) };
        let inputs = self.encode(texts, prompt, &encoding)?;
        let skip = self.prompt_tokens(prompt)?;
        let full = self.stages.run(&self.exec, self.pooled(&inputs, skip)?, texts.len());
        let shortened = keep < self.stages.width();
        let mut values = if shortened {
            full.chunks_exact(self.stages.width()).flat_map(|row| &row[..keep]).copied().collect()
        } else {
            full
        };
        let again = options.dimensions.is_some() && self.repository.normalizes();
        if options.normalize || shortened && again {
            values.chunks_exact_mut(keep).for_each(normalize);
        }
        Ok(Embeddings {
            values,
            width: keep,
            tokens: inputs.iter().map(|input| input.ids.len()).sum(),
            cut: cuts(&inputs),
        })
    }

    /// How alike two texts are, by the repository's own similarity function.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub fn similarity(&self, a: &str, b: &str) -> Result<f32, Error> {
        let both = self.embed_batch(&[a, b], &EmbedOptions::default())?;
        let (a, b) = both.values.split_at(both.width);
        Ok(self.repository.similarity.of(a, b))
    }

    /// The token ids of a text, as they are computed, with the special ones.
    ///
    /// # Errors
    /// The text is too long.
    pub fn token_ids(&self, text: &str, truncate: bool) -> Result<Vec<u32>, Error> {
        Ok(self.encoding(truncate).text(text, 0)?.ids)
    }

    /// Numbers in an embedding.
    pub fn dimensions(&self) -> usize {
        self.stages.width().min(self.repository.truncate_dim.unwrap_or(usize::MAX))
    }

    /// Tokens that a text may have, with the special ones.
    pub fn max_tokens(&self) -> Option<usize> {
        self.repository.limits.max_tokens.as_ref().map(|(limit, _)| *limit)
    }

    /// What the repository says about its embeddings.
    pub fn repository(&self) -> &Repository {
        &self.repository
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
        self.encoder.weight_bytes()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    fn kept_width(&self, asked: Option<usize>) -> Result<usize, Error> {
        match asked {
            None => Ok(self.dimensions()),
            Some(asked) if (1..=self.stages.width()).contains(&asked) => Ok(asked),
            Some(asked) => {
                let width = self.stages.width();
                Err(err!(
                    Usage,
                    "the model's embeddings have {width} dimensions; {asked} cannot be kept\n  accepted: 1 to {width}"
                )
                .of_key("dimensions"))
            }
        }
    }

    fn encoding(&self, truncate: bool) -> Encode<'_> {
        Encode {
            tokenizer: &self.tokenizer,
            limits: &self.repository.limits,
            truncate,
            special_as_text: false,
        }
    }

    fn encode<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        prompt: &str,
        encoding: &Encode<'_>,
    ) -> Result<Vec<Input>, Error> {
        super::input::in_parallel(&self.exec, texts.len(), |index| {
            let text = texts[index].as_ref();
            if prompt.is_empty() {
                encoding.text(text, index)
            } else {
                encoding.text(&format!("{prompt}{text}"), index)
            }
        })
    }

    /// Tokens at the start of every input that belong to the prompt, where the pooling leaves them
    /// out.
    fn prompt_tokens(&self, prompt: &str) -> Result<usize, Error> {
        if prompt.is_empty() || self.stages.pooling.include_prompt {
            return Ok(0);
        }
        let ids = self.encoding(true).text(prompt, 0)?.ids;
        let special = self.tokenizer.special_tokens();
        let last = ids.last().and_then(|&id| self.tokenizer.id_to_piece(id));
        let is_special = last.is_some_and(|last| special.iter().any(|(_, token)| token == last));
        Ok(ids.len() - usize::from(is_special))
    }

    /// Pooled vectors in the order of the inputs.
    fn pooled(&self, inputs: &[Input], skip: usize) -> Result<Vec<f32>, Error> {
        let hidden = self.encoder.spec().hidden;
        let width = self.stages.pooling.output_width(hidden);
        plan::compute(
            &self.exec,
            &self.encoder,
            &self.idle,
            inputs,
            width,
            &|texts, session, out| {
                let mut states = session.hidden_states(texts)?;
                for (text, out) in texts.iter().zip(out.chunks_exact_mut(width)) {
                    let own;
                    (own, states) = states.split_at(text.tokens.len() * hidden);
                    self.stages.pooling.pool(own, hidden, skip, out);
                }
                Ok(())
            },
        )
    }
}

impl FromModel for Embedder {
    fn from_model(
        model: &Model,
        _: &Config,
        mut notices: Vec<Notice>,
        progress: &mut dyn Progress,
    ) -> Result<Embedder, Error> {
        let mut repository = Repository::open(load::directory(model.local())?)?;
        let loaded = Loaded::open(model, progress)?;
        let spec = loaded.encoder.spec();
        repository.limits.at_most(spec.context, &repository.transformer);
        let stages = Stages::load(&repository, spec.hidden, &loaded.exec)?;
        notices.extend(repository.notices.iter().cloned());
        notices.extend(loaded.notices);
        Ok(Embedder {
            model: model.local().clone(),
            repository,
            tokenizer: loaded.tokenizer,
            encoder: loaded.encoder,
            stages,
            exec: loaded.exec,
            idle: plan::Idle::default(),
            notices,
        })
    }
}

pub(crate) fn cuts(inputs: &[Input]) -> Vec<Cut> {
    let cut = inputs.iter().enumerate().filter(|(_, input)| input.is_cut());
    cut.map(|(index, input)| Cut { index, tokens: input.whole, kept: input.ids.len() }).collect()
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder")
            .field("model", &self.model.name)
            .field("dimensions", &self.dimensions())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
