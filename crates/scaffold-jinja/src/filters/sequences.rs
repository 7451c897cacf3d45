//! Filters of lists and what can be gone through like them.

use super::path::Path;
use crate::error::{Result, arithmetic_error, runtime_error, type_error};
use crate::markup::escape;
use crate::number::Number;
use crate::state::State;
use crate::value::{Call, Iter, Value, index};

pub(super) fn apply(state: &State, name: &str, value: &Value, call: Call) -> Result<Value> {
    let budget = &state.budget;
    match name {
        "join" => join(state, value, call),
        "batch" => batch(state, value, call),
        "slice" => slice(state, value, call),
        "length" | "count" => {
            call.bind_positional("len", 0, 0)?;
            value.length().map(|length| Value::Int(length as i64))
        }
        "list" => {
            call.bind("do_list", &[], 0, 1)?;
            value.items(budget).map(Value::list)
        }
        "first" => {
            call.bind("sync_do_first", &[], 0, 2)?;
            let first = value.source(budget)?.next()?;
            Ok(first.unwrap_or_else(|| Value::undefined("No first item, sequence was empty.")))
        }
        "last" => {
            call.bind("do_last", &[], 0, 2)?;
            if !reversible(value) {
                return Err(type_error(format!(
                    "'{}' object is not reversible",
                    value.type_name()
                )));
            }
            let last = value.items(budget)?.pop();
            Ok(last.unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")))
        }
        "items" => {
            call.bind("do_items", &[], 0, 1)?;
            Ok(Iter::generator(|out| match value {
                Value::Undefined(_) => Ok(()),
                Value::Dict(dict) => {
                    budget.items(dict.len())?;
                    out.extend(
                        dict.entries()
                            .map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()])),
                    );
                    Ok(())
                }
                _ => Err(type_error("Can only get item pairs from a mapping.")),
            }))
        }
        _ => {
            call.bind("do_reverse", &[], 0, 1)?;
            reverse(state, value)
        }
    }
}

fn reversible(value: &Value) -> bool {
    value.is_iterable() && !matches!(value, Value::Iter(_) | Value::Loop(_))
}

fn reverse(state: &State, value: &Value) -> Result<Value> {
    if let Value::Str(text) = value {
        let mut out = state.builder();
        let chars: Vec<(char, bool)> = text.chars().collect();
        for (c, marked) in chars.into_iter().rev() {
            out.char(c, marked);
        }
        return Ok(Value::Str(out.finish()?.with_safe(text.safe)));
    }
    if !value.is_iterable() {
        return Err(runtime_error("argument must be iterable"));
    }
    let mut items = value.items(&state.budget)?;
    items.reverse();
    Ok(match value {
        Value::Iter(_) => Value::list(items),
        Value::List(_) => Value::iter(Iter::new("list_reverseiterator", items)),
        Value::Dict(_) => Value::iter(Iter::new("dict_reversekeyiterator", items)),
        Value::Range(_) => Value::iter(Iter::new("range_iterator", items)),
        _ => Value::iter(Iter::new("reversed", items)),
    })
}

fn join(state: &State, value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("sync_do_join", &["d", "attribute"], 0, 2)?;
    let separator = args.get(0).unwrap_or_else(|| Value::str(""));
    let path = args.get(1).filter(|path| !matches!(path, Value::None));
    let path = path.as_ref().map(Path::of);
    let mut items = value.items(&state.budget)?;
    if let Some(path) = path {
        items = items.iter().map(|item| path.get(state, item, None)).collect::<Result<_>>()?;
    }
    let markup = state.autoescape.get()
        && items
            .iter()
            .chain([&separator])
            .any(|item| matches!(item, Value::Str(text) if text.safe));
    let text = |value: &Value| {
        if markup { escape(value, &state.budget) } else { value.text(&state.budget) }
    };
    let separator = text(&separator)?;
    let mut out = state.builder();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.text(&separator);
        }
        out.text(&text(item)?);
        if out.full() {
            break;
        }
    }
    Ok(Value::Str(out.finish()?.with_safe(markup)))
}

fn batch(state: &State, value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("do_batch", &["linecount", "fill_with"], 1, 1)?;
    let size = args.need(0);
    let fill = args.get(1).filter(|fill| !matches!(fill, Value::None));
    Ok(Iter::generator(|out| {
        let items = value.items(&state.budget)?;
        let size = match Number::of(&size) {
            Some(Number::Int(size)) => usize::try_from(size).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        let mut batch: Vec<Value> = Vec::new();
        for item in items {
            if batch.len() == size {
                out.push(Value::list(std::mem::take(&mut batch)));
            }
            batch.push(item);
        }
        if !batch.is_empty() {
            if let Some(fill) = &fill
                && batch.len() < size
                && size != usize::MAX
            {
                state.budget.items(size)?;
                batch.resize(size, fill.clone());
            }
            out.push(Value::list(batch));
        }
        Ok(())
    }))
}

fn slice(state: &State, value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("sync_do_slice", &["slices", "fill_with"], 1, 1)?;
    let count = args.need(0);
    let fill = args.get(1).filter(|fill| !matches!(fill, Value::None));
    Ok(Iter::generator(|out| {
        let items = value.items(&state.budget)?;
        let count = index(&count)?;
        if count == 0 {
            return Err(arithmetic_error("integer division or modulo by zero"));
        }
        let count = usize::try_from(count).unwrap_or(0);
        state.budget.items(count)?;
        if count == 0 {
            return Ok(());
        }
        let (each, extra) = (items.len() / count, items.len() % count);
        let mut at = 0;
        for number in 0..count {
            let length = each + usize::from(number < extra);
            let mut part = items[at..at + length].to_vec();
            at += length;
            if let Some(fill) = &fill
                && number >= extra
            {
                part.push(fill.clone());
            }
            out.push(Value::list(part));
        }
        Ok(())
    }))
}
