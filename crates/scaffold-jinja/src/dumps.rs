//! `json.dumps`, byte for byte.

use crate::budget::Budget;
use crate::error::{Error, ErrorKind, Result, type_error};
use crate::number::{self, Number};
use crate::state::State;
use crate::text::{Builder, Text};
use crate::value::{Value, index};
use std::cmp::Ordering;

/// Nesting that is certainly not meant.
const DEEPEST: usize = 1000;

struct Dumps<'a> {
    state: &'a State,
    ascii: bool,
    /// What each level is indented by; without it everything stands on one line.
    indent: Option<Text>,
    item_separator: Text,
    key_separator: Text,
    sort: bool,
}

/// A value as JSON.
pub(crate) fn dumps(
    state: &State,
    value: &Value,
    ascii: bool,
    indent: Option<Value>,
    separators: Option<Value>,
    sort: bool,
) -> Result<Text> {
    let indent = match indent {
        // A text alone is written before the other arguments are looked at.
        _ if matches!(value, Value::Str(_)) => None,
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => Some(text),
        Some(width) => {
            let width = usize::try_from(index(&width)?).unwrap_or(0);
            state.budget.take(width)?;
            Some(Text::new(" ".repeat(width)))
        }
    };
    let (item_separator, key_separator) = match separators {
        None | Some(Value::None) => {
            // A space after the comma, unless lines are broken there.
            let item = if indent.is_some() { "," } else { ", " };
            (Text::new(item), Text::new(": "))
        }
        Some(pair) => {
            let parts = pair.items(&state.budget)?;
            match parts.as_slice() {
                [Value::Str(item), Value::Str(key)] => (item.clone(), key.clone()),
                _ => return Err(type_error("separators must be a pair of str")),
            }
        }
    };
    let dumps = Dumps { state, ascii, indent, item_separator, key_separator, sort };
    let mut out = state.builder();
    dumps.write(value, 0, &mut out)?;
    out.finish()
}

impl Dumps<'_> {
    fn write(&self, value: &Value, depth: usize, out: &mut Builder) -> Result<()> {
        if depth > DEEPEST {
            return Err(Error::new(
                ErrorKind::Recursion,
                "maximum recursion depth exceeded while encoding a JSON object",
            ));
        }
        if out.full() {
            return Ok(());
        }
        match value {
            Value::None => out.str("null"),
            Value::Str(text) => self.string(text, out),
            Value::List(_) | Value::Tuple(_) | Value::Group(_) => {
                let items = value.items(&self.state.budget)?;
                self.block(["[", "]"], items.len(), depth, out, |index, out| {
                    self.write(&items[index], depth + 1, out)
                })?;
            }
            Value::Dict(dict) => {
                let mut entries: Vec<(&Value, &Value)> = dict.entries().collect();
                if self.sort {
                    entries = sorted(entries, &self.state.budget)?;
                }
                self.block(["{", "}"], entries.len(), depth, out, |index, out| {
                    let (key, value) = entries[index];
                    self.string(&key_text(key)?, out);
                    out.text(&self.key_separator);
                    self.write(value, depth + 1, out)
                })?;
            }
            other => match scalar(other)? {
                Some(text) => out.str(&text),
                None => {
                    return Err(type_error(format!(
                        "Object of type {} is not JSON serializable",
                        other.type_name()
                    )));
                }
            },
        }
        Ok(())
    }

    fn block(
        &self,
        [open, close]: [&str; 2],
        count: usize,
        depth: usize,
        out: &mut Builder,
        mut item: impl FnMut(usize, &mut Builder) -> Result<()>,
    ) -> Result<()> {
        out.str(open);
        for index in 0..count {
            if index > 0 {
                out.text(&self.item_separator);
            }
            self.line(depth + 1, out);
            item(index, out)?;
        }
        if count > 0 {
            self.line(depth, out);
        }
        out.str(close);
        Ok(())
    }

    fn line(&self, depth: usize, out: &mut Builder) {
        if let Some(indent) = &self.indent {
            out.str("\n");
            out.repeat(indent, depth);
        }
    }

    fn string(&self, text: &Text, out: &mut Builder) {
        out.str("\"");
        for (c, marked) in text.chars() {
            match c {
                '"' => out.piece("\\\"", marked),
                '\\' => out.piece("\\\\", marked),
                '\n' => out.piece("\\n", marked),
                '\r' => out.piece("\\r", marked),
                '\t' => out.piece("\\t", marked),
                '\u{8}' => out.piece("\\b", marked),
                '\u{c}' => out.piece("\\f", marked),
                // In ASCII, DEL is escaped too, and beyond it pairs of surrogates are written.
                c if c < ' ' || (self.ascii && !matches!(c, ' '..='~')) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.piece(&format!("\\u{unit:04x}"), marked);
                    }
                }
                c => out.char(c, marked),
            }
        }
        out.str("\"");
    }
}

fn scalar(value: &Value) -> Result<Option<String>> {
    Ok(match (value, Number::of(value)) {
        (Value::Bool(value), _) => Some(value.to_string()),
        (_, Some(Number::Float(value))) => Some(number::json_float(value)),
        (_, Some(Number::Int(value))) => Some(value.to_string()),
        (_, Some(Number::Big(value))) => Some(number::int_text(&value)?),
        (Value::None, _) => Some("null".to_owned()),
        _ => None,
    })
}

/// The text of a key: numbers, booleans and null are written as in JSON.
fn key_text(key: &Value) -> Result<Text> {
    if let Value::Str(text) = key {
        return Ok(text.clone());
    }
    match scalar(key)? {
        Some(text) => Ok(Text::new(text)),
        None => Err(type_error(format!(
            "keys must be str, int, float, bool or None, not {}",
            key.type_name()
        ))),
    }
}

fn sorted<'a>(
    mut entries: Vec<(&'a Value, &'a Value)>,
    budget: &Budget,
) -> Result<Vec<(&'a Value, &'a Value)>> {
    // Keys that cannot be compared are an error wherever they stand, so one pass finds it.
    for pair in entries.windows(2) {
        pair[0].0.order(pair[1].0, "<", budget)?;
    }
    entries.sort_by(|a, b| match a.0.order(b.0, "<", budget) {
        Ok(Some(order)) => order,
        _ => Ordering::Equal,
    });
    Ok(entries)
}
