//! Chat templates against Jinja2 in the configuration of `transformers` (see
//! `make_goldens/templates.py`).

mod support;

use scaffold_text::{
    ChatTemplate, DateTime, Error, Json, Kind, Message, RenderOptions, SpecialTokens,
};
use serde_json::{Map, Value};

const NOW: i64 = 1_709_210_096;

fn options(variables: &Map<String, Value>) -> RenderOptions {
    let mut kwargs = variables.clone();
    let list = |value: Option<Value>| {
        value
            .and_then(|value| value.as_array().cloned())
            .unwrap_or_default()
            .into_iter()
            .map(Json::from)
            .collect()
    };
    kwargs.remove("messages");
    RenderOptions {
        tools: list(kwargs.remove("tools")),
        documents: list(kwargs.remove("documents")),
        add_generation_prompt: kwargs
            .remove("add_generation_prompt")
            .and_then(|value| value.as_bool())
            .unwrap_or(false),
        kwargs: kwargs.into_iter().map(|(name, value)| (name, Json::from(value))).collect(),
        now: Some(DateTime::from_unix(NOW)),
        ..RenderOptions::default()
    }
}

fn special(golden: &Value) -> SpecialTokens {
    SpecialTokens {
        bos: golden["special"]["bos_token"].as_str().map(str::to_owned),
        eos: golden["special"]["eos_token"].as_str().map(str::to_owned),
        ..SpecialTokens::default()
    }
}

/// What is wrong with a rendering, if anything.
fn difference(expected: &Value, got: Result<String, Error>) -> Option<String> {
    if let Some(text) = expected["text"].as_str() {
        return match got {
            Ok(got) if got == text => None,
            Ok(got) => Some(format!("    expected {text:?}\n    got      {got:?}")),
            Err(error) => Some(format!("    expected {text:?}\n    got      {error}")),
        };
    }
    match (expected["raised"].as_str(), got) {
        (Some(raised), Err(error))
            if error.kind() == Kind::Refused
                && error.sentence().ends_with(&format!("refuses this conversation: {raised}")) =>
        {
            None
        }
        (Some(raised), got) => {
            Some(format!("    expected the template's refusal {raised:?}\n    got      {got:?}"))
        }
        (None, Err(_)) => None,
        (None, Ok(got)) => {
            Some(format!("    expected {}\n    got      {got:?}", expected["error"]))
        }
    }
}

fn report(differences: &[String], total: usize) {
    assert!(
        differences.is_empty(),
        "{} of {total} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn constructs_render_as_in_jinja2() {
    let golden = support::json("templates.json.gz");
    let data = golden["data"].as_object().expect("data");
    let messages: Vec<Message> =
        serde_json::from_value(data["messages"].clone()).expect("messages");
    let constructs = golden["constructs"].as_array().expect("constructs");
    assert!(constructs.len() >= 60, "{}", constructs.len());
    let mut differences = Vec::new();
    for construct in constructs {
        let source = construct["template"].as_str().expect("a template");
        let got = ChatTemplate::from_source(source, &SpecialTokens::default())
            .and_then(|template| template.render(&messages, &options(data)));
        if let Some(difference) = difference(construct, got) {
            differences.push(format!("{source}\n{difference}"));
        }
    }
    report(&differences, constructs.len());
}

#[test]
fn whole_templates_render_as_in_jinja2() {
    let golden = support::json("templates.json.gz");
    let special = special(&golden);
    let whole = golden["whole"].as_array().expect("renderings");
    assert!(golden["templates"].as_object().expect("templates").len() >= 15);
    let mut differences = Vec::new();
    for case in whole {
        let (name, scenario) = (
            case["template"].as_str().expect("a name"),
            case["scenario"].as_str().expect("a name"),
        );
        let source = golden["templates"][name].as_str().expect("a source");
        let variables = golden["scenarios"][scenario].as_object().expect("variables");
        let messages: Vec<Message> =
            serde_json::from_value(variables["messages"].clone()).expect("messages");
        let got = ChatTemplate::from_source(source, &special)
            .and_then(|template| template.render(&messages, &options(variables)));
        if let Some(difference) = difference(case, got) {
            differences.push(format!("{name}, {scenario}\n{difference}"));
        }
    }
    report(&differences, whole.len());
}
