//! Looking for one text in another.

use crate::error::{Result, type_error, value_error};
use crate::number::Number;
use crate::text::Text;
use crate::value::{Call, Value};

/// `text[start:end]` by characters, and how many characters lie before it.
fn bounded(text: &str, start: Option<Value>, end: Option<Value>) -> Result<Option<(&str, usize)>> {
    if start.is_none() && end.is_none() {
        return Ok(Some((text, 0)));
    }
    let length = text.chars().count() as i64;
    let place = |bound: Option<Value>, absent: i64| match bound {
        None | Some(Value::None) => Ok(absent),
        Some(value) => match Number::of(&value) {
            Some(Number::Int(at)) => Ok(if at < 0 { (at + length).max(0) } else { at }),
            _ => Err(type_error(
                "slice indices must be integers or None or have an __index__ method",
            )),
        },
    };
    let (start, end) = (place(start, 0)?, place(end, length)?.min(length));
    if start > end {
        return Ok(None);
    }
    let byte = |at: i64| text.char_indices().nth(at as usize).map_or(text.len(), |(byte, _)| byte);
    Ok(Some((&text[byte(start)..byte(end)], start as usize)))
}

fn wanted(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| type_error(format!("must be str, not {}", value.type_name())))
}

/// `find`, `rfind`, `index` and `rindex`.
pub(super) fn find(text: &Text, method: &str, call: Call) -> Result<Value> {
    let mut args = call.bind_positional(method, 1, 3)?;
    let what = args.need(0);
    let what = wanted(&what)?;
    let found = bounded(text.as_str(), args.get(1), args.get(2))?.and_then(|(part, before)| {
        let at = if method.starts_with('r') { part.rfind(what) } else { part.find(what) };
        at.map(|at| before + part[..at].chars().count())
    });
    match found {
        Some(at) => Ok(Value::Int(at as i64)),
        None if method.ends_with("index") => Err(value_error("substring not found")),
        None => Ok(Value::Int(-1)),
    }
}

/// `count`
pub(super) fn count(text: &Text, call: Call) -> Result<Value> {
    let mut args = call.bind_positional("count", 1, 3)?;
    let what = args.need(0);
    let what = wanted(&what)?;
    let count = match bounded(text.as_str(), args.get(1), args.get(2))? {
        None => 0,
        Some((part, _)) if what.is_empty() => part.chars().count() + 1,
        Some((part, _)) => part.matches(what).count(),
    };
    Ok(Value::Int(count as i64))
}

/// `startswith` and `endswith`.
pub(super) fn affix(text: &Text, method: &str, call: Call) -> Result<Value> {
    let mut args = call.bind_positional(method, 1, 3)?;
    let what = args.need(0);
    let part = bounded(text.as_str(), args.get(1), args.get(2))?;
    let has = |affix: &str| {
        part.is_some_and(|(part, _)| {
            if method == "startswith" { part.starts_with(affix) } else { part.ends_with(affix) }
        })
    };
    match &what {
        Value::Str(affix) => Ok(Value::Bool(has(affix.as_str()))),
        Value::Tuple(affixes) => {
            for affix in affixes.iter() {
                let Some(affix) = affix.as_str() else {
                    return Err(type_error(format!(
                        "tuple for {method} must only contain str, not {}",
                        affix.type_name()
                    )));
                };
                if has(affix) {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        other => Err(type_error(format!(
            "{method} first arg must be str or a tuple of str, not {}",
            other.type_name()
        ))),
    }
}
