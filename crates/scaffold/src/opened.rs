//! From a model's files to what computes with them: the one way to a decoder and to an encoder.

use std::sync::Arc;

use scaffold_engine::MemoryPlan;
use scaffold_model::{
    Decoder, Encoder, Exec, Kind, LoadOptions as Loading, PackedStore, Precision,
};

use crate::embed::EmbedError;
use crate::error::Error;
use crate::exec::exec;
use crate::memory::{self, Size, Work};
use crate::notice::Notice;
use crate::options::LoadOptions;
use crate::weights::Weights;

/// Opened files that fit into memory, and the processor that they are computed with.
pub(crate) struct Opened<'w> {
    weights: &'w Weights,
    pub(crate) size: Size,
    pub(crate) plan: MemoryPlan,
    pub(crate) exec: Arc<Exec>,
    /// How the weights are packed.
    pub(crate) precision: Precision,
    pub(crate) notices: Vec<Notice>,
}

impl<'w> Opened<'w> {
    /// Plans `work` with these files: what does not fit is refused now rather than after minutes of
    /// loading, or by the system's last resort.
    ///
    /// # Errors
    /// It does not fit, a weight cannot be computed with, or there is no such processor.
    pub(crate) fn new(
        weights: &'w Weights,
        work: &Work,
        options: &LoadOptions,
    ) -> Result<Self, Error> {
        let (plan, size) = memory::plan_of(weights, work, options)?;
        let mut notices = Vec::new();
        let exec = Arc::new(exec(options, &mut notices)?);
        // Where nothing is converted, the packed weights are those of the stored format: one file
        // of them is enough.
        let precision = if size.converts { options.precision() } else { Precision::Native };
        Ok(Self { weights, size, plan, exec, precision, notices })
    }

    /// Loads the decoder; `store` keeps packed weights between runs.
    ///
    /// # Errors
    /// The weights do not fit their description.
    pub(crate) fn decoder(
        &mut self,
        store: Option<&dyn PackedStore>,
    ) -> Result<Arc<Decoder>, Error> {
        let loading = Loading { precision: self.precision, store };
        let (tensors, spec) = (self.weights.tensors(), self.weights.spec.clone());
        let decoder = Decoder::load(tensors, spec, Arc::clone(&self.exec), &loading)?;
        self.notices.extend(self.weights.notices(Some(&decoder)));
        Ok(Arc::new(decoder))
    }

    /// Loads the encoder.
    ///
    /// # Errors
    /// The weights do not fit their description.
    pub(crate) fn encoder(&mut self) -> Result<Arc<Encoder>, Error> {
        let loading = Loading { precision: self.precision, store: None };
        let (tensors, spec) = (self.weights.tensors(), self.weights.spec.clone());
        let encoder = Encoder::load(tensors, spec, Arc::clone(&self.exec), &loading)?;
        self.notices.extend(self.weights.notices(None));
        Ok(Arc::new(encoder))
    }
}

/// Refuses a model that writes text where one is needed that embeds or ranks.
///
/// # Errors
/// [`EmbedError::NotAnEncoder`].
pub(crate) fn check_encoder(weights: &Weights) -> Result<(), EmbedError> {
    match weights.spec.kind {
        Kind::Encoder(_) => Ok(()),
        Kind::Decoder(_) => Err(EmbedError::NotAnEncoder {
            place: weights.path().display().to_string(),
            family: weights.spec.family,
        }),
    }
}
