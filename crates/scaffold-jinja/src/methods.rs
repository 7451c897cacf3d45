//! The methods of Python's values.

mod affix;
mod case;
mod containers;
mod numbers;
mod split;
mod string;

pub(crate) use case::{all_cased, capitalize, lower, upper};
pub(crate) use numbers::number_field;
pub(crate) use split::{lines, strip};
pub(crate) use string::{index, justify, replace};

use crate::error::{Result, type_error};
use crate::run::{Call, Run};
use crate::value::{Value, View};
use regex_syntax::hir::{Class, HirKind};
use std::sync::LazyLock;

/// What Python takes for space: Unicode's white space, and four separators that ASCII once had for
/// files and records.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The characters of a class, as ranges in order.
pub(crate) fn ranges(pattern: &str) -> Vec<(char, char)> {
    let hir = regex_syntax::parse(pattern).expect("a constant pattern");
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|r| (r.start(), r.end())).collect()
        }
        _ => Vec::new(),
    }
}

/// The range that a character is in.
pub(crate) fn within(ranges: &[(char, char)], c: char) -> Option<(char, char)> {
    let after = ranges.partition_point(|range| range.0 <= c);
    let range = *ranges.get(after.checked_sub(1)?)?;
    (c <= range.1).then_some(range)
}

/// The value of a decimal digit of any script.
pub(crate) fn digit_value(c: char) -> Option<u32> {
    static DECIMAL: LazyLock<Vec<(char, char)>> = LazyLock::new(|| ranges(r"\p{Nd}"));
    if c.is_ascii() {
        return c.to_digit(10);
    }
    within(&DECIMAL, c).map(|(first, _)| (c as u32 - first as u32) % 10)
}

const STRING: [&str; 47] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

/// Whether a value has a method that does not change it.
pub(crate) fn has(object: &Value, name: &str) -> bool {
    let names: &[&str] = match object {
        Value::Str(text) if text.safe && ["striptags", "unescape"].contains(&name) => return true,
        Value::Str(_) => return STRING.binary_search(&name).is_ok(),
        Value::List(_) => &["copy", "count", "index"],
        Value::Tuple(_) | Value::Group(_) | Value::Range(_) => &["count", "index"],
        Value::Dict(_) => &["copy", "fromkeys", "get", "items", "keys", "values"],
        Value::View(_, View::Keys | View::Items) => &["isdisjoint"],
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
            &["as_integer_ratio", "bit_count", "bit_length", "conjugate"]
        }
        Value::Float(_) => &["as_integer_ratio", "conjugate", "hex", "is_integer"],
        Value::Loop(_) => &["changed", "cycle"],
        Value::Cycler(_) => &["next", "reset"],
        Value::Global(crate::globals::Global::Dict) => &["fromkeys"],
        _ => &[],
    };
    names.contains(&name)
}

/// Whether a value has a method that changes it, which the sandbox forbids.
pub(crate) fn changes(object: &Value, name: &str) -> bool {
    let names: &[&str] = match object {
        Value::List(_) => {
            &["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"]
        }
        Value::Dict(_) => &["clear", "pop", "popitem", "setdefault", "update"],
        Value::Iter(_) => &["gi_frame", "gi_code"],
        _ => &[],
    };
    names.contains(&name)
}

/// `object.name(…)`
pub(crate) fn call(run: &Run, object: &Value, name: &str, call: Call) -> Result<Value> {
    match object {
        Value::Str(text) => {
            run.budget.step(text.as_str().len() as u64 / 64)?;
            string::call(run, text, name, call)
        }
        Value::Loop(state) if name == "cycle" => state.borrow().cycle(call),
        Value::Loop(state) if name == "changed" => state.borrow_mut().changed(call, &run.budget),
        Value::Cycler(cycler) if name == "next" => {
            let at = cycler.1.get();
            cycler.1.set((at + 1) % cycler.0.len());
            Ok(cycler.0[at].clone())
        }
        Value::Cycler(cycler) if name == "reset" => {
            cycler.1.set(0);
            Ok(Value::None)
        }
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {
            numbers::call(object, name, call)
        }
        _ => match containers::call(run, object, name, call)? {
            Some(value) => Ok(value),
            None => Err(type_error(format!(
                "'{}' objects have no method {name} here",
                object.type_name()
            ))),
        },
    }
}
