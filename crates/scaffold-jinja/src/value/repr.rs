//! How Python prints values: `str` and `repr`.

use super::{Value, View};
use crate::budget::Budget;
use crate::error::{Error, ErrorKind, Result};
use crate::number;
use crate::quote::{quote, quoted};
use crate::text::{Builder, Text};

/// Nesting that is certainly not meant.
const DEEPEST: usize = 1000;

impl Value {
    /// `str(value)`: strings as they are, everything else by its `repr`. What is undefined is
    /// printed as nothing.
    pub(crate) fn text(&self, budget: &Budget) -> Result<Text> {
        match self {
            Value::Str(text) => Ok(text.clone()),
            Value::Undefined(_) => Ok(Text::new("")),
            _ => self.repr(budget),
        }
    }

    /// `repr(value)`
    pub(crate) fn repr(&self, budget: &Budget) -> Result<Text> {
        let mut out = Builder::new(budget);
        write(self, 0, &mut out)?;
        out.finish()
    }
}

fn too_deep() -> Error {
    Error::new(
        ErrorKind::Recursion,
        "maximum recursion depth exceeded while getting the repr of an object",
    )
}

fn write(value: &Value, depth: usize, out: &mut Builder) -> Result<()> {
    if depth > DEEPEST {
        return Err(too_deep());
    }
    if out.full() {
        return Ok(());
    }
    match value {
        Value::Undefined(_) => out.str("Undefined"),
        Value::None => out.str("None"),
        Value::Bool(true) => out.str("True"),
        Value::Bool(false) => out.str("False"),
        Value::Int(value) => out.str(&value.to_string()),
        Value::Big(value) => out.str(&number::int_text(value)?),
        Value::Float(value) => out.str(&number::float(*value)),
        Value::Str(text) => {
            if text.safe {
                out.str("Markup(");
            }
            quote(text, false, out);
            if text.safe {
                out.str(")");
            }
        }
        Value::List(items) => sequence("[", items, "]", depth, out)?,
        Value::Tuple(_) | Value::Group(_) => {
            let items = value.tuple_items();
            sequence("(", &items, if items.len() == 1 { ",)" } else { ")" }, depth, out)?;
        }
        Value::Dict(dict) => {
            out.str("{");
            for (index, (key, value)) in dict.entries().enumerate() {
                if index > 0 {
                    out.str(", ");
                }
                write(key, depth + 1, out)?;
                out.str(": ");
                write(value, depth + 1, out)?;
            }
            out.str("}");
        }
        Value::View(dict, view) => {
            out.str(value.type_name());
            out.str("(");
            let items: Vec<Value> = dict
                .entries()
                .map(|(key, value)| match view {
                    View::Keys => key.clone(),
                    View::Values => value.clone(),
                    View::Items => Value::tuple(vec![key.clone(), value.clone()]),
                })
                .collect();
            sequence("[", &items, "]", depth, out)?;
            out.str(")");
        }
        Value::Range(range) => {
            let step = if range.step == 1 { String::new() } else { format!(", {}", range.step) };
            out.str(&format!("range({}, {}{step})", range.start, range.stop));
        }
        Value::Namespace(names) => {
            out.str("<Namespace ");
            let names = Value::Dict(names.borrow().clone().into());
            write(&names, depth + 1, out)?;
            out.str(">");
        }
        Value::Loop(state) => {
            let (index, length) = {
                let mut state = state.borrow_mut();
                (state.index(), state.length()?)
            };
            out.str(&format!("<LoopContext {index}/{length}>"));
        }
        Value::Macro(definition) => {
            out.str(&format!("<Macro {}>", quoted(&definition.name)));
        }
        // Python prints addresses, which say nothing and change each time.
        Value::Method(method) => {
            out.str(&format!("<built-in method {} of {} object>", method.1, method.0.type_name()));
        }
        other => out.str(&format!("<{} object>", other.type_name())),
    }
    Ok(())
}

fn sequence(
    open: &str,
    items: &[Value],
    close: &str,
    depth: usize,
    out: &mut Builder,
) -> Result<()> {
    out.str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.str(", ");
        }
        write(item, depth + 1, out)?;
    }
    out.str(close);
    Ok(())
}
