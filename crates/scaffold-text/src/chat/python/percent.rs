//! Python's `%`: the remainder of numbers, or a string with its values put in.

use super::methods::wrong;
use super::repr;
use minijinja::formatting::{FormatStyle, format};
use minijinja::value::ValueKind;
use minijinja::{Error, Value};

/// `left % right`
pub(crate) fn percent(left: &Value, right: &Value) -> Result<Value, Error> {
    match left.as_str() {
        Some(text) => filled(text, right).map(Value::from),
        None => remainder(left, right),
    }
}

/// A format string with its values. Values that are printed go through Python's `str` and `repr`; numbers are
/// formatted by minijinja.
fn filled(text: &str, right: &Value) -> Result<String, Error> {
    let values: Vec<Value> = if right.is_tuple() {
        right.try_iter()?.collect()
    } else {
        vec![right.clone()]
    };
    let mut values = values.into_iter();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let body = &rest[at + 1..];
        if let Some(after) = body.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (key, body) = match body.strip_prefix('(').and_then(|body| body.split_once(')')) {
            Some((key, body)) => (Some(key), body),
            None => (None, body),
        };
        let end = body
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or_else(|| wrong("incomplete format"))?;
        let (flags, conversion) = (&body[..end], &body[end..=end]);
        let value = match key {
            Some(key) => right.get_attr(key)?,
            None => values
                .next()
                .ok_or_else(|| wrong("not enough arguments for format string"))?,
        };
        let (conversion, value) = match conversion {
            "s" => ("s", Value::from(repr::str(&value).into_owned())),
            "r" | "a" => ("s", Value::from(repr::repr(&value))),
            _ => (conversion, value),
        };
        out.push_str(&format(
            FormatStyle::Printf,
            &format!("%{flags}{conversion}"),
            &[value],
        )?);
        rest = &body[end + 1..];
    }
    if values.next().is_some() && right.kind() != ValueKind::Map {
        return Err(wrong(
            "not all arguments converted during string formatting",
        ));
    }
    out.push_str(rest);
    Ok(out)
}

fn remainder(left: &Value, right: &Value) -> Result<Value, Error> {
    match (left.as_i64(), right.as_i64()) {
        (Some(_), Some(0)) => return Err(wrong("integer modulo by zero")),
        (Some(left), Some(right)) => {
            let rest = left.checked_rem(right).unwrap_or(0);
            let same_sign = rest == 0 || (rest < 0) == (right < 0);
            return Ok(Value::from(if same_sign { rest } else { rest + right }));
        }
        _ => {}
    }
    let number = |value: &Value| {
        f64::try_from(value.clone()).map_err(|_| {
            wrong(format!(
                "unsupported operand type(s) for %: '{}' and '{}'",
                left.kind(),
                right.kind()
            ))
        })
    };
    let (left, right) = (number(left)?, number(right)?);
    if right == 0.0 {
        return Err(wrong("float modulo"));
    }
    let rest = left % right;
    Ok(Value::from(
        if rest != 0.0 && (rest < 0.0) != (right < 0.0) {
            rest + right
        } else {
            rest
        },
    ))
}
