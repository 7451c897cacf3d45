//! Filters of texts.

use crate::change::{justify, replace};
use crate::chars::is_space;
use crate::error::{Error, ErrorKind, Result, runtime_error, type_error};
use crate::methods;
use crate::state::State;
use crate::text::{Builder, Text};
use crate::value::{Call, Dict, Value, View, index};
use std::rc::Rc;

pub(super) fn apply(state: &State, name: &str, value: &Value, call: Call) -> Result<Value> {
    let budget = &state.budget;
    if matches!(name, "capitalize" | "lower" | "string" | "title" | "upper" | "wordcount") {
        call.bind(&format!("do_{name}"), &[], 0, 1)?;
        let text = value.text(&state.budget)?;
        return Ok(match name {
            "capitalize" => Value::Str(methods::capitalize(&text, budget)?),
            "lower" => Value::Str(methods::lower(&text, budget)?),
            "upper" => Value::Str(methods::upper(&text, budget)?),
            "title" => Value::Str(title(state, &text)?),
            "wordcount" => {
                let words = text.as_str().split(|c: char| !c.is_alphanumeric() && c != '_');
                Value::Int(words.filter(|word| !word.is_empty()).count() as i64)
            }
            _ => Value::Str(text),
        });
    }
    match name {
        "trim" => {
            let chars = call.bind("do_trim", &["chars"], 0, 1)?.get(0);
            let chars = match &chars {
                None | Some(Value::None) => None,
                Some(Value::Str(chars)) => Some(chars.as_str()),
                Some(_) => return Err(type_error("strip arg must be None or str")),
            };
            let text = value.text(&state.budget)?;
            Ok(Value::Str(methods::strip(&text, chars, true, true)))
        }
        "replace" => {
            let mut args = call.bind("do_replace", &["old", "new", "count"], 2, 2)?;
            let (old, new) = (args.need(0).text(budget)?, args.need(1).text(budget)?);
            let count = match args.get(2) {
                None | Some(Value::None) => -1,
                Some(count) => index(&count)?,
            };
            let text = value.text(budget)?.with_safe(false);
            replace(state, &text, &old, &new, count).map(Value::Str)
        }
        "center" => {
            let width = call.bind("do_center", &["width"], 0, 1)?.get(0);
            let width = width.map(|width| index(&width)).transpose()?.unwrap_or(80);
            let text = value.text(&state.budget)?;
            justify(state, &text, "center", width, None).map(Value::Str)
        }
        "format" => {
            if !call.positional.is_empty() && !call.named.is_empty() {
                return Err(runtime_error(
                    "can't handle positional and keyword arguments at the same time",
                ));
            }
            let text = value.text(&state.budget)?;
            let values = if call.named.is_empty() {
                Value::tuple(call.positional)
            } else {
                Value::Dict(Rc::new(Dict::of_named(call.named)))
            };
            crate::format::percent(state, &text, &values)
        }
        "indent" => indent(state, value, call),
        "truncate" => truncate(state, value, call),
        "urlencode" => url_encode(state, value, call),
        _ => {
            call.bind("do_pprint", &[], 0, 1)?;
            let text = value.repr(budget)?;
            if text.as_str().chars().count() > 80 || matches!(value, Value::Dict(_)) {
                return Err(runtime_error(
                    "the filter 'pprint' is available here only for what fits in one line and is no dictionary",
                ));
            }
            Ok(Value::Str(text))
        }
    }
}

/// Each word with a capital; words begin after spaces, hyphens and opening brackets.
fn title(state: &State, text: &Text) -> Result<Text> {
    let separates = |c: char| is_space(c) || "-({[<".contains(c);
    let mut out = Builder::new(&state.budget);
    let plain = text.as_str();
    let mut at = 0;
    while at < plain.len() {
        let rest = &plain[at..];
        let length = rest.find(separates).unwrap_or(rest.len());
        if length > 0 {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            out.text(&methods::upper(&text.slice(at..at + first), &state.budget)?);
            out.text(&methods::lower(&text.slice(at + first..at + length), &state.budget)?);
        }
        let rest = &rest[length..];
        let space = rest.len() - rest.trim_start_matches(separates).len();
        out.slice(text, at + length..at + length + space);
        at += length + space;
    }
    Ok(out.finish()?.with_safe(text.safe))
}

fn need_text(value: &Value, what: &str) -> Result<Text> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Undefined(undefined) => Err(undefined.error()),
        other => Err(type_error(format!(
            "unsupported operand type(s) for {what}: '{}' and 'str'",
            other.type_name()
        ))),
    }
}

fn indent(state: &State, value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("do_indent", &["width", "first", "blank"], 0, 1)?;
    let width = args.get(0).unwrap_or(Value::Int(4));
    let first = args.get(1).is_some_and(|value| value.truth());
    let blank = args.get(2).is_some_and(|value| value.truth());
    let indention = match &width {
        Value::Str(text) => text.clone(),
        other => {
            let width = usize::try_from(index(other)?).unwrap_or(0);
            state.budget.take(width)?;
            Text::new(" ".repeat(width))
        }
    };
    let text = need_text(value, "+=")?;
    let mut ended = state.builder();
    ended.text(&text);
    ended.str("\n");
    let ended = ended.finish()?;
    let mut out = state.builder();
    if first {
        out.text(&indention);
    }
    for (number, line) in methods::lines(&ended, false).iter().enumerate() {
        if number > 0 {
            out.str("\n");
            if blank || !line.as_str().is_empty() {
                out.text(&indention);
            }
        }
        out.text(line);
        if out.full() {
            break;
        }
    }
    Ok(Value::Str(out.finish()?.with_safe(text.safe)))
}

fn truncate(state: &State, value: &Value, call: Call) -> Result<Value> {
    let names = ["length", "killwords", "end", "leeway"];
    let mut args = call.bind("do_truncate", &names, 0, 2)?;
    let length = args.get(0).map(|value| index(&value)).transpose()?.unwrap_or(255);
    let kill_words = args.get(1).is_some_and(|value| value.truth());
    let end = match args.get(2) {
        Some(end) => need_text(&end, "+")?,
        None => Text::new("..."),
    };
    let leeway = match args.get(3) {
        None | Some(Value::None) => 5,
        Some(leeway) => index(&leeway)?,
    };
    let end_length = end.as_str().chars().count() as i64;
    let failed = |what: String| Err(Error::new(ErrorKind::Runtime, what));
    if length < end_length {
        return failed(format!("expected length >= {end_length}, got {length}"));
    }
    if leeway < 0 {
        return failed(format!("expected leeway >= 0, got {leeway}"));
    }
    let text = match value {
        Value::Str(text) => text.clone(),
        other => {
            // `len` decides first, so that short lists come back as they are.
            return if other.length()? as i64 <= length.saturating_add(leeway) {
                Ok(value.clone())
            } else {
                Err(type_error(format!("'{}' object cannot be truncated", other.type_name())))
            };
        }
    };
    let plain = text.as_str();
    if plain.chars().count() as i64 <= length.saturating_add(leeway) {
        return Ok(value.clone());
    }
    let kept =
        plain.char_indices().nth((length - end_length) as usize).map_or(plain.len(), |(at, _)| at);
    let kept = if kill_words { kept } else { plain[..kept].rfind(' ').unwrap_or(kept) };
    let mut out = state.builder();
    out.slice(&text, 0..kept);
    out.text(&end);
    Ok(Value::Str(out.finish()?.with_safe(text.safe)))
}

fn url_encode(state: &State, value: &Value, call: Call) -> Result<Value> {
    call.bind("do_urlencode", &[], 0, 1)?;
    let mut out = state.builder();
    match value {
        Value::Str(text) => quote(text, false, &mut out),
        value if !value.is_iterable() => quote(&value.text(&state.budget)?, false, &mut out),
        value => {
            let items = match value {
                Value::Dict(dict) => Value::View(dict.clone(), View::Items),
                other => other.clone(),
            };
            for (index, pair) in items.items(&state.budget)?.iter().enumerate() {
                if index > 0 {
                    out.str("&");
                }
                let pair = pair.items(&state.budget)?;
                let [key, value] = pair.as_slice() else {
                    return Err(crate::error::value_error(format!(
                        "not enough values to unpack (expected 2, got {})",
                        pair.len()
                    )));
                };
                quote(&key.text(&state.budget)?, true, &mut out);
                out.str("=");
                quote(&value.text(&state.budget)?, true, &mut out);
            }
        }
    }
    out.finish().map(Value::Str)
}

/// Percent-encodes a text for an address; in a query, `/` too, and spaces become `+`.
fn quote(text: &Text, query: bool, out: &mut Builder) {
    for (c, marked) in text.chars() {
        if c.is_ascii_alphanumeric() || "_.-~".contains(c) || (c == '/' && !query) {
            out.char(c, marked);
        } else if c == ' ' && query {
            out.char('+', marked);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out.piece(&format!("%{byte:02X}"), marked);
            }
        }
    }
}
