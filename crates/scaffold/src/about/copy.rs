//! What can be said of a model when the Hub cannot be asked: its copy on this disk is looked at
//! instead.

use scaffold_hub::{Damage, Hub, LocalModel, ModelName, Progress, Refusal, Remedy, Source};

use super::{About, Need};
use crate::error::Error;
use crate::model::Model;
use crate::options::LoadOptions;

/// A model's copy on this disk.
#[derive(Clone, Debug)]
pub struct CopyCheck {
    /// The files, and where they came from.
    pub model: LocalModel,
    /// What they hold.
    pub about: About,
    /// What the copy needs; nothing is left to download.
    pub need: Need,
    /// The files that were hashed: those of a package, whose hashes are known without asking.
    /// `scaffold cache verify` hashes everything.
    pub hashed: u64,
    /// Those of them that are not what they should be.
    pub damaged: Vec<Damage>,
}

impl CopyCheck {
    /// Whether an error means that the Hub could not be asked, so that only the copy that is here
    /// can tell something.
    pub fn is_called_for(error: &Error) -> bool {
        error.remedies().contains(&Remedy::GoOnline)
            || error.cause().is_some_and(|refusal: &Refusal| refusal.diagnosis.is_unreachable())
    }

    /// Looks at the copy of a model; `None` if there is none.
    ///
    /// # Errors
    /// The copy cannot be read, or its architecture is not supported.
    pub fn of(
        hub: &Hub,
        name: &ModelName,
        options: &LoadOptions,
        progress: &mut dyn Progress,
    ) -> Result<Option<CopyCheck>, Error> {
        let Some(model) = hub.cached(name)? else {
            return Ok(None);
        };
        let (hashed, damaged) = match model.source {
            Source::Package { .. } => {
                let verified = hub.verify(Some(&model.name), progress)?;
                (verified.files, verified.damaged)
            }
            _ => (0, Vec::new()),
        };
        let opened = Model::open(&model, options)?;
        let (about, need) = (About::of(&opened)?, opened.need()?);
        Ok(Some(CopyCheck { model, about, need, hashed, damaged }))
    }
}
