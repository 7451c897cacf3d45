//! Jinja2's filters.

mod markup;
mod names;
mod numbers;
mod order;
mod path;
mod select;
mod sequences;
mod texts;

pub(crate) use names::known;

use crate::dumps::dumps;
use crate::error::{Result, runtime_error, type_error};
use crate::quote::quoted;
use crate::state::State;
use crate::value::{Call, Value};

/// `value | name(…)`
pub(crate) fn apply(state: &State, name: &str, value: Value, call: Call) -> Result<Value> {
    state.budget.step(value.text_cost())?;
    match name {
        "abs" | "float" | "int" | "round" | "sum" | "filesizeformat" => {
            numbers::apply(state, name, &value, call)
        }
        "dictsort" | "groupby" | "max" | "min" | "sort" | "unique" => {
            order::apply(state, name, &value, call)
        }
        "map" | "reject" | "rejectattr" | "select" | "selectattr" => {
            Ok(select::apply(state, apply, name, &value, call))
        }
        "batch" | "count" | "first" | "items" | "join" | "last" | "length" | "list" | "reverse"
        | "slice" => sequences::apply(state, name, &value, call),
        "e" | "escape" | "forceescape" | "safe" | "striptags" | "xmlattr" => {
            markup::apply(state, name, &value, call)
        }
        "attr" => attr(state, &value, call),
        "d" | "default" => {
            let mut args = call.bind("do_default", &["default_value", "boolean"], 0, 1)?;
            let default = args.get(0).unwrap_or_else(|| Value::str(""));
            let boolean = args.get(1).is_some_and(|boolean| boolean.truth());
            Ok(if value.is_undefined() || (boolean && !value.truth()) { default } else { value })
        }
        "tojson" => tojson(state, &value, call),
        "random" => Err(runtime_error(
            "the filter 'random' would give another prompt each time, so it is not available",
        )),
        "urlize" | "wordwrap" => Err(runtime_error(format!(
            "the filter '{name}', which is made for pages and mails, is not available to chat templates here"
        ))),
        _ if known(name) => texts::apply(state, name, &value, call),
        _ => Err(runtime_error(format!("No filter named '{name}' found."))),
    }
}

fn attr(state: &State, value: &Value, call: Call) -> Result<Value> {
    let name = call.bind("do_attr", &["name"], 1, 2)?.need(0);
    let Some(name) = name.as_str() else {
        return Err(type_error("attribute name must be string"));
    };
    Ok(match state.own_attribute(value, name)? {
        Some(value) => value,
        None => Value::undefined(format!(
            "{} has no attribute {}",
            quoted(&value.described()),
            quoted(name)
        )),
    })
}

fn tojson(state: &State, value: &Value, call: Call) -> Result<Value> {
    let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let mut args = call.bind("tojson", &names, 0, 1)?;
    let ascii = args.get(0).is_some_and(|value| value.truth());
    let (indent, separators) = (args.get(1), args.get(2));
    let sort = args.get(3).is_some_and(|value| value.truth());
    dumps(state, value, ascii, indent, separators, sort).map(Value::Str)
}
