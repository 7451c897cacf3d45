//! The methods of strings.

use super::{affix, case, digit_value, is_space, ranges, split, within};
use crate::error::{Result, type_error};
use crate::number::Number;
use crate::run::{Call, Run};
use crate::text::{Builder, Text};
use crate::value::repr::printable;
use crate::value::{Dict, Key, Value};
use std::rc::Rc;
use std::sync::LazyLock;

pub(super) fn call(run: &Run, text: &Text, name: &str, call: Call) -> Result<Value> {
    let budget = &run.budget;
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
            text_of(replace(run, text, &old, &new, count.unwrap_or(-1)))
        }
        "join" => join(run, text, &call.bind_positional(&shown, 1, 1)?.need(0)),
        "format" => crate::format::braces(run, text, call),
        "format_map" => {
            let map = call.bind_positional(&shown, 1, 1)?.need(0);
            crate::format::braces_map(run, text, map)
        }
        "center" | "ljust" | "rjust" => {
            let mut args = call.bind_positional(name, 1, 2)?;
            let width = index(&args.need(0))?;
            let fill = args.get(1).map(|fill| need_text(&fill)).transpose()?;
            text_of(justify(run, text, name, width, fill))
        }
        "zfill" => {
            let width = index(&call.bind_positional(&shown, 1, 1)?.need(0))?;
            text_of(zfill(run, text, width))
        }
        "expandtabs" => {
            let size = call.bind(name, &["tabsize"], 0, 0)?.get(0);
            let size = size.map(|size| index(&size)).transpose()?.unwrap_or(8);
            text_of(expand_tabs(run, text, size))
        }
        "upper" => nothing(call).and_then(|()| text_of(case::upper(text, budget))),
        "lower" => nothing(call).and_then(|()| text_of(case::lower(text, budget))),
        "title" => nothing(call).and_then(|()| text_of(case::title(text, budget))),
        "capitalize" => nothing(call).and_then(|()| text_of(case::capitalize(text, budget))),
        "swapcase" => nothing(call).and_then(|()| text_of(case::swap_case(text, budget))),
        "casefold" => nothing(call).and_then(|()| text_of(case::casefold(text, budget))),
        "maketrans" => maketrans(run, call),
        "translate" => {
            let table = call.bind_positional(&shown, 1, 1)?.need(0);
            text_of(translate(run, text, &table))
        }
        "striptags" => text_of(crate::filters::markup::strip_tags(text, budget)),
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

/// A whole number as an argument.
pub(crate) fn index(value: &Value) -> Result<i64> {
    match Number::of(value) {
        Some(Number::Int(value)) => Ok(value),
        Some(Number::Big(_)) => {
            Err(crate::error::arithmetic_error("Python int too large to convert to C ssize_t"))
        }
        _ => Err(type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            value.type_name()
        ))),
    }
}

/// `replace(old, new, count)`; a negative count means all.
pub(crate) fn replace(run: &Run, text: &Text, old: &Text, new: &Text, count: i64) -> Result<Text> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let plain = text.as_str();
    let mut out = Builder::new(&run.budget);
    let mut done = 0;
    let places: Box<dyn Iterator<Item = usize>> = if old.as_str().is_empty() {
        Box::new(plain.char_indices().map(|(at, _)| at).chain([plain.len()]))
    } else {
        Box::new(plain.match_indices(old.as_str()).map(|(at, _)| at))
    };
    for at in places.take(most) {
        out.slice(text, done..at);
        out.text(new);
        done = at + old.as_str().len();
        if out.full() {
            break;
        }
    }
    if !out.full() {
        out.slice(text, done..plain.len());
    }
    Ok(out.finish()?.with_safe(text.safe))
}

fn join(run: &Run, separator: &Text, values: &Value) -> Result<Value> {
    if !values.is_iterable() {
        return Err(type_error("can only join an iterable"));
    }
    let mut out = run.builder();
    for (index, value) in values.items(&run.budget)?.iter().enumerate() {
        if index > 0 {
            out.text(separator);
        }
        match value {
            value if separator.safe => {
                out.text(&crate::filters::markup::escape(value, &run.budget)?);
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

/// `center`, `ljust` and `rjust`.
pub(crate) fn justify(
    run: &Run,
    text: &Text,
    method: &str,
    width: i64,
    fill: Option<Text>,
) -> Result<Text> {
    let fill = fill.unwrap_or_else(|| Text::new(" "));
    if fill.as_str().chars().count() != 1 {
        return Err(type_error("The fill character must be exactly one character long"));
    }
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(text.as_str().chars().count());
    let left = match method {
        "ljust" => 0,
        "rjust" => missing,
        // Python puts the odd one to the left where the width is odd.
        _ => missing / 2 + (missing & width & 1),
    };
    run.budget.take(missing)?;
    let mut out = run.builder();
    out.repeat(&fill, left);
    out.text(text);
    out.repeat(&fill, missing - left);
    Ok(out.finish()?.with_safe(text.safe))
}

fn zfill(run: &Run, text: &Text, width: i64) -> Result<Text> {
    let plain = text.as_str();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(plain.chars().count());
    let sign = usize::from(plain.starts_with(['+', '-']));
    run.budget.take(missing)?;
    let mut out = run.builder();
    out.slice(text, 0..sign);
    out.repeat(&Text::new("0"), missing);
    out.slice(text, sign..plain.len());
    Ok(out.finish()?.with_safe(text.safe))
}

fn expand_tabs(run: &Run, text: &Text, size: i64) -> Result<Text> {
    let size = usize::try_from(size).unwrap_or(0);
    run.budget.take(size.saturating_mul(text.as_str().matches('\t').count()))?;
    let mut out = run.builder();
    let mut column = 0;
    for (c, marked) in text.chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                for _ in 0..spaces {
                    out.char(' ', marked);
                }
                column += spaces;
            }
            '\t' => {}
            c => {
                out.char(c, marked);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out.finish()?.with_safe(text.safe))
}

fn code(c: char) -> Value {
    Value::Int(i64::from(c as u32))
}

fn maketrans(run: &Run, call: Call) -> Result<Value> {
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
                        return Err(crate::error::value_error(
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
                return Err(crate::error::value_error(
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
    run.budget.items(dict.len())?;
    Ok(Value::Dict(Rc::new(dict)))
}

fn translate(run: &Run, text: &Text, table: &Value) -> Result<Text> {
    let mut out = run.builder();
    for (c, marked) in text.chars() {
        match run.item(table, &code(c))? {
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
