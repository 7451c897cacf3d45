//! What the configured model needs of memory, if it is here.

use scaffold_hub::Hub;

use super::{Finding, Verdict};
use crate::config::Config;
use crate::{LoadOptions, about, aliases};

pub(super) fn examine(config: &Config, hub: &Hub) -> Vec<Finding> {
    look(config, hub).into_iter().collect()
}

/// Nothing is said of a model that is not here: `scaffold check` asks the Hub.
fn look(config: &Config, hub: &Hub) -> Option<Finding> {
    let asked = &config.model.value;
    let name = hub.name(&aliases::expand(asked)).ok()?;
    let model = hub.cached(&name).ok()??;
    let need = match about::need_here(&model, &LoadOptions::for_one_answer(config)) {
        Ok(need) => need,
        Err(error) => {
            let seen = format!("{asked} cannot be loaded: {error}");
            return Some(Finding::new("model", Verdict::Warning, seen));
        }
    };
    let seen = format!("{asked} needs {}", need.text());
    Some(match need.fits() {
        Some(false) => Finding::new("model", Verdict::Warning, seen)
            .remedy("it will be refused when it is loaded: LLM_MODEL names another model"),
        _ => Finding::new("model", Verdict::Good, seen),
    })
}
