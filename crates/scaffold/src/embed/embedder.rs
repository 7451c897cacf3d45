//! Texts in, embeddings out.

use std::fmt;

use scaffold_engine::Standing;
use scaffold_error::{Notice, err};
use scaffold_hub::{LocalModel, Progress};
use scaffold_model::{EncoderSession, Exec};
use scaffold_text::Tokenizer;

use super::embeddings::{Embeddings, Ranked, cuts, ranked};
use super::input::{Encode, Input, in_parallel};
use super::load::{self, Loaded};
use super::stage::Stages;
use super::{Prompt, Repository, normalize};
use crate::batch::{Batcher, Cancel, Computed, EncoderMetrics, Finished, Head, How, Tried};
use crate::builder::{Builder, FromModel};
use crate::config::Config;
use crate::error::Error;
use crate::model::Model;
use crate::options::setters;

/// A model that turns texts into embeddings, the same ones as `sentence-transformers` computes.
///
/// Calls from several threads are computed together: their texts share batches, and none of them
/// holds up another that has fewer. All models of a process share its threads, in turns.
pub struct Embedder {
    model: LocalModel,
    repository: Repository,
    tokenizer: Tokenizer,
    batcher: Batcher<Pooled>,
    notices: Vec<Notice>,
}

/// Hidden states become embeddings.
#[derive(Debug)]
struct Pooled {
    stages: Stages,
    /// Numbers in a hidden state.
    hidden: usize,
}

impl Head for Pooled {
    fn width(&self) -> usize {
        self.stages.width()
    }

    fn finish(
        &self,
        exec: &Exec,
        session: &mut EncoderSession,
        texts: &[Finished],
    ) -> Result<Vec<f32>, Error> {
        let pooling = &self.stages.pooling;
        let width = pooling.output_width(self.hidden);
        let mut pooled = vec![0.0; texts.len() * width];
        let mut states = session.states();
        for (text, out) in texts.iter().zip(pooled.chunks_exact_mut(width)) {
            let own;
            (own, states) = states.split_at(text.tokens * self.hidden);
            pooling.pool(own, self.hidden, text.skip, out);
        }
        Ok(self.stages.run(exec, pooled, texts.len()))
    }
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
    /// What stops the call, from any thread.
    pub cancel: Option<&'a Cancel>,
    /// Where the call stands among others: its priority, whose it is, and how long it may wait until
    /// it is begun. It never changes an embedding.
    pub standing: Option<&'a Standing>,
}

setters!(EmbedOptions<'a> {
    prompt: Prompt<'a>,
    truncate: bool,
    normalize: bool,
    dimensions: Option<usize>,
    special_as_text: bool,
    cancel: Option<&'a Cancel>,
    standing: Option<&'a Standing>,
});

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
        Ok(self.embed_batch(&[text], options)?.into_values())
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
        if !documents.is_empty() && documents.dimensions() != query.len() {
            let (found, wanted) = (documents.dimensions(), query.len());
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
    /// for than there are; too many calls wait, or this one was stopped or not begun in time.
    pub fn embed_batch<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        options: &EmbedOptions<'_>,
    ) -> Result<Embeddings, Error> {
        let embedded = self.embed_all(texts, options);
        embedded.map_err(|error| self.of_model(error))
    }

    /// As [`embed_batch`](Self::embed_batch), but a text that cannot be embedded fails alone: the
    /// embedding of each text, or what is wrong with it. What concerns the call fails all of them.
    pub fn embed_each<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        options: &EmbedOptions<'_>,
    ) -> Vec<Result<Vec<f32>, Error>> {
        let each = self
            .try_each(texts, options)
            .unwrap_or_else(|error| texts.iter().map(|_| Err(error.clone())).collect());
        each.into_iter().map(|one| one.map_err(|error| self.of_model(error))).collect()
    }

    fn of_model(&self, error: Error) -> Error {
        error.of_model(&*self.model.name)
    }

    fn embed_all<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        options: &EmbedOptions<'_>,
    ) -> Result<Embeddings, Error> {
        let keep = self.kept_width(options.dimensions)?;
        let how = How { cancel: options.cancel, standing: options.standing, each: false };
        let Computed { values, told: (tokens, cut), .. } =
            self.batcher.compute(&how, |exec, weight| {
                let (inputs, skip) = self.encode(exec, weight, texts, options)?;
                let inputs = inputs.into_iter().collect::<Result<Vec<_>, Error>>()?;
                let tokens = inputs.iter().map(|input| input.ids.len()).sum();
                let cut = cuts(&inputs);
                Ok((inputs, skip, (tokens, cut)))
            })?;
        Ok(Embeddings::new(self.shaped(values, keep, options), keep, tokens, cut))
    }

    fn try_each<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        options: &EmbedOptions<'_>,
    ) -> Result<Vec<Result<Vec<f32>, Error>>, Error> {
        let keep = self.kept_width(options.dimensions)?;
        let how = How { cancel: options.cancel, standing: options.standing, each: true };
        let Computed { values, failed, told: tried } =
            self.batcher.compute(&how, |exec, weight| {
                let (inputs, skip) = self.encode(exec, weight, texts, options)?;
                let (inputs, tried) = Tried::of(inputs);
                Ok((inputs, skip, tried))
            })?;
        let values = self.shaped(values, keep, options);
        Ok(tried.results(failed, |place| values[place * keep..(place + 1) * keep].to_vec()))
    }

    /// What the options make of whole embeddings: the first `keep` numbers of each, to scale.
    fn shaped(&self, full: Vec<f32>, keep: usize, options: &EmbedOptions<'_>) -> Vec<f32> {
        let width = self.stages().width();
        let shortened = keep < width;
        let mut values = if shortened {
            full.chunks_exact(width).flat_map(|row| &row[..keep]).copied().collect()
        } else {
            full
        };
        let again = options.dimensions.is_some() && self.repository.normalizes();
        if options.normalize || shortened && again {
            values.chunks_exact_mut(keep).for_each(normalize);
        }
        values
    }

    /// How alike two texts are, by the repository's own similarity function.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub fn similarity(&self, a: &str, b: &str) -> Result<f32, Error> {
        let both = self.embed_batch(&[a, b], &EmbedOptions::default())?;
        let (a, b) = both.as_slice().split_at(both.dimensions());
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
        self.stages().width().min(self.repository.truncate_dim.unwrap_or(usize::MAX))
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
        self.batcher.encoder.weight_bytes()
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// What was embedded until now, and what is waiting.
    pub fn metrics(&self) -> EncoderMetrics {
        self.batcher.metrics()
    }

    fn stages(&self) -> &Stages {
        &self.batcher.head.stages
    }

    fn kept_width(&self, asked: Option<usize>) -> Result<usize, Error> {
        match asked {
            None => Ok(self.dimensions()),
            Some(asked) if (1..=self.stages().width()).contains(&asked) => Ok(asked),
            Some(asked) => {
                let width = self.stages().width();
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

    /// The inputs of texts, and the tokens at the start of each that the pooling leaves out.
    fn encode<T: AsRef<str> + Sync>(
        &self,
        exec: &Exec,
        weight: u32,
        texts: &[T],
        options: &EmbedOptions<'_>,
    ) -> Result<(Vec<Result<Input, Error>>, usize), Error> {
        let prompt = self.repository.prompts.text(options.prompt)?;
        let how = How { cancel: options.cancel, ..How::default() };
        let encoding =
            Encode { special_as_text: options.special_as_text, ..self.encoding(options.truncate) };
        let bytes = |index: usize| texts[index].as_ref().len();
        let inputs = in_parallel(exec, weight, texts.len(), bytes, |index| {
            how.check()?;
            let text = texts[index].as_ref();
            if prompt.is_empty() {
                encoding.text(text, index)
            } else {
                encoding.text(&format!("{prompt}{text}"), index)
            }
        });
        how.check()?;
        Ok((inputs, self.prompt_tokens(prompt)?))
    }

    /// Tokens at the start of every input that belong to the prompt, where the pooling leaves them
    /// out.
    fn prompt_tokens(&self, prompt: &str) -> Result<usize, Error> {
        if prompt.is_empty() || self.stages().pooling.include_prompt {
            return Ok(0);
        }
        let ids = self.encoding(true).text(prompt, 0)?.ids;
        let special = self.tokenizer.special_tokens();
        let last = ids.last().and_then(|&id| self.tokenizer.id_to_piece(id));
        let is_special = last.is_some_and(|last| special.iter().any(|(_, token)| token == last));
        Ok(ids.len() - usize::from(is_special))
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
        let head = Pooled { hidden: spec.hidden, stages };
        let batcher = Batcher::new(loaded.encoder, loaded.exec, head, model.options());
        Ok(Embedder {
            model: model.local().clone(),
            repository,
            tokenizer: loaded.tokenizer,
            batcher,
            notices,
        })
    }
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
