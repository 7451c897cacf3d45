//! Jinja2's tests: `value is name(…)`.

use crate::ast::Binary;
use crate::error::{Result, runtime_error};
use crate::filters::known;
use crate::methods::all_cased;
use crate::number::Number;
use crate::state::State;
use crate::value::{Call, Value};
use std::cmp::Ordering;

const NAMES: [&str; 39] = [
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "callable",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Whether a test holds.
pub(crate) fn check(state: &State, name: &str, value: &Value, call: Call) -> Result<bool> {
    state.budget.step(value.text_cost())?;
    let one = |call: Call, parameter: &str| {
        call.bind(&format!("test_{name}"), &[parameter], 1, 1).map(|mut args| args.need(0))
    };
    let remainder = |by: &Value| state.binary(Binary::Remainder, value, by);
    match name {
        "divisibleby" => {
            return remainder(&one(call, "num")?)?.is_equal(&Value::Int(0), &state.budget);
        }
        "sameas" => return Ok(value.is(&one(call, "other")?)),
        "in" => return state.contains(&one(call, "seq")?, value),
        "==" | "eq" | "equalto" => {
            return value.is_equal(&call.bind_positional("eq", 1, 1)?.need(0), &state.budget);
        }
        "!=" | "ne" => {
            let other = call.bind_positional("ne", 1, 1)?.need(0);
            return Ok(!value.is_equal(&other, &state.budget)?);
        }
        "<" | "lt" | "lessthan" => return ordered(state, value, call, "<", Ordering::is_lt),
        "<=" | "le" => return ordered(state, value, call, "<=", Ordering::is_le),
        ">" | "gt" | "greaterthan" => return ordered(state, value, call, ">", Ordering::is_gt),
        ">=" | "ge" => return ordered(state, value, call, ">=", Ordering::is_ge),
        "filter" | "test" => value.hashable(&state.budget)?,
        _ if !NAMES.contains(&name) => {
            return Err(runtime_error(format!("No test named '{name}' found.")));
        }
        _ => {
            call.bind(&format!("test_{name}"), &[], 0, 1)?;
        }
    }
    Ok(match name {
        "odd" => remainder(&Value::Int(2))?.is_equal(&Value::Int(1), &state.budget)?,
        "even" => remainder(&Value::Int(2))?.is_equal(&Value::Int(0), &state.budget)?,
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "none" => matches!(value, Value::None),
        "boolean" => matches!(value, Value::Bool(_)),
        "true" => matches!(value, Value::Bool(true)),
        "false" => matches!(value, Value::Bool(false)),
        "integer" => matches!(value, Value::Int(_) | Value::Big(_)),
        "float" => matches!(value, Value::Float(_)),
        "number" => Number::of(value).is_some(),
        "string" => matches!(value, Value::Str(_)),
        "mapping" => matches!(value, Value::Dict(_)),
        "iterable" => value.is_iterable(),
        "sequence" => {
            matches!(
                value,
                Value::Str(_)
                    | Value::List(_)
                    | Value::Tuple(_)
                    | Value::Group(_)
                    | Value::Dict(_)
                    | Value::Range(_)
                    | Value::Undefined(_)
            )
        }
        "callable" => matches!(
            value,
            Value::Macro(_)
                | Value::Global(_)
                | Value::Method(_)
                | Value::Joiner(_)
                | Value::Loop(_)
                | Value::Undefined(_)
        ),
        "escaped" => matches!(value, Value::Str(text) if text.safe),
        "lower" | "upper" => {
            let text = value.text(&state.budget)?;
            all_cased(text.as_str(), name == "lower")
        }
        "filter" => value.as_str().is_some_and(known),
        _ => value.as_str().is_some_and(|name| NAMES.contains(&name)),
    })
}

fn ordered(
    state: &State,
    value: &Value,
    call: Call,
    symbol: &str,
    holds: impl Fn(Ordering) -> bool,
) -> Result<bool> {
    let other = call.bind_positional(symbol, 1, 1)?.need(0);
    Ok(value.order(&other, symbol, &state.budget)?.is_some_and(holds))
}
