//! Filters that make markup, or text of it.

use crate::error::{Result, runtime_error, value_error};
use crate::markup::{escape, escape_text, strip_tags};
use crate::quote::quoted;
use crate::state::State;
use crate::value::{Call, Value};

pub(super) fn apply(state: &State, name: &str, value: &Value, call: Call) -> Result<Value> {
    let budget = &state.budget;
    match name {
        "xmlattr" => return attributes(state, value, call),
        _ => {
            call.bind(name, &[], 0, 1)?;
        }
    }
    Ok(Value::Str(match name {
        "safe" => value.text(budget)?.with_safe(true),
        "forceescape" => escape_text(&value.text(budget)?, budget)?,
        "striptags" => strip_tags(&value.text(budget)?, budget)?.with_safe(false),
        _ => escape(value, budget)?,
    }))
}

fn attributes(state: &State, value: &Value, call: Call) -> Result<Value> {
    let autospace = call.bind("do_xmlattr", &["autospace"], 0, 1)?.get(0);
    let Value::Dict(dict) = value else {
        return Err(runtime_error(format!(
            "'{}' object has no attribute 'items'",
            value.type_name()
        )));
    };
    let mut out = state.builder();
    let mut first = !autospace.is_none_or(|space| space.truth());
    for (key, value) in dict.entries() {
        if matches!(value, Value::None | Value::Undefined(_)) {
            continue;
        }
        let key = key.text(&state.budget)?;
        if key.as_str().contains([' ', '\t', '\n', '\r', '\u{b}', '\u{c}', '/', '>', '=']) {
            return Err(value_error(format!(
                "Invalid character in attribute name: {}",
                quoted(key.as_str())
            )));
        }
        if !first {
            out.str(" ");
        }
        first = false;
        out.text(&escape_text(&key, &state.budget)?);
        out.str("=\"");
        out.text(&escape(value, &state.budget)?);
        out.str("\"");
    }
    Ok(Value::Str(out.finish()?.with_safe(state.autoescape.get())))
}
