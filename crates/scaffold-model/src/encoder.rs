//! The encoder: token ids in, hidden states or a classifier's scores out, for every family. Rows of
//! different lengths run together without padding.

mod classifier;
mod distance;
mod session;

use std::sync::Arc;

use scaffold_error::{Error, err};
use scaffold_formats::{TensorSource, Watch};
use scaffold_kernels::Exec;

use crate::backend::{Backend, CpuBackend, Norm};
use crate::layer::{Layer, check_end, check_rows, check_tokens};
use crate::load::{LoadOptions, Loader, complete, wrong_kind};
use crate::names::Slot;
use crate::packed::PackedStore;
use crate::spec::{Kind, ModelSpec};
use classifier::Classifier;

pub use session::EncoderSession;

/// An encoder's weights, immutable and shared. What changes from batch to batch is in an
/// [`EncoderSession`].
pub struct Encoder<B: Backend = CpuBackend> {
    backend: B,
    weight_bytes: usize,
    /// `[vocab, hidden]`.
    embed: B::Matrix,
    positions: Option<B::Matrix>,
    token_types: Option<B::Matrix>,
    embed_norm: Option<Norm<B>>,
    layers: Vec<Layer<B>>,
    final_norm: Option<Norm<B>>,
    /// `[heads, 2 * reach + 1]`: one score a head and distance.
    distance_bias: Option<B::Vector>,
    classifier: Option<Classifier<B>>,
    spec: ModelSpec,
    /// The file that weights lie in, if they do.
    watch: Option<Watch>,
}

/// One text of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The tokens, with the special ones that the model wants.
    pub tokens: &'a [u32],
    /// The type of each token; empty means all 0.
    pub types: &'a [u32],
}

impl Encoder {
    /// Loads the weights for the CPU, one tensor at a time.
    ///
    /// # Errors
    /// The model is a decoder; a tensor is missing, of another shape than the specification asks
    /// for, or left over.
    pub fn load(
        source: &dyn TensorSource,
        spec: ModelSpec,
        exec: Arc<Exec>,
        options: &LoadOptions<'_>,
    ) -> Result<Self, Error> {
        Self::load_on(CpuBackend::new(exec), source, spec, options)
    }
}

impl<B: Backend> Encoder<B> {
    /// Loads the weights for any backend.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub fn load_on(
        backend: B,
        source: &dyn TensorSource,
        mut spec: ModelSpec,
        options: &LoadOptions<'_>,
    ) -> Result<Self, Error> {
        complete(source, &mut spec)?;
        let Kind::Encoder(encoder) = &spec.kind else {
            return Err(wrong_kind(&spec));
        };
        let loader = Loader::new(source, &spec, &backend, options);
        let table = |slot, rows: usize| (rows > 0).then(|| loader.table(slot, rows)).transpose();
        let embed = loader.table(Slot::Embed, spec.vocab)?;
        let positions = table(Slot::Positions, spec.embedding.positions.map_or(0, |p| p.rows))?;
        let token_types = table(Slot::TokenTypes, spec.embedding.token_types)?;
        let embed_norm =
            spec.embedding.norm.then(|| loader.norm(Slot::EmbedNorm, 0)).transpose()?;
        let layers = (0..spec.layers.len()).map(|l| loader.layer(l)).collect::<Result<_, _>>()?;
        let final_norm = encoder.final_norm.then(|| loader.norm(Slot::FinalNorm, 0)).transpose()?;
        let distance_bias = match encoder.relative_bias {
            Some(bias) => {
                let heads = spec.attention.heads;
                let table = loader.values(Slot::RelativeBias, bias.buckets * heads)?;
                Some(backend.vector(&distance::spread(bias, &table, heads, spec.context)))
            }
            None => None,
        };
        let classifier = encoder
            .classifier
            .as_ref()
            .map(|c| Classifier::load(&loader, c, spec.hidden))
            .transpose()?;
        loader.finish()?;
        let weight_bytes = loader.weight_bytes();
        Ok(Self {
            backend,
            weight_bytes,
            embed,
            positions,
            token_types,
            embed_norm,
            layers,
            final_norm,
            distance_bias,
            classifier,
            spec,
            watch: options.store.and_then(PackedStore::watch),
        })
    }

    /// Whether the weights are still all there, where they lie in a file.
    ///
    /// # Errors
    /// The file became shorter, and zeros were computed with in place of what it has lost.
    pub fn check_weights(&self) -> Result<(), Error> {
        self.watch.as_ref().map_or(Ok(()), Watch::check)
    }

    /// What the model is.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Memory of the weights in bytes.
    pub fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    /// The labels of the classification head, empty where there is none.
    pub fn labels(&self) -> &[String] {
        match &self.spec.kind {
            Kind::Encoder(encoder) => encoder.classifier.as_ref().map_or(&[], |c| &c.labels),
            Kind::Decoder(_) => &[],
        }
    }

    /// Checks everything that a caller can get wrong.
    fn check(&self, texts: &[Text<'_>], max_rows: usize) -> Result<(), Error> {
        check_rows(texts.iter().map(|t| t.tokens.len()).sum(), max_rows)?;
        texts.iter().enumerate().try_for_each(|(index, text)| self.check_text(index, text))
    }

    /// Checks everything about one text that a caller can get wrong; `index` is its place in the
    /// batch.
    ///
    /// # Errors
    /// A token, a token type or a position is out of range, or the text is empty.
    pub fn check_text(&self, index: usize, text: &Text<'_>) -> Result<(), Error> {
        if text.tokens.is_empty() {
            return Err(err!(
                Usage,
                "text {index} of the batch has no tokens; even an empty text needs the model's special tokens"
            )
            .of_item(index));
        }
        check_tokens(text.tokens, self.spec.vocab)?;
        if !text.types.is_empty() && text.types.len() != text.tokens.len() {
            return Err(err!(
                Usage,
                "a text has {} tokens but {} token types; give one type a token, or none",
                text.tokens.len(),
                text.types.len()
            )
            .of_item(index));
        }
        let types = self.spec.embedding.token_types.max(1);
        if let Some(&id) = text.types.iter().find(|id| **id as usize >= types) {
            return Err(err!(
                Usage,
                "the token type {id} is not below the model's {types} token types"
            )
            .of_item(index));
        }
        let limit = self.spec.embedding.positions.map_or(1 << 24, |p| p.rows - p.offset);
        check_end(text.tokens.len(), limit, "the model's positions")
    }
}

impl<B: Backend> std::fmt::Debug for Encoder<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("family", &self.spec.family).finish_non_exhaustive()
    }
}
