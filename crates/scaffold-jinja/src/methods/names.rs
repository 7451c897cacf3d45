//! Which methods values have.

use crate::value::{Global, Value, View};

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
        Value::Global(Global::Dict) => &["fromkeys"],
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
