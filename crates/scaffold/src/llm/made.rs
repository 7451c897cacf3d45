//! A model of one's own: a view of the model that it is made from, with the same weights.

use std::sync::{Arc, Mutex};

use scaffold_error::{Notice, Topic};
use scaffold_hub::{LocalModel, MadeModel};

use super::defaults::Defaults;
use super::manager::LlmManager;
use super::own::Own;
use crate::config::Config;
use crate::error::Error;
use crate::made::parameters;

impl LlmManager {
    /// The model of one's own that this is, if it is one.
    pub fn made(&self) -> Option<&MadeModel> {
        self.own.as_ref().map(|own| &*own.model)
    }

    /// Whether a setting of its own says how long its answers may be.
    pub fn limits_itself(&self) -> bool {
        let parameters = self.made().map(|made| &made.parameters);
        parameters.is_some_and(|own| own.keys().any(|name| parameters::is_limit(name)))
    }

    /// This model as one of one's own that is made from it: the weights, and whatever comes and goes
    /// with them, are the same.
    pub(crate) fn as_made(&self, made: &Arc<MadeModel>, config: &Config) -> Result<Self, Error> {
        let named = |error: Error| error.of_model(made.name.to_string());
        let loaded = self.loaded()?;
        let said = parameters::options(&made.parameters, config, self.info.context);
        let said = said.map_err(named)?;
        let (sampling, stop) = said.over(&self.defaults).map_err(named)?;
        let mut notices = self.notices();
        let shown: Vec<String> =
            made.parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
        if !shown.is_empty() {
            let text = format!("{} sets {}", made.name, shown.join(", "));
            notices.push(Notice::new(Topic::Sampling, text));
        }
        let template = made.template.as_ref();
        let text = template.map(|source| loaded.text.with_template(source)).transpose();
        let own = Own::new(made, text.map_err(named)?);
        Ok(Self {
            name: made.name.to_string().into(),
            local: LocalModel { made: Some(Arc::clone(made)), ..self.local.clone() },
            options: self.options.clone(),
            defaults: Defaults { sampling, stop, notices: Vec::new() },
            notices: Mutex::new(notices),
            info: self.info.clone(),
            slot: Arc::clone(&self.slot),
            own: Some(own),
        })
    }
}
