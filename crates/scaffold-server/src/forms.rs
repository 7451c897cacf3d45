//! What an answer has to keep to, as requests of all interfaces say it.

use scaffold::{GenerateOptions, Grammar};
use serde_json::{Value, json};

use crate::call::Call;
use crate::fault::Fault;
use crate::fields::Fields;

/// The fields of a request that say it, in the words of OpenAI, vLLM and llama.cpp.
pub(crate) fn read(
    call: &Call,
    fields: &mut Fields,
    options: &mut GenerateOptions,
) -> Result<(), Fault> {
    let mut said: Vec<(&'static str, Grammar)> = Vec::new();
    if let Some(format) = fields.object("response_format")? {
        said.extend(
            format_of(call, format, "response_format")?.map(|grammar| ("response_format", grammar)),
        );
    }
    if let Some(mut own) = fields.object("structured_outputs")? {
        let names = ["json", "regex", "choice", "grammar"];
        own.refuse("structural_tag", TAGS)?;
        if own.flag("json_object")? == Some(true) {
            said.push(("structured_outputs", Grammar::Object));
        }
        said.extend(
            four(&mut own, names)?.into_iter().map(|(_, grammar)| ("structured_outputs", grammar)),
        );
        call.ignore(own);
    }
    let guided = ["guided_json", "guided_regex", "guided_choice", "guided_grammar"];
    said.extend(four(fields, guided)?);
    if let Some(schema) = fields.take("json_schema").filter(|schema| !is_empty(schema)) {
        said.push(("json_schema", schema_of(schema, "json_schema")?));
    }
    if let Some(text) = fields.text("grammar")?.filter(|text| !text.is_empty()) {
        said.push(("grammar", Grammar::of_text(text)));
    }
    let Some((field, grammar)) = said.pop() else { return Ok(()) };
    if let Some((other, _)) = said.pop() {
        let words =
            format!("{other} and {field} both say what the answer has to keep to: leave one out");
        return Err(Fault::field(field, words));
    }
    options.grammar = Some(checked(grammar, field)?);
    Ok(())
}

const TAGS: &str = "say the whole form with json, regex, choice or grammar";

/// Schema, expression, choices and grammar, under these names.
fn four(
    fields: &mut Fields,
    names: [&'static str; 4],
) -> Result<Vec<(&'static str, Grammar)>, Fault> {
    let [schema, regex, choice, grammar] = names;
    let mut said = Vec::new();
    if let Some(value) = fields.take(schema).filter(|value| !is_empty(value)) {
        said.push((schema, schema_of(value, &fields.path(schema))?));
    }
    if let Some(text) = fields.text(regex)?.filter(|text| !text.is_empty()) {
        said.push((regex, Grammar::Regex(text)));
    }
    if let Some(texts) = fields.texts(choice)?.filter(|texts| !texts.is_empty()) {
        said.push((choice, Grammar::Choices(texts)));
    }
    if let Some(text) = fields.text(grammar)?.filter(|text| !text.is_empty()) {
        said.push((grammar, Grammar::of_text(text)));
    }
    Ok(said)
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty)
}

/// A schema, or its text.
fn schema_of(value: Value, path: &str) -> Result<Grammar, Fault> {
    let schema = match value {
        Value::String(text) => serde_json::from_str(&text).map_err(|_| {
            Fault::field(
                path,
                format!("{path} is a text that is no JSON: accepted is a JSON schema"),
            )
        })?,
        value => value,
    };
    if !Value::is_object(&schema) {
        return Err(Fault::field(path, format!("{path} is no object: accepted is a JSON schema")));
    }
    Ok(Grammar::Schema(schema))
}

/// A format, as OpenAI writes it in chats (with the schema in an object of its own) and in responses.
pub(crate) fn format_of(
    call: &Call,
    mut format: Fields,
    path: &str,
) -> Result<Option<Grammar>, Fault> {
    let kind = format.needed("type")?;
    let grammar = match kind.as_str() {
        "text" => None,
        "json_object" => Some(match format.take("schema") {
            Some(schema) => schema_of(schema, &format!("{path}.schema"))?,
            None => Grammar::Object,
        }),
        "json_schema" => {
            let inner = format.object("json_schema")?;
            let (mut own, outer) = match inner {
                Some(inner) => (inner, Some(format)),
                None => (format, None),
            };
            let schema = own.take("schema").ok_or_else(|| own.missing("schema"))?;
            // A name is for the model's makers; all schemas are held to strictly.
            let _silent = (own.text("name")?, own.text("description")?, own.flag("strict")?);
            let grammar = schema_of(schema, &own.path("schema"))?;
            call.ignore(own);
            if let Some(outer) = outer {
                call.ignore(outer);
            }
            return checked(grammar, path).map(Some);
        }
        "regex" | "grammar" => {
            let text = format
                .text("pattern")?
                .or(format.text("grammar")?)
                .ok_or_else(|| format.missing("grammar"))?;
            Some(if kind == "regex" { Grammar::Regex(text) } else { Grammar::of_text(text) })
        }
        _ => {
            let accepted = "\"text\", \"json_object\", \"json_schema\", \"regex\" (with pattern) or \"grammar\" (with grammar)";
            return Err(format.wrong("type", &json!(null), accepted));
        }
    };
    call.ignore(format);
    grammar.map(|grammar| checked(grammar, path)).transpose()
}

/// Ollama's `format`: `"json"`, or a schema.
pub(crate) fn ollama(fields: &mut Fields) -> Result<Option<Grammar>, Fault> {
    let accepted = "\"json\" or a JSON schema";
    let grammar = match fields.take("format") {
        None => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) if text == "json" => Grammar::Object,
        Some(schema @ Value::Object(_)) => Grammar::Schema(schema),
        Some(other) => return Err(fields.wrong("format", &other, accepted)),
    };
    checked(grammar, "format").map(Some)
}

/// Refuses what answers cannot be held to, by the name of the field.
fn checked(grammar: Grammar, field: &str) -> Result<Grammar, Fault> {
    match grammar.check() {
        Ok(()) => Ok(grammar),
        Err(error) => Err(Fault {
            param: Some(field.to_owned()),
            code: None,
            ..Fault::from(error.prefixed(field))
        }),
    }
}
