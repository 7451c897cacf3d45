//! What the configured model needs of memory, if it is here.

use scaffold_error::Remedy;
use scaffold_hub::Hub;

use super::{Finding, Verdict};
use crate::config::Config;
use crate::model::Model;
use crate::options::LoadOptions;

pub(super) fn examine(config: &Config, hub: &Hub) -> Vec<Finding> {
    look(config, hub).into_iter().collect()
}

/// Nothing more is said of a model that is not here than that: a check of it asks the Hub.
fn look(config: &Config, hub: &Hub) -> Option<Finding> {
    let asked = &config.model.value;
    let name = hub.name(asked).ok()?;
    let Some(model) = hub.cached(&name).ok()? else {
        let (verdict, then) = if config.offline.value {
            (Verdict::Warning, "and cannot be fetched: offline mode is on")
        } else {
            (Verdict::Note, "and will be fetched when it is first used")
        };
        let seen = format!("{asked} is not on this disk, {then}");
        return Some(Finding::new("model", verdict, seen).remedy(Remedy::Pull(asked.clone())));
    };
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
