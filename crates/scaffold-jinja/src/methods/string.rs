//! The methods of strings.

use super::{affix, case, split};
use crate::change::{expand_tabs, justify, replace, zfill};
use crate::chars::{digit_value, is_space, printable, ranges, within};
use crate::error::{Result, type_error, value_error};
use crate::markup;
use crate::state::State;
use crate::text::Text;
use crate::value::{Call, Dict, Key, Value, index};
use std::rc::Rc;
use std::sync::LazyLock;

pub(super) fn call(state: &State, text: &Text, name: &str, call: Call) -> Result<Value> {
    let budget = &state.budget;
    let plain = text.as_str();
    let shown = format!("str.{name}");
    let nothing = |call: Call| call.bind_positional(&shown, 0, 0).map(|_| ());
    let text_of = |result: Result<Text>| result.map(Value::Str);
    match name {
        "strip" | "lstrip" | "rstrip" => {
            let chars = call.bind_positional(name, 0, 1)?.get(0);
            let chars = optional_text(chars, name)?;
            Ok(Value::Str(split::strip(
                text,
                chars.as_ref().map(Text::as_str),
                name != "rstrip",
                name != "lstrip",
            )))
        }
        "split" | "rsplit" => {
            let mut args = call.bind(name, &["sep", "maxsplit"], 0, 0)?;
            split::split(text, name == "rsplit", args.get(0), args.get(1), budget)
        }
        "splitlines" => {
            let keep = call.bind(name, &["keepends"], 0, 0)?.get(0);
            let lines = split::lines(text, keep.is_some_and(|keep| keep.truth()));
            budget.items(lines.len())?;
            Ok(Value::list(lines.into_iter().map(Value::Str).collect()))
        }
        "partition" | "rpartition" => {
            let separator = need_text(&call.bind_positional(&shown, 1, 1)?.need(0))?;
            split::partition(text, name == "rpartition", &separator)
        }
        "find" | "rfind" | "index" | "rindex" => affix::find(text, name, call),
        "count" => affix::count(text, call),
        "startswith" | "endswith" => affix::affix(text, name, call),
        "removeprefix" => {
            let prefix = need_text(&call.bind_positional(&shown, 1, 1)?.need(0))?;
            let rest = plain.strip_prefix(prefix.as_str()).unwrap_or(plain);
            Ok(Value::Str(text.part(rest)))
        }
        "removesuffix" => {
            let suffix = need_text(&call.bind_positional(&shown, 1, 1)?.need(0))?;
            let rest = plain.strip_suffix(suffix.as_str()).unwrap_or(plain);
            Ok(Value::Str(text.part(rest)))
        }
        "replace" => {
            let mut args = call.bind_positional(name, 2, 3)?;
            let (old, new) = (need_text(&args.need(0))?, need_text(&args.need(1))?);
            let count = args.get(2).map(|count| index(&count)).transpose()?;
            text_of(replace(state, text, &old, &new, count.unwrap_or(-1)))
        }
        "join" => join(state, text, &call.bind_positional(&shown, 1, 1)?.need(0)),
        "format" => crate::format::braces(state, text, call),
        "format_map" => {
            let map = call.bind_positional(&shown, 1, 1)?.need(0);
            crate::format::braces_map(state, text, map)
        }
        "center" | "ljust" | "rjust" => {
            let mut args = call.bind_positional(name, 1, 2)?;
            let width = index(&args.need(0))?;
            let fill = args.get(1).map(|fill| need_text(&fill)).transpose()?;
            text_of(justify(state, text, name, width, fill))
        }
        "zfill" => {
            let width = index(&call.bind_positional(&shown, 1, 1)?.need(0))?;
            text_of(zfill(state, text, width))
        }
        "expandtabs" => {
            let size = call.bind(name, &["tabsize"], 0, 0)?.get(0);
            let size = size.map(|size| index(&size)).transpose()?.unwrap_or(8);
            text_of(expand_tabs(state, text, size))
        }
        "upper" => nothing(call).and_then(|()| text_of(case::upper(text, budget))),
        "lower" => nothing(call).and_then(|()| text_of(case::lower(text, budget))),
        "title" => nothing(call).and_then(|()| text_of(case::title(text, budget))),
        "capitalize" => nothing(call).and_then(|()| text_of(case::capitalize(text, budget))),
        "swapcase" => nothing(call).and_then(|()| text_of(case::swap_case(text, budget))),
        "casefold" => nothing(call).and_then(|()| text_of(case::casefold(text, budget))),
        "maketrans" => maketrans(state, call),
        "translate" => {
            let table = call.bind_positional(&shown, 1, 1)?.need(0);
            text_of(translate(state, text, &table))
        }
        "striptags" => text_of(markup::strip_tags(text, budget)),
        "encode" | "unescape" => Err(type_error(format!(
            "{name}() gives bytes or markup, which chat templates cannot use here"
        ))),
        _ => nothing(call).map(|()| Value::Bool(is(plain, name))),
    }
}

/// `isalpha` and its like.
fn is(text: &str, name: &str) -> bool {
    static NUMERIC: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"\p{N}"));
    static LETTER: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"\p{L}"));
    // Digits that are no decimals: superscripts, circled ones and the like.
    static OTHER_DIGIT: LazyLock<Vec<(char, char)>> =
        LazyLock::new(|| ranges("[²³¹፩-፱᧚⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒𐩀-𐩃𐹠-𐹨𑁒-𑁚🄀-🄊]"));
    let letter = |c: char| within(&LETTER, c).is_some();
    let numeric =
        |c: char| within(&NUMERIC, c).is_some() || "一二三四五六七八九〇零十百千万億".contains(c);
    let all = |test: &dyn Fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    match name {
        "isalpha" => all(&letter),
        "isalnum" => all(&|c| letter(c) || numeric(c)),
        "isdecimal" => all(&|c| digit_value(c).is_some()),
        "isdigit" => all(&|c| digit_value(c).is_some() || within(&OTHER_DIGIT, c).is_some()),
        "isnumeric" => all(&numeric),
        "isspace" => all(&is_space),
        "isascii" => text.is_ascii(),
        "isprintable" => text.chars().all(printable),
        "islower" => case::all_cased(text, true),
        "isupper" => case::all_cased(text, false),
        "istitle" => case::is_title_case(text),
        "isidentifier" => {
            all(&|c| letter(c) || digit_value(c).is_some() || c == '_')
                && !text.starts_with(|c| digit_value(c).is_some())
        }
        _ => false,
    }
}

fn need_text(value: &Value) -> Result<Text> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        other => Err(type_error(format!("must be str, not {}", other.type_name()))),
    }
}

fn optional_text(value: Option<Value>, method: &str) -> Result<Option<Text>> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(Value::Str(text)) => Ok(Some(text)),
        Some(_) => Err(type_error(format!("{method} arg must be None or str"))),
    }
}

fn join(state: &State, separator: &Text, values: &Value) -> Result<Value> {
    if !values.is_iterable() {
        return Err(type_error("can only join an iterable"));
    }
    let mut out = state.builder();
    for (index, value) in values.items(&state.budget)?.iter().enumerate() {
        if index > 0 {
            out.text(separator);
        }
        match value {
            value if separator.safe => {
                out.text(&markup::escape(value, &state.budget)?);
            }
            Value::Str(text) => out.text(text),
            other => {
                return Err(type_error(format!(
                    "sequence item {index}: expected str instance, {} found",
                    other.type_name()
                )));
            }
        }
    }
    Ok(Value::Str(out.finish()?.with_safe(separator.safe)))
}

fn code(c: char) -> Value {
    Value::Int(i64::from(c as u32))
}

fn maketrans(state: &State, call: Call) -> Result<Value> {
    let mut args = call.bind_positional("maketrans", 1, 3)?;
    let (first, second, third) = (args.need(0), args.get(1), args.get(2));
    let mut dict = Dict::default();
    match (&first, &second) {
        (Value::Dict(given), None) => {
            for (key, value) in given.entries() {
                let key = match key.as_str() {
                    Some(text) if text.chars().count() == 1 => {
                        code(text.chars().next().unwrap_or(' '))
                    }
                    Some(_) => {
                        return Err(value_error(
                            "string keys in translate table must be of length 1",
                        ));
                    }
                    None => key.clone(),
                };
                dict.insert(Key(key), value.clone());
            }
        }
        (Value::Str(from), Some(Value::Str(to))) => {
            let (from, to) = (from.as_str(), to.as_str());
            if from.chars().count() != to.chars().count() {
                return Err(value_error(
                    "the first two maketrans arguments must have equal length",
                ));
            }
            for (a, b) in from.chars().zip(to.chars()) {
                dict.insert(Key(code(a)), code(b));
            }
            if let Some(Value::Str(drop)) = &third {
                for c in drop.as_str().chars() {
                    dict.insert(Key(code(c)), Value::None);
                }
            }
        }
        _ => {
            return Err(type_error("if you give only one argument to maketrans it must be a dict"));
        }
    }
    state.budget.items(dict.len())?;
    Ok(Value::Dict(Rc::new(dict)))
}

fn translate(state: &State, text: &Text, table: &Value) -> Result<Text> {
    let mut out = state.builder();
    for (c, marked) in text.chars() {
        match state.item(table, &code(c))? {
            Value::Undefined(_) => out.char(c, marked),
            Value::None => {}
            Value::Int(code) => match u32::try_from(code).ok().and_then(char::from_u32) {
                Some(c) => out.char(c, marked),
                None => return Err(type_error("character mapping must be in range(0x110000)")),
            },
            Value::Str(text) => out.piece(text.as_str(), marked),
            _ => {
                return Err(type_error("character mapping must return integer, None or str"));
            }
        }
    }
    out.finish()
}
