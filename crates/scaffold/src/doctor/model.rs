//! What the configured model needs of memory, if it is here.

use scaffold_hub::Hub;

use super::{Finding, Verdict};
use crate::config::Config;
use crate::model::Model;
use crate::options::LoadOptions;

pub(super) fn examine(config: &Config, hub: &Hub) -> Vec<Finding> {
    look(config, hub).into_iter().collect()
}

/// Nothing is said of a model that is not here: `scaffold check` asks the Hub.
fn look(config: &Config, hub: &Hub) -> Option<Finding> {
    let asked = &config.model.value;
    let name = hub.name(asked).ok()?;
    let model = hub.cached(&name).ok()??;
    let options = LoadOptions::for_one_answer(config);
    let need = match Model::open(&model, &options).and_then(|model| model.need()) {
        Ok(need) => need,
        Err(error) => {
            let seen = format!("{asked} cannot be loaded: {error}");
            return Some(Finding::new("model", Verdict::Warning, seen));
        }
    };
    let seen = format!("{asked} needs {}", need.text());
    Some(match (need.fits(), need.notice(&options)) {
        (Some(false), _) => Finding::new("model", Verdict::Warning, seen)
            .remedy("it will be refused when it is loaded: LLM_MODEL names another model"),
        (_, Some(notice)) => Finding::new("model", Verdict::Note, format!("{seen}; {notice}")),
        (_, None) => Finding::new("model", Verdict::Good, seen),
    })
}
