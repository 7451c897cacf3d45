//! The tools that a call may be of.

use scaffold_error::err;
use scaffold_grammar::{Grammar, Part};
use scaffold_text::Json;
use serde_json::{Value, json};

use crate::error::Error;

/// Whether an answer has to call tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolChoice {
    /// As the model likes.
    #[default]
    Auto,
    /// One of the tools, at least.
    Required,
    /// This tool.
    Named(String),
}

/// A tool that may be called.
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) parameters: Value,
    /// Its arguments are valid by the schema whenever it is called.
    pub(super) strict: bool,
    /// Its arguments are any.
    pub(super) loose: bool,
}

impl Tool {
    /// What its arguments have to be as an object.
    pub(super) fn schema(&self) -> Value {
        if self.loose { json!({ "type": "object" }) } else { self.parameters.clone() }
    }

    /// What one of its arguments has to be.
    fn argument(&self, schema: &Value) -> Value {
        if !self.loose {
            return self.with_definitions(schema);
        }
        // Texts are written in another way than other values.
        match schema
            .get("type")
            .filter(|kind| Grammar::Schema(json!({ "type": kind })).check().is_ok())
        {
            Some(kind) => json!({ "type": kind }),
            None => json!({}),
        }
    }

    /// A schema within its parameters that stands on its own, with what its references mean.
    fn with_definitions(&self, schema: &Value) -> Value {
        let mut alone = schema.clone();
        let Some(object) = alone.as_object_mut().filter(|object| !object.is_empty()) else {
            return alone;
        };
        for name in ["$defs", "definitions"] {
            if let Some(known) = self.parameters.get(name) {
                object.entry(name).or_insert_with(|| known.clone());
            }
        }
        alone
    }

    /// Its arguments in order: the name, the schema, and whether it is needed.
    pub(super) fn arguments(&self) -> Result<Vec<(String, Value, bool)>, Error> {
        let properties = self.parameters.get("properties").and_then(Value::as_object);
        let needed: Vec<&str> = self
            .parameters
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let missing =
            needed.iter().find(|name| properties.is_none_or(|known| !known.contains_key(**name)));
        if let Some(missing) = missing.filter(|_| !self.loose) {
            return Err(err!(
                Unsupported,
                "the tool {:?} cannot be called by force: it needs {missing:?}, of which its parameters say nothing",
                self.name
            )
            .of_key("tool_choice"));
        }
        let each = properties.into_iter().flatten();
        Ok(each
            .map(|(name, schema)| {
                (name.clone(), self.argument(schema), !self.loose && needed.contains(&&**name))
            })
            .collect())
    }
}

/// The tools that may be called.
///
/// # Errors
/// There is none, or none of the name that has to be called.
pub(super) fn chosen(choice: &ToolChoice, tools: &[Json]) -> Result<Vec<Tool>, Error> {
    let read = |tool: &Json| {
        let tool = serde_json::to_value(tool).ok()?;
        let function = tool.get("function").unwrap_or(&tool);
        let parameters =
            function.get("parameters").filter(|it| it.as_object().is_some_and(|it| !it.is_empty()));
        let parameters = parameters.cloned().unwrap_or_else(
            || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        );
        let strict = function.get("strict").and_then(Value::as_bool).unwrap_or_default();
        Some(Tool {
            name: function.get("name")?.as_str()?.to_owned(),
            parameters,
            strict,
            loose: false,
        })
    };
    let mut tools: Vec<Tool> = tools.iter().filter_map(read).collect();
    if let ToolChoice::Named(name) = choice {
        tools.retain(|tool| tool.name == *name);
    }
    if tools.is_empty() {
        let which = match choice {
            ToolChoice::Named(name) => {
                format!("the tool {name:?} is to be called, and is not among the tools")
            }
            _ => "a tool is to be called, and there are no tools".to_owned(),
        };
        return Err(
            err!(Usage, "{which}: name one of them, or let the model choose").of_key("tool_choice")
        );
    }
    Ok(tools)
}

/// The object that is a call, with name and arguments at these paths, as Python writes JSON.
pub(super) fn object(tool: &Tool, name: &[String], arguments: &[String]) -> Option<Vec<Part>> {
    /// Stands for the arguments, in which schemas are on their own: their references are.
    const HERE: &str = "ARGUMENTS-9d2f";
    let mut object = Json::Object(Vec::new());
    put(&mut object, name, Json::from(tool.name.as_str()))?;
    put(&mut object, arguments, Json::from(HERE))?;
    let written = object.dumps();
    let (before, after) = written.split_once(&format!("\"{HERE}\""))?;
    let schema = Grammar::Schema(tool.schema());
    Some(vec![
        Part::Text(before.to_owned()),
        Part::Grammar(Box::new(schema)),
        Part::Text(after.to_owned()),
    ])
}

/// Puts a value into an object, at this path.
fn put(object: &mut Json, path: &[String], value: Json) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let Json::Object(fields) = object else { return None };
    if rest.is_empty() {
        fields.push((first.clone(), value));
        return Some(());
    }
    let at = fields.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
        fields.push((first.clone(), Json::Object(Vec::new())));
        fields.len() - 1
    });
    put(&mut fields[at].1, rest, value)
}
