//! `${NAME}` and `${NAME:-default}` in values, as `dotenv/variables.py` of python-dotenv 1.2.4 has
//! it.

use std::collections::HashMap;

use super::reader::Binding;

/// Bytes of a value, as long as Linux lets a variable be, and of all together. Each line can double
/// the one above it, so a short file could fill any memory.
const LONGEST: usize = 128 << 10;
const MOST: usize = 8 << 20;

/// The values of all bindings, in their order, with variables put in. The environment goes before
/// the file, as with `load_dotenv`; a name that neither has is empty. What would be longer than
/// [`LONGEST`], or goes beyond [`MOST`], has no value.
pub(super) fn resolve(
    bindings: &[Binding],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<Option<String>> {
    let mut known: HashMap<&str, Option<String>> = HashMap::new();
    let mut values = Vec::with_capacity(bindings.len());
    let mut left = MOST;
    for binding in bindings {
        let Binding::Value { name, value, .. } = binding else {
            values.push(None);
            continue;
        };
        let lookup = |name: &str| match environment(name) {
            Some(value) => Some(value),
            // A name without a value is known, and empty.
            None => known.get(name).map(|value| value.clone().unwrap_or_default()),
        };
        let value = value.as_deref().and_then(|text| put_in(text, &lookup, left.min(LONGEST)));
        left -= value.as_deref().map_or(0, str::len);
        known.insert(name, value.clone());
        values.push(value);
    }
    values
}

/// The text with variables put in; `None` where it becomes longer than `most`.
fn put_in(text: &str, lookup: &dyn Fn(&str) -> Option<String>, most: usize) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let inside = &rest[at + 2..];
        if let Some((name, default, tail)) = reference(inside) {
            out.push_str(&lookup(name).unwrap_or_else(|| default.to_owned()));
            if out.len() > most {
                return None;
            }
            rest = tail;
        } else {
            out.push_str("${");
            rest = inside;
        }
    }
    out.push_str(rest);
    (out.len() <= most).then_some(out)
}

/// Splits `NAME}…` and `NAME:-default}…` into name, default and the rest.
fn reference(inside: &str) -> Option<(&str, &str, &str)> {
    let end = inside.find([':', '}'])?;
    let (name, tail) = inside.split_at(end);
    if let Some(tail) = tail.strip_prefix('}') {
        return Some((name, "", tail));
    }
    let (default, tail) = tail.strip_prefix(":-")?.split_once('}')?;
    Some((name, default, tail))
}
