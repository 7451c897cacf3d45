//! `map`, `select` and their like, which are generators: what they refuse, they refuse when they
//! are gone through.

use super::path::Path;
use crate::checks::check;
use crate::error::{Result, runtime_error};
use crate::state::State;
use crate::value::{Call, Iter, Value};

/// Applies a filter by its name.
pub(super) type Apply = fn(&State, &str, Value, Call) -> Result<Value>;

pub(super) fn apply(state: &State, filter: Apply, name: &str, value: &Value, call: Call) -> Value {
    Iter::generator(|out| {
        if !value.truth() {
            return Ok(());
        }
        match name {
            "map" => map(state, filter, value, call, out),
            _ => {
                select(state, value, call, name.ends_with("attr"), name.starts_with("select"), out)
            }
        }
    })
}

fn map(
    state: &State,
    apply: Apply,
    value: &Value,
    mut call: Call,
    out: &mut Vec<Value>,
) -> Result<()> {
    let mut take = |name: &str| {
        let at = call.named.iter().position(|(known, _)| &**known == name);
        at.map(|at| call.named.remove(at).1)
    };
    if call.positional.is_empty()
        && let Some(attribute) = take("attribute")
    {
        let default = take("default").filter(|default| !matches!(default, Value::None));
        if let Some((name, _)) = call.named.first() {
            return Err(runtime_error(format!("Unexpected keyword argument '{name}'")));
        }
        let path = Path::of(&attribute);
        for item in value.items(&state.budget)? {
            out.push(path.get(state, &item, default.as_ref())?);
        }
        return Ok(());
    }
    if call.positional.is_empty() {
        return Err(runtime_error("map requires a filter argument"));
    }
    let filter = call.positional.remove(0);
    let filter = name_of(&filter, "filter")?;
    for item in value.items(&state.budget)? {
        out.push(apply(state, &filter, item, call.clone())?);
    }
    Ok(())
}

fn name_of(name: &Value, what: &str) -> Result<String> {
    match name {
        Value::Str(name) => Ok(name.as_str().to_owned()),
        Value::Undefined(undefined) => Err(undefined.error()),
        other => Err(runtime_error(format!("No {what} named {} found.", other.type_name()))),
    }
}

fn select(
    state: &State,
    value: &Value,
    mut call: Call,
    by_attribute: bool,
    keep: bool,
    out: &mut Vec<Value>,
) -> Result<()> {
    let mut path = Path::of(&Value::None);
    if by_attribute {
        if call.positional.is_empty() {
            return Err(runtime_error("Missing parameter for attribute name"));
        }
        path = Path::of(&call.positional.remove(0));
    }
    let test = if call.positional.is_empty() {
        None
    } else {
        let name = call.positional.remove(0);
        Some(name_of(&name, "test")?)
    };
    for item in value.items(&state.budget)? {
        let tested = path.get(state, &item, None)?;
        let holds = match &test {
            Some(test) => check(state, test, &tested, call.clone())?,
            None => tested.truth(),
        };
        if holds == keep {
            out.push(item);
        }
    }
    Ok(())
}
