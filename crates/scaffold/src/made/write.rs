//! A model of one's own, written down for people and for Ollama.

use scaffold_hub::{Base, MadeModel, ModelFiles};
use serde_json::{Map, Value};

use super::modelfile::{Instruction, Modelfile};

/// The Modelfile of a model of one's own: making a model from it gives the same. `files` is where the
/// model's files lie, for one that is made of files.
pub fn modelfile_of(model: &MadeModel, files: &ModelFiles) -> Modelfile {
    let from = match &model.base {
        Base::From(name) => name.clone(),
        Base::Files(_) => files.path().display().to_string(),
    };
    let mut instructions = vec![Instruction::From(from)];
    instructions.extend(model.template.iter().cloned().map(Instruction::Template));
    instructions.extend(model.system.iter().cloned().map(Instruction::System));
    instructions.extend(
        pairs(&model.parameters)
            .map(|(name, value)| Instruction::Parameter { name: name.to_owned(), value }),
    );
    instructions.extend(model.messages.iter().map(|message| Instruction::Message {
        role: message.role.clone(),
        content: message.content.clone(),
    }));
    instructions.extend(model.licences.iter().cloned().map(Instruction::License));
    Modelfile { instructions }
}

/// Parameters as Ollama shows them: a line each, texts in quotes.
pub fn parameters_text(parameters: &Map<String, Value>) -> String {
    let lines = parameters.iter().flat_map(|(name, value)| {
        let values = match value {
            Value::Array(list) => list.clone(),
            value => vec![value.clone()],
        };
        values.into_iter().map(move |value| format!("{name:<30} {value}"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Names and values as a Modelfile has them.
fn pairs(parameters: &Map<String, Value>) -> impl Iterator<Item = (&str, String)> {
    parameters.iter().flat_map(|(name, value)| {
        let values = match value {
            Value::Array(list) => list.clone(),
            value => vec![value.clone()],
        };
        let text = |value: Value| match value {
            Value::String(text) => text,
            value => value.to_string(),
        };
        values.into_iter().map(move |value| (name.as_str(), text(value)))
    })
}
