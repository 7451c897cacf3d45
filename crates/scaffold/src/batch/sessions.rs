//! Sessions that are used again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scaffold_model::{Encoder, EncoderSession};

use crate::error::Error;
use crate::memory;

/// Tokens that are computed together, unless one text alone has more. With more the hidden states
/// would no longer stay in a core's own cache, with fewer the weights would be read too often.
pub(crate) const BATCH_TOKENS: usize = 256;

/// Sessions that nobody computes with at the moment.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<EncoderSession>>);

impl Idle {
    /// A session for `rows` tokens, made for a whole batch at least so that later ones find them
    /// large enough.
    pub(super) fn take(
        &self,
        encoder: &Arc<Encoder>,
        rows: usize,
    ) -> Result<EncoderSession, Error> {
        let idle = self.lock().pop();
        if let Some(idle) = idle.filter(|idle| idle.max_rows() >= rows) {
            return Ok(idle);
        }
        // Those of a whole batch were asked for when the model was loaded.
        if rows > BATCH_TOKENS {
            memory::ask_for_rows(encoder.spec(), rows)?;
        }
        Ok(EncoderSession::new(Arc::clone(encoder), rows.max(BATCH_TOKENS)))
    }

    pub(super) fn give_back(&self, session: EncoderSession) {
        self.lock().push(session);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<EncoderSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
