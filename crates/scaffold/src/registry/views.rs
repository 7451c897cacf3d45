//! Models of one's own over models in memory: each is made once, and again when what it says or
//! what it is made from has become another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use scaffold_error::Error;
use scaffold_hub::MadeModel;

use crate::llm::LlmManager;

#[derive(Default)]
pub(super) struct Views(Mutex<HashMap<String, View>>);

struct View {
    /// What it is made from, which may go at any time.
    base: Weak<LlmManager>,
    made: Arc<MadeModel>,
    model: Arc<LlmManager>,
}

impl Views {
    /// The model of one's own, made where there is none that is still right.
    pub(super) fn get(
        &self,
        base: &Arc<LlmManager>,
        made: &Arc<MadeModel>,
        make: impl FnOnce() -> Result<LlmManager, Error>,
    ) -> Result<Arc<LlmManager>, Error> {
        let name = made.name.to_string();
        if let Some(view) = self.lock().get(&name)
            && *view.made == **made
            && view.base.upgrade().is_some_and(|known| Arc::ptr_eq(&known, base))
        {
            return Ok(Arc::clone(&view.model));
        }
        // Not under the lock: a template is read.
        let model = Arc::new(make()?);
        let (base, made) = (Arc::downgrade(base), Arc::clone(made));
        let mut views = self.lock();
        views.retain(|_, view| view.base.strong_count() > 0);
        views.insert(name, View { base, made, model: Arc::clone(&model) });
        Ok(model)
    }

    /// The names of those that are made from this one.
    pub(super) fn made_from(&self, name: &str) -> Vec<String> {
        let views = self.lock();
        let of = |view: &&View| view.base.upgrade().is_some_and(|base| *base.name() == *name);
        let mut names: Vec<String> =
            views.values().filter(of).map(|view| view.made.name.to_string()).collect();
        names.sort();
        names
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, View>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
