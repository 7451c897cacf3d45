//! `format.format(…)`

use super::spec;
use crate::error::{Result, type_error, value_error};
use crate::markup::escape_text;
use crate::quote::{quote, quoted};
use crate::state::State;
use crate::text::{Builder, Text};
use crate::value::{Call, Dict, Key, Value};
use std::rc::Rc;

/// How deep replacement fields may lie in specifications, as in Python.
const DEEPEST: usize = 2;

struct Fields<'a> {
    state: &'a State,
    positional: Vec<Value>,
    named: Value,
    /// The next field without a number; nothing once a number was given.
    next: Option<usize>,
    numbered: bool,
}

/// `text.format(…)`
pub(crate) fn braces(state: &State, text: &Text, call: Call) -> Result<Value> {
    let named = Value::Dict(Rc::new(Dict::of_named(call.named)));
    format(state, text, call.positional, named)
}

/// `text.format_map(map)`
pub(crate) fn braces_map(state: &State, text: &Text, map: Value) -> Result<Value> {
    format(state, text, Vec::new(), map)
}

fn format(state: &State, text: &Text, positional: Vec<Value>, named: Value) -> Result<Value> {
    let mut fields = Fields { state, positional, named, next: Some(0), numbered: false };
    let mut out = state.builder();
    fields.fill(text, DEEPEST, text.safe, &mut out)?;
    Ok(Value::Str(out.finish()?.with_safe(text.safe)))
}

impl Fields<'_> {
    fn fill(&mut self, text: &Text, depth: usize, safe: bool, out: &mut Builder) -> Result<()> {
        if depth == 0 {
            return Err(value_error("Max string recursion exceeded"));
        }
        let plain = text.as_str();
        let mut at = 0;
        while let Some(found) = plain[at..].find(['{', '}']) {
            out.slice(text, at..at + found);
            at += found;
            let brace = &plain[at..=at];
            if plain[at + 1..].starts_with(brace) {
                out.slice(text, at..at + 1);
                at += 2;
                continue;
            }
            if brace == "}" {
                return Err(value_error("Single '}' encountered in format string"));
            }
            let length = closing(&plain[at + 1..])?;
            let field = text.slice(at + 1..at + 1 + length);
            self.field(&field, depth, safe, out)?;
            at += length + 2;
        }
        out.slice(text, at..plain.len());
        Ok(())
    }

    /// `name!conversion:specification`
    fn field(&mut self, field: &Text, depth: usize, safe: bool, out: &mut Builder) -> Result<()> {
        let plain = field.as_str();
        let end = name_end(plain);
        let value = self.value(&plain[..end])?;
        let rest = &plain[end..];
        let (conversion, rest) = match rest.strip_prefix('!') {
            Some(rest) => {
                let Some(conversion) = rest.chars().next() else {
                    return Err(value_error(
                        "end of string while looking for conversion specifier",
                    ));
                };
                let rest = &rest[conversion.len_utf8()..];
                if !rest.is_empty() && !rest.starts_with(':') {
                    return Err(value_error("expected ':' after conversion specifier"));
                }
                (Some(conversion), rest)
            }
            None => (None, rest),
        };
        let value = self.converted(value, conversion)?;
        let start = plain.len() - rest.len() + usize::from(rest.starts_with(':'));
        let mut specification = self.state.builder();
        self.fill(
            &field.slice(start..plain.len()),
            depth - 1 + usize::from(start == plain.len()),
            false,
            &mut specification,
        )?;
        let specification = specification.finish()?;
        let shown = spec::format(self.state, &value, specification.as_str())?;
        if safe && !shown.safe {
            out.text(&escape_text(&shown, &self.state.budget)?);
        } else {
            out.text(&shown);
        }
        Ok(())
    }

    fn converted(&self, value: Value, conversion: Option<char>) -> Result<Value> {
        let budget = &self.state.budget;
        Ok(match conversion {
            None => value,
            Some('s') => Value::Str(value.text(budget)?),
            Some('r') => Value::Str(value.repr(budget)?),
            Some('a') => match &value {
                Value::Str(text) => {
                    let mut quoted = self.state.builder();
                    quote(text, true, &mut quoted);
                    Value::Str(quoted.finish()?)
                }
                other => Value::Str(other.repr(budget)?),
            },
            Some(other) => {
                return Err(value_error(format!("Unknown conversion specifier {other}")));
            }
        })
    }

    /// The value of `first.attribute[item]…`.
    fn value(&mut self, name: &str) -> Result<Value> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let mut value = self.first(&name[..end])?;
        let mut rest = &name[end..];
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    return Err(value_error("Empty attribute in format string"));
                }
                value = self.state.attribute(&value, &after[..end])?;
                rest = &after[end..];
            } else {
                let after = &rest[1..];
                let end =
                    after.find(']').ok_or_else(|| value_error("Missing ']' in format string"))?;
                if end == 0 {
                    return Err(value_error("Empty attribute in format string"));
                }
                let index = match after[..end].parse::<i64>() {
                    Ok(index) if after.as_bytes()[0].is_ascii_digit() => Value::Int(index),
                    _ => Value::str(&after[..end]),
                };
                value = self.state.item(&value, &index)?;
                rest = &after[end + 1..];
                if !rest.is_empty() && !rest.starts_with(['.', '[']) {
                    return Err(value_error(
                        "Only '.' or '[' may follow ']' in format field specifier",
                    ));
                }
            }
        }
        Ok(value)
    }

    fn first(&mut self, name: &str) -> Result<Value> {
        let at = if name.is_empty() {
            if self.numbered {
                return Err(value_error(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
            let at = self.next.unwrap_or(0);
            self.next = Some(at + 1);
            at
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            if self.next != Some(0) {
                return Err(value_error(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
            self.numbered = true;
            name.parse().map_err(|_| value_error("Too many decimal digits in format string"))?
        } else {
            let key = Key(Value::str(name));
            return match &self.named {
                Value::Dict(dict) => {
                    dict.get(&key).cloned().ok_or_else(|| value_error(quoted(name)))
                }
                other => {
                    Err(type_error(format!("'{}' object is not subscriptable", other.type_name())))
                }
            };
        };
        self.positional.get(at).cloned().ok_or_else(|| {
            value_error(format!("Replacement index {at} out of range for positional args tuple"))
        })
    }
}

/// Where the name of a field ends: before `!` or `:`, but not inside of brackets.
fn name_end(field: &str) -> usize {
    let mut in_brackets = false;
    for (at, c) in field.char_indices() {
        match c {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            '!' | ':' if !in_brackets => return at,
            _ => {}
        }
    }
    field.len()
}

/// Where the brace that was opened before a text is closed.
fn closing(text: &str) -> Result<usize> {
    let (mut open, mut in_brackets, mut in_name) = (0, false, true);
    for (at, c) in text.char_indices() {
        match c {
            '[' if in_name => in_brackets = true,
            ']' => in_brackets = false,
            ':' | '!' if !in_brackets => in_name = false,
            '{' if !in_brackets => open += 1,
            '}' if !in_brackets && open == 0 => return Ok(at),
            '}' if !in_brackets => open -= 1,
            _ => {}
        }
    }
    Err(value_error(if text.is_empty() {
        "Single '{' encountered in format string"
    } else {
        "expected '}' before end of string"
    }))
}
