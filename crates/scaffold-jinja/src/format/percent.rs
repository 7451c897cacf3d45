//! `format % values`

use super::number;
use crate::change::justify;
use crate::error::{Result, arithmetic_error, type_error, value_error};
use crate::markup::escape_text;
use crate::number::Number;
use crate::quote::{quote, quoted};
use crate::state::State;
use crate::text::{Builder, Text};
use crate::value::{Key, Value};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

/// What stands between `%` and the conversion.
#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// The values that have not been used yet.
struct Values<'a> {
    list: Vec<Value>,
    next: usize,
    all: &'a Value,
}

impl Values<'_> {
    fn take(&mut self) -> Result<Value> {
        self.next += 1;
        self.list
            .get(self.next - 1)
            .cloned()
            .ok_or_else(|| type_error("not enough arguments for format string"))
    }
}

/// A text with values in the places that it marks with `%`.
pub(crate) fn percent(state: &State, format: &Text, values: &Value) -> Result<Value> {
    let plain = format.as_str();
    let mut given = Values {
        list: match values {
            Value::Tuple(_) | Value::Group(_) => values.tuple_items(),
            other => vec![other.clone()],
        },
        next: 0,
        all: values,
    };
    let mut out = state.builder();
    let mut named = false;
    let mut at = 0;
    while let Some(found) = plain[at..].find('%') {
        out.slice(format, at..at + found);
        at += found + 1;
        if plain[at..].starts_with('%') {
            out.str("%");
            at += 1;
            continue;
        }
        let mut spec = Spec::default();
        let mut value = None;
        if plain[at..].starts_with('(') {
            let end = closing(&plain[at..]).ok_or_else(|| value_error("incomplete format key"))?;
            let key = format.slice(at + 1..at + end);
            let Value::Dict(dict) = given.all else {
                return Err(type_error("format requires a mapping"));
            };
            value = Some(
                dict.get(&Key(Value::Str(key.clone())))
                    .cloned()
                    .ok_or_else(|| value_error(quoted(key.as_str())))?,
            );
            named = true;
            at += end + 1;
        }
        at += read_spec(&plain[at..], &mut spec, &mut given)?;
        let Some(conversion) = plain[at..].chars().next() else {
            return Err(value_error("incomplete format"));
        };
        let place = plain[..at].chars().count();
        at += conversion.len_utf8();
        let value = match value {
            Some(value) => value,
            None => given.take()?,
        };
        state.budget.take(spec.width.saturating_add(spec.precision.unwrap_or(0)))?;
        convert(state, conversion, place, &spec, &value, format.safe, &mut out)?;
    }
    out.slice(format, at..plain.len());
    let unused = given.next < given.list.len();
    if unused && !named && !is_mapping(given.all) {
        return Err(type_error("not all arguments converted during string formatting"));
    }
    Ok(Value::Str(out.finish()?.with_safe(format.safe)))
}

/// What has items and is no text or tuple may be left unused.
fn is_mapping(value: &Value) -> bool {
    matches!(value, Value::Dict(_) | Value::List(_) | Value::Range(_) | Value::Undefined(_))
}

/// Where the parenthesis that opens a text is closed.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open == 1 => return Some(at),
            ')' => open -= 1,
            _ => {}
        }
    }
    None
}

/// Reads flags, width, precision and length, and gives how long they are.
fn read_spec(text: &str, spec: &mut Spec, values: &mut Values) -> Result<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(flag) = bytes.get(at) {
        match flag {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.alternate = true,
            b'0' => spec.zero = true,
            _ => break,
        }
        at += 1;
    }
    let mut number = |at: &mut usize| -> Result<Option<i64>> {
        if bytes.get(*at) == Some(&b'*') {
            *at += 1;
            return match Number::of(&values.take()?) {
                Some(Number::Int(value)) => Ok(Some(value)),
                _ => Err(type_error("* wants int")),
            };
        }
        let digits = bytes[*at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(None);
        }
        let value = text[*at..*at + digits].parse::<i32>();
        *at += digits;
        value.map(|value| Some(i64::from(value))).map_err(|_| value_error("width too big"))
    };
    if let Some(width) = number(&mut at)? {
        spec.left = spec.left || width < 0;
        spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    }
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let precision = number(&mut at)?.unwrap_or(0);
        spec.precision = Some(usize::try_from(precision).unwrap_or(0));
    }
    while matches!(bytes.get(at), Some(b'h' | b'l' | b'L')) {
        at += 1;
    }
    Ok(at)
}

fn convert(
    state: &State,
    conversion: char,
    place: usize,
    spec: &Spec,
    value: &Value,
    safe: bool,
    out: &mut Builder,
) -> Result<()> {
    match conversion {
        's' | 'r' | 'a' => {
            let text = match (conversion, value) {
                ('s', _) => value.text(&state.budget)?,
                ('r', _) => value.repr(&state.budget)?,
                (_, Value::Str(text)) => {
                    let mut quoted = state.builder();
                    quote(text, true, &mut quoted);
                    quoted.finish()?
                }
                _ => value.repr(&state.budget)?,
            };
            let text = match spec.precision {
                Some(most) => {
                    let end = text.as_str().char_indices().nth(most);
                    text.slice(0..end.map_or(text.as_str().len(), |(at, _)| at))
                }
                None => text,
            };
            let text = if safe && !text.safe { escape_text(&text, &state.budget)? } else { text };
            pad(state, &text, spec, out)
        }
        'c' => {
            let text = match value {
                Value::Str(text) if text.as_str().chars().count() == 1 => text.clone(),
                other => {
                    let code = Number::of(other).and_then(|number| number.big());
                    let code = code.ok_or_else(|| type_error("%c requires int or char"))?;
                    let c = code.to_u32().and_then(char::from_u32);
                    let c = c.ok_or_else(|| arithmetic_error("%c arg not in range(0x110000)"))?;
                    Text::new(c.to_string())
                }
            };
            pad(state, &text, spec, out)
        }
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let value = whole(conversion, value)?;
            let mut digits = number::whole(&value, conversion);
            if let Some(precision) = spec.precision {
                digits = "0".repeat(precision.saturating_sub(digits.len())) + &digits;
            }
            let prefix = match conversion {
                'x' if spec.alternate => "0x",
                'X' if spec.alternate => "0X",
                'o' if spec.alternate => "0o",
                _ => "",
            };
            signed(state, value.is_negative(), prefix, &digits, spec, out)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let value = real(value)?;
            let precision = spec.precision.unwrap_or(6);
            let digits = number::float(value, conversion, precision, spec.alternate);
            let negative = value.is_sign_negative() && !value.is_nan();
            signed(state, negative, "", &digits, spec, out)
        }
        other => Err(value_error(format!(
            "unsupported format character '{other}' (0x{:x}) at index {place}",
            other as u32
        ))),
    }
}

fn whole(conversion: char, value: &Value) -> Result<BigInt> {
    let kind = if "xXo".contains(conversion) { "an integer" } else { "a real number" };
    match Number::of(value) {
        Some(Number::Float(float)) if kind == "a real number" => crate::number::truncate(float),
        Some(number) if number.big().is_some() => Ok(number.big().unwrap_or_default()),
        _ => Err(type_error(format!(
            "%{conversion} format: {kind} is required, not {}",
            value.type_name()
        ))),
    }
}

fn real(value: &Value) -> Result<f64> {
    match (Number::of(value), value) {
        (Some(number), _) => number.float(),
        (None, Value::Undefined(undefined)) => Err(undefined.error()),
        (None, _) => Err(type_error(format!("must be real number, not {}", value.type_name()))),
    }
}

fn signed(
    state: &State,
    negative: bool,
    prefix: &str,
    digits: &str,
    spec: &Spec,
    out: &mut Builder,
) -> Result<()> {
    let sign = match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    };
    let taken = sign.len() + prefix.len() + digits.len();
    if spec.zero && !spec.left {
        let zeros = "0".repeat(spec.width.saturating_sub(taken));
        return pad(state, &Text::new(format!("{sign}{prefix}{zeros}{digits}")), spec, out);
    }
    pad(state, &Text::new(format!("{sign}{prefix}{digits}")), spec, out)
}

fn pad(state: &State, text: &Text, spec: &Spec, out: &mut Builder) -> Result<()> {
    let method = if spec.left { "ljust" } else { "rjust" };
    let width = spec.width.to_i64().unwrap_or(0);
    out.text(&justify(state, text, method, width, None)?);
    Ok(())
}
