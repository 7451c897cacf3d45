//! The encoder: token ids in, hidden states or a classifier's scores out, for every family. Rows of
//! different lengths run together without padding.

mod classifier;
mod run;

use std::any::Any;
use std::sync::Arc;

use scaffold_formats::TensorSource;

use crate::backend::{Backend, CpuBackend};
use crate::{LoadOptions, ModelError, ModelSpec};
use run::{EncoderOn, EncoderWork};
use scaffold_kernels::Exec;

/// An encoder with its weights. Shared by reference; what changes is in [`EncoderScratch`].
pub struct Encoder {
    inner: Box<dyn AnyEncoder>,
}

/// One text of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The tokens, with the special ones that the model wants.
    pub tokens: &'a [u32],
    /// The type of each token; empty means all 0.
    pub types: &'a [u32],
}

/// The buffers of a batch, made once and used again.
pub struct EncoderScratch {
    inner: Box<dyn Any + Send>,
    max_rows: usize,
}

impl EncoderScratch {
    /// The most tokens that a batch may have, all texts together.
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }
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
    ) -> Result<Self, ModelError> {
        Self::load_on(CpuBackend::new(exec), source, spec, options)
    }

    /// Loads the weights for any backend.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub fn load_on<B: Backend>(
        backend: B,
        source: &dyn TensorSource,
        spec: ModelSpec,
        options: &LoadOptions<'_>,
    ) -> Result<Self, ModelError> {
        Ok(Self { inner: Box::new(EncoderOn::load(backend, source, spec, options)?) })
    }

    /// What the model is.
    pub fn spec(&self) -> &ModelSpec {
        self.inner.spec()
    }

    /// Memory of the weights in bytes.
    pub fn weight_bytes(&self) -> usize {
        self.inner.weight_bytes()
    }

    /// The labels of the classification head, empty where there is none.
    pub fn labels(&self) -> &[String] {
        match &self.spec().kind {
            crate::Kind::Encoder(encoder) => encoder.classifier.as_ref().map_or(&[], |c| &c.labels),
            crate::Kind::Decoder(_) => &[],
        }
    }

    /// Buffers for batches of at most `max_rows` tokens.
    pub fn new_scratch(&self, max_rows: usize) -> EncoderScratch {
        self.inner.new_scratch(max_rows)
    }

    /// The last hidden states, `[tokens of all texts, hidden]`, text after text. A text's states do
    /// not depend on the other texts of the batch, bit for bit.
    ///
    /// # Errors
    /// A token, a token type or a position is out of range, a text is empty, or the batch is larger
    /// than the scratch.
    pub fn hidden_states<'s>(
        &self,
        texts: &[Text<'_>],
        scratch: &'s mut EncoderScratch,
    ) -> Result<&'s [f32], ModelError> {
        self.inner.hidden_states(texts, scratch)
    }

    /// The classification head's logits, `[texts, labels]`: no softmax or sigmoid is applied.
    ///
    /// # Errors
    /// The model has no such head, or as [`Encoder::hidden_states`].
    pub fn classify(
        &self,
        texts: &[Text<'_>],
        scratch: &mut EncoderScratch,
    ) -> Result<Vec<f32>, ModelError> {
        self.inner.classify(texts, scratch)
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("family", &self.spec().family).finish_non_exhaustive()
    }
}

/// [`EncoderOn`] without its backend's type.
trait AnyEncoder: Send + Sync {
    fn spec(&self) -> &ModelSpec;
    fn weight_bytes(&self) -> usize;
    fn new_scratch(&self, max_rows: usize) -> EncoderScratch;
    fn hidden_states<'s>(
        &self,
        texts: &[Text<'_>],
        scratch: &'s mut EncoderScratch,
    ) -> Result<&'s [f32], ModelError>;
    fn classify(
        &self,
        texts: &[Text<'_>],
        scratch: &mut EncoderScratch,
    ) -> Result<Vec<f32>, ModelError>;
}

impl<B: Backend> EncoderOn<B> {
    fn work<'s>(
        &self,
        texts: &[Text<'_>],
        scratch: &'s mut EncoderScratch,
    ) -> Result<&'s mut EncoderWork<B>, ModelError> {
        self.check(texts, scratch.max_rows)?;
        let work = scratch.inner.downcast_mut::<EncoderWork<B>>().filter(|work| work.fits(self));
        work.ok_or(ModelError::Foreign { what: "scratch" })
    }
}

impl<B: Backend> AnyEncoder for EncoderOn<B> {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    fn new_scratch(&self, max_rows: usize) -> EncoderScratch {
        EncoderScratch { inner: Box::new(EncoderWork::new(self, max_rows)), max_rows }
    }

    fn hidden_states<'s>(
        &self,
        texts: &[Text<'_>],
        scratch: &'s mut EncoderScratch,
    ) -> Result<&'s [f32], ModelError> {
        let work = self.work(texts, scratch)?;
        Ok(self.run(texts, work))
    }

    fn classify(
        &self,
        texts: &[Text<'_>],
        scratch: &mut EncoderScratch,
    ) -> Result<Vec<f32>, ModelError> {
        let Some(classifier) = &self.classifier else {
            return Err(ModelError::NoClassifier { family: self.spec.family });
        };
        let work = self.work(texts, scratch)?;
        self.run(texts, work);
        Ok(classifier.scores(&self.backend, work))
    }
}
