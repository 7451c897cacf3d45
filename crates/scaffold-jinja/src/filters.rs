//! Jinja2's filters.

pub(crate) mod markup;
mod numbers;
mod order;
mod select;
mod sequences;
mod texts;

use crate::error::{Error, ErrorKind, Result, runtime_error, type_error};
use crate::run::{Call, Run};
use crate::text::Text;
use crate::value::Value;

const NAMES: [&str; 54] = [
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "wordwrap",
    "xmlattr",
];

/// Whether there is a filter of this name.
pub(crate) fn known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// `value | name(…)`
pub(crate) fn apply(run: &Run, name: &str, value: Value, call: Call) -> Result<Value> {
    run.budget.step(value.text_cost())?;
    match name {
        "abs" | "float" | "int" | "round" | "sum" | "filesizeformat" => {
            numbers::apply(run, name, &value, call)
        }
        "dictsort" | "groupby" | "max" | "min" | "sort" | "unique" => {
            order::apply(run, name, &value, call)
        }
        "map" | "reject" | "rejectattr" | "select" | "selectattr" => {
            Ok(select::apply(run, name, &value, call))
        }
        "batch" | "count" | "first" | "items" | "join" | "last" | "length" | "list" | "reverse"
        | "slice" => sequences::apply(run, name, &value, call),
        "e" | "escape" | "forceescape" | "safe" | "striptags" | "xmlattr" => {
            markup::apply(run, name, &value, call)
        }
        "attr" => attr(run, &value, call),
        "d" | "default" => {
            let mut args = call.bind("do_default", &["default_value", "boolean"], 0, 1)?;
            let default = args.get(0).unwrap_or_else(|| Value::str(""));
            let boolean = args.get(1).is_some_and(|boolean| boolean.truth());
            Ok(if value.is_undefined() || (boolean && !value.truth()) { default } else { value })
        }
        "tojson" => tojson(run, &value, call),
        "random" => Err(runtime_error(
            "the filter 'random' would give another prompt each time, so it is not available",
        )),
        "urlize" | "wordwrap" => Err(runtime_error(format!(
            "the filter '{name}', which is made for pages and mails, is not available to chat templates here"
        ))),
        _ if known(name) => texts::apply(run, name, &value, call),
        _ => Err(runtime_error(format!("No filter named '{name}' found."))),
    }
}

/// Markup as it is, everything else as Python prints it.
pub(crate) fn soft_text(run: &Run, value: &Value) -> Result<Text> {
    value.text(&run.budget)
}

fn attr(run: &Run, value: &Value, call: Call) -> Result<Value> {
    let name = call.bind("do_attr", &["name"], 1, 2)?.need(0);
    let Some(name) = name.as_str() else {
        return Err(type_error("attribute name must be string"));
    };
    Ok(match run.own_attribute(value, name)? {
        Some(value) => value,
        None => Value::undefined(format!(
            "{} has no attribute {}",
            crate::value::repr::quoted(&value.described()),
            crate::value::repr::quoted(name)
        )),
    })
}

fn tojson(run: &Run, value: &Value, call: Call) -> Result<Value> {
    let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let mut args = call.bind("tojson", &names, 0, 1)?;
    let ascii = args.get(0).is_some_and(|value| value.truth());
    let (indent, separators) = (args.get(1), args.get(2));
    let sort = args.get(3).is_some_and(|value| value.truth());
    crate::dumps::dumps(run, value, ascii, indent, separators, sort).map(Value::Str)
}

/// A path of attributes, as filters take them: `"a.b.0"`, or a number.
pub(crate) struct Path(Vec<Value>);

impl Path {
    pub(crate) fn of(attribute: &Value) -> Path {
        match attribute {
            Value::None => Path(Vec::new()),
            Value::Str(text) => Path(
                text.as_str()
                    .split('.')
                    .map(|part| {
                        let digits = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
                        match part.parse() {
                            Ok(index) if digits => Value::Int(index),
                            _ => Value::str(part),
                        }
                    })
                    .collect(),
            ),
            other => Path(vec![other.clone()]),
        }
    }

    /// The value at the path; `default` takes the place of what is not there.
    pub(crate) fn get(&self, run: &Run, value: &Value, default: Option<&Value>) -> Result<Value> {
        let mut value = value.clone();
        for part in &self.0 {
            value = run.item(&value, part)?;
            if let Some(default) = default
                && value.is_undefined()
            {
                value = default.clone();
            }
        }
        Ok(value)
    }
}

fn argument_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Runtime, message)
}
