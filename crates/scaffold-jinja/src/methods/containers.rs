//! Methods of lists, tuples, ranges and dictionaries.

use crate::error::{Result, type_error, value_error};
use crate::number::Number;
use crate::state::State;
use crate::value::{Call, Dict, Global, Key, Value, View};
use std::rc::Rc;

pub(super) fn call(state: &State, object: &Value, name: &str, call: Call) -> Result<Option<Value>> {
    Ok(Some(match (object, name) {
        (Value::Dict(dict), "items") => view(dict, View::Items, name, call)?,
        (Value::Dict(dict), "keys") => view(dict, View::Keys, name, call)?,
        (Value::Dict(dict), "values") => view(dict, View::Values, name, call)?,
        (Value::Dict(dict), "get") => {
            let mut args = call.bind_positional("get", 1, 2)?;
            let key = args.need(0);
            key.hashable(&state.budget)?;
            match dict.get(&Key(key)) {
                Some(value) => value.clone(),
                None => args.get(1).unwrap_or(Value::None),
            }
        }
        (Value::Dict(_) | Value::List(_), "copy") => {
            call.bind_positional("copy", 0, 0)?;
            object.clone()
        }
        (Value::Dict(_) | Value::Global(Global::Dict), "fromkeys") => {
            let mut args = call.bind_positional("fromkeys", 1, 2)?;
            let keys = args.need(0).items(&state.budget)?;
            let value = args.get(1).unwrap_or(Value::None);
            let mut dict = Dict::default();
            for key in keys {
                key.hashable(&state.budget)?;
                dict.insert(Key(key), value.clone());
            }
            Value::Dict(Rc::new(dict))
        }
        (Value::View(..), "isdisjoint") => {
            let other = call.bind_positional("isdisjoint", 1, 1)?.need(0);
            let mut disjoint = true;
            for item in other.items(&state.budget)? {
                disjoint = disjoint && !state.contains(object, &item)?;
            }
            Value::Bool(disjoint)
        }
        (_, "count") => {
            let item = call.bind_positional("count", 1, 1)?.need(0);
            let items = object.items(&state.budget)?;
            let mut count = 0;
            for found in &items {
                count += i64::from(found.is_same(&item, &state.budget)?);
            }
            Value::Int(count)
        }
        (_, "index") => index(state, object, call)?,
        _ => return Ok(None),
    }))
}

fn view(dict: &Rc<Dict>, view: View, name: &str, call: Call) -> Result<Value> {
    call.bind_positional(&format!("dict.{name}"), 0, 0)?;
    Ok(Value::View(dict.clone(), view))
}

fn index(state: &State, object: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind_positional("index", 1, 3)?;
    let item = args.need(0);
    let items = object.items(&state.budget)?;
    let place = |bound: Option<Value>, absent: usize| match bound.as_ref().map(Number::of) {
        None => Ok(absent),
        Some(Some(Number::Int(at))) => {
            let at = if at < 0 { at + items.len() as i64 } else { at };
            Ok(at.clamp(0, items.len() as i64) as usize)
        }
        Some(_) => Err(type_error("slice indices must be integers or have an __index__ method")),
    };
    let start = place(args.get(1), 0)?;
    let stop = place(args.get(2), items.len())?;
    for (at, found) in items.iter().enumerate().take(stop).skip(start) {
        if found.is_same(&item, &state.budget)? {
            return Ok(Value::Int(at as i64));
        }
    }
    Err(match object {
        Value::List(_) => match item.repr(&state.budget) {
            Ok(text) => value_error(format!("{} is not in list", text.as_str())),
            Err(error) => error,
        },
        _ => value_error("tuple.index(x): x not in tuple"),
    })
}
