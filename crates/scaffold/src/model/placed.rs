//! A model with its place: it fits into memory, and a processor computes it.

use std::cell::RefCell;
use std::sync::Arc;

use scaffold_engine::MemoryPlan;
use scaffold_error::{Notice, Topic, err};
use scaffold_hub::Progress;
use scaffold_model::{
    Decoder, Encoder, Exec, Kind, LoadOptions as Loading, ModelSpec, PackedStore, Precision,
};

use super::opened::Model;
use crate::error::Error;
use crate::exec::exec;
use crate::memory::{self, Size, Work};

/// An opened model that fits into memory, and the processor that it is computed with.
pub(crate) struct Placed<'m> {
    model: &'m Model,
    pub(crate) size: Size,
    pub(crate) plan: MemoryPlan,
    pub(crate) exec: Arc<Exec>,
    /// How the weights are packed.
    pub(crate) precision: Precision,
    pub(crate) notices: Vec<Notice>,
}

impl<'m> Placed<'m> {
    /// Plans `work` with a model: what does not fit is refused now rather than after minutes of
    /// loading, or by the system's last resort.
    ///
    /// # Errors
    /// It does not fit, a weight cannot be computed with, or there is no such processor.
    pub(crate) fn of(model: &'m Model, work: &Work) -> Result<Self, Error> {
        let options = model.options();
        let size = model.size()?;
        // Memory is looked at now: the files are mapped, nothing else is taken.
        let available = options.memory.available();
        let plan = memory::plan(Some(model.spec()), &size, work, options, available)?;
        let mut notices = model.notices();
        let exec = Arc::new(exec(options, &mut notices)?);
        // Where nothing is converted, the packed weights are those of the stored format: one file
        // of them is enough.
        let precision = if size.converts { options.precision() } else { Precision::Native };
        Ok(Self { model, size, plan, exec, precision, notices })
    }

    /// Loads the decoder; `store` keeps packed weights between runs.
    ///
    /// # Errors
    /// The weights do not fit their description.
    pub(crate) fn decoder(
        &mut self,
        store: Option<&dyn PackedStore>,
        progress: &mut dyn Progress,
    ) -> Result<Arc<Decoder>, Error> {
        let hears = self.hears(progress);
        let loading = Loading { precision: self.precision, store, loaded: Some(&hears) };
        let (tensors, spec) = (self.model.tensors(), self.model.spec().clone());
        let decoder = Decoder::load(tensors, spec, Arc::clone(&self.exec), &loading)?;
        if tied(self.model.spec()) == Some(true) && tied(decoder.spec()) == Some(false) {
            self.notices.push(Notice::new(
                Topic::Files,
                "the model's config.json says that its output matrix is the embedding (tie_word_embeddings), but its files hold \
                 another one: that one is computed with, as transformers does",
            ));
        }
        Ok(Arc::new(decoder))
    }

    /// Loads the encoder.
    ///
    /// # Errors
    /// The weights do not fit their description.
    pub(crate) fn encoder(&self, progress: &mut dyn Progress) -> Result<Arc<Encoder>, Error> {
        let hears = self.hears(progress);
        let loading = Loading { precision: self.precision, store: None, loaded: Some(&hears) };
        let (tensors, spec) = (self.model.tensors(), self.model.spec().clone());
        Ok(Arc::new(Encoder::load(tensors, spec, Arc::clone(&self.exec), &loading)?))
    }

    fn hears<'p>(
        &self,
        progress: &'p mut dyn Progress,
    ) -> impl Fn(usize) -> Result<(), Error> + use<'p> {
        let (of, progress) = (self.size.bytes as u64, RefCell::new(progress));
        move |bytes| {
            let mut progress = progress.borrow_mut();
            progress.loaded((bytes as u64).min(of), of);
            if progress.cancelled() {
                return Err(err!(
                    Cancelled,
                    "stopped on request, while the model was being loaded"
                ));
            }
            Ok(())
        }
    }
}

/// Refuses a model that does not write text where one is needed that does.
///
/// # Errors
/// It is an encoder.
pub(crate) fn check_decoder(model: &Model) -> Result<(), Error> {
    match model.spec().kind {
        Kind::Decoder(_) => Ok(()),
        Kind::Encoder(_) => {
            let (name, family) = (model.name(), model.spec().family);
            Err(err!(
                Unsupported,
                "{name} is a {family} model, which makes embeddings or scores; answers need a model that writes text"
            )
            .of_model(model.name())
            .remedy("ask for it as an embedder or a cross-encoder, or take a model such as starter"))
        }
    }
}

fn tied(spec: &ModelSpec) -> Option<bool> {
    match &spec.kind {
        Kind::Decoder(head) => head.tied,
        Kind::Encoder(_) => None,
    }
}

/// Refuses a model that writes text where one is needed that embeds or ranks.
///
/// # Errors
/// It is one that writes text.
pub(crate) fn check_encoder(model: &Model) -> Result<(), Error> {
    match model.spec().kind {
        Kind::Encoder(_) => Ok(()),
        Kind::Decoder(_) => {
            let (name, family) = (model.name(), model.spec().family);
            Err(err!(
                Unsupported,
                "{name} is a {family} model, which writes text; embeddings and rankings need an encoder"
            )
            .of_model(model.name())
            .remedy(
                "take a model such as sentence-transformers/all-MiniLM-L6-v2 (embeddings) or \
                 cross-encoder/ms-marco-MiniLM-L-6-v2 (ranking)",
            ))
        }
    }
}
