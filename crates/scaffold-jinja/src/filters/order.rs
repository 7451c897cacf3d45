//! Filters that put things in order.

use super::path::Path;
use crate::error::{Result, runtime_error};
use crate::state::State;
use crate::value::{Call, Dict, Iter, Key, Value};
use std::cmp::Ordering;
use std::rc::Rc;

pub(super) fn apply(state: &State, name: &str, value: &Value, call: Call) -> Result<Value> {
    match name {
        "sort" => sort(state, value, call),
        "dictsort" => dict_sort(state, value, call),
        "groupby" => group_by(state, value, call),
        "unique" => unique(state, value, call),
        _ => extreme(state, name, value, call),
    }
}

/// A text in lower case, everything else as it is.
fn ignore_case(state: &State, value: Value) -> Result<Value> {
    Ok(match &value {
        Value::Str(text) => Value::Str(crate::methods::lower(text, &state.budget)?),
        _ => value,
    })
}

fn key(state: &State, value: Value, case_sensitive: bool) -> Result<Value> {
    if case_sensitive { Ok(value) } else { ignore_case(state, value) }
}

/// Sorts by keys with `<` alone, which may fail; equal keys keep their order.
fn sorted(state: &State, mut items: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>> {
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        let mut rest = items.into_iter().peekable();
        while rest.peek().is_some() {
            let left: Vec<_> = rest.by_ref().take(width).collect();
            let right: Vec<_> = rest.by_ref().take(width).collect();
            merge(state, left, right, reverse, &mut merged)?;
        }
        items = merged;
        width *= 2;
    }
    Ok(items.into_iter().map(|(_, value)| value).collect())
}

fn merge(
    state: &State,
    left: Vec<(Value, Value)>,
    right: Vec<(Value, Value)>,
    reverse: bool,
    out: &mut Vec<(Value, Value)>,
) -> Result<()> {
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        state.budget.step(1)?;
        let later_first = if reverse {
            a.0.order(&b.0, "<", &state.budget)? == Some(Ordering::Less)
        } else {
            b.0.order(&a.0, "<", &state.budget)? == Some(Ordering::Less)
        };
        out.extend(if later_first { right.next() } else { left.next() });
    }
    out.extend(left);
    out.extend(right);
    Ok(())
}

fn sort(state: &State, value: &Value, call: Call) -> Result<Value> {
    let names = ["reverse", "case_sensitive", "attribute"];
    let mut args = call.bind("do_sort", &names, 0, 2)?;
    let reverse = args.get(0).is_some_and(|value| value.truth());
    let case_sensitive = args.get(1).is_some_and(|value| value.truth());
    let attribute = args.get(2).unwrap_or(Value::None);
    let paths: Vec<Path> = match &attribute {
        Value::Str(text) => {
            text.as_str().split(',').map(|part| Path::of(&Value::str(part))).collect()
        }
        other => vec![Path::of(other)],
    };
    let mut items = Vec::new();
    for item in value.items(&state.budget)? {
        let keys: Result<Vec<Value>> = paths
            .iter()
            .map(|path| key(state, path.get(state, &item, None)?, case_sensitive))
            .collect();
        items.push((Value::list(keys?), item));
    }
    sorted(state, items, reverse).map(Value::list)
}

fn dict_sort(state: &State, value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("do_dictsort", &["case_sensitive", "by", "reverse"], 0, 1)?;
    let case_sensitive = args.get(0).is_some_and(|value| value.truth());
    let by = args.get(1).unwrap_or_else(|| Value::str("key"));
    let reverse = args.get(2).is_some_and(|value| value.truth());
    let by_value = match by.as_str() {
        Some("key") => false,
        Some("value") => true,
        _ => {
            return Err(runtime_error("You can only sort by either \"key\" or \"value\""));
        }
    };
    let Value::Dict(dict) = value else {
        if let Value::Undefined(undefined) = value {
            return Err(undefined.error());
        }
        return Err(runtime_error(format!(
            "'{}' object has no attribute 'items'",
            value.type_name()
        )));
    };
    let mut items = Vec::new();
    for (name, value) in dict.entries() {
        let by = if by_value { value } else { name };
        items.push((
            key(state, by.clone(), case_sensitive)?,
            Value::tuple(vec![name.clone(), value.clone()]),
        ));
    }
    state.budget.items(items.len())?;
    sorted(state, items, reverse).map(Value::list)
}

fn group_by(state: &State, value: &Value, call: Call) -> Result<Value> {
    let names = ["attribute", "default", "case_sensitive"];
    let mut args = call.bind("sync_do_groupby", &names, 1, 2)?;
    let path = Path::of(&args.need(0));
    let default = args.get(1).filter(|default| !matches!(default, Value::None));
    let case_sensitive = args.get(2).is_some_and(|value| value.truth());
    let mut items = Vec::new();
    for item in value.items(&state.budget)? {
        let found = path.get(state, &item, default.as_ref())?;
        let sort_key = key(state, found.clone(), case_sensitive)?;
        items.push((sort_key.clone(), Value::tuple(vec![sort_key, found, item])));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for entry in sorted(state, items, false)? {
        let mut parts = entry.tuple_items();
        let (Some(item), Some(found), Some(sort_key)) = (parts.pop(), parts.pop(), parts.pop())
        else {
            continue;
        };
        match groups.last_mut() {
            Some((last, _, members)) if last.is_equal(&sort_key, &state.budget)? => {
                members.push(item);
            }
            _ => groups.push((sort_key, found, vec![item])),
        }
    }
    Ok(Value::list(
        groups
            .into_iter()
            .map(|(_, found, members)| Value::Group(Rc::new((found, Value::list(members)))))
            .collect(),
    ))
}

fn unique(state: &State, value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("sync_do_unique", &["case_sensitive", "attribute"], 0, 2)?;
    let case_sensitive = args.get(0).is_some_and(|value| value.truth());
    let path = Path::of(&args.get(1).unwrap_or(Value::None));
    Ok(Iter::generator(|out| {
        let mut seen = Dict::default();
        for item in value.items(&state.budget)? {
            let key = key(state, path.get(state, &item, None)?, case_sensitive)?;
            key.hashable(&state.budget)?;
            if seen.get(&Key(key.clone())).is_none() {
                seen.insert(Key(key), Value::None);
                out.push(item);
            }
        }
        Ok(())
    }))
}

/// `min` and `max`
fn extreme(state: &State, name: &str, value: &Value, call: Call) -> Result<Value> {
    let function = format!("do_{name}");
    let mut args = call.bind(&function, &["case_sensitive", "attribute"], 0, 2)?;
    let case_sensitive = args.get(0).is_some_and(|value| value.truth());
    let path = Path::of(&args.get(1).unwrap_or(Value::None));
    let mut best: Option<(Value, Value)> = None;
    let (symbol, wanted) =
        if name == "max" { (">", Ordering::Greater) } else { ("<", Ordering::Less) };
    for item in value.items(&state.budget)? {
        let key = key(state, path.get(state, &item, None)?, case_sensitive)?;
        let better = match &best {
            Some((so_far, _)) => key.order(so_far, symbol, &state.budget)? == Some(wanted),
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(match best {
        Some((_, item)) => item,
        None => Value::undefined("No aggregated item, sequence was empty."),
    })
}
