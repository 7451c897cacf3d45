//! Filters of numbers.

use super::path::Path;
use crate::ast::Binary;
use crate::error::{Result, runtime_error, type_error};
use crate::number::{self, Number};
use crate::state::State;
use crate::value::{Call, Value, index};
use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed, Zero};

pub(super) fn apply(state: &State, name: &str, value: &Value, call: Call) -> Result<Value> {
    match name {
        "abs" => {
            call.bind_positional("abs", 0, 0)?;
            match Number::of(value) {
                Some(Number::Float(value)) => Ok(Value::Float(value.abs())),
                Some(number) => Ok(Value::from(number.big().unwrap_or_default().abs())),
                None => {
                    Err(type_error(format!("bad operand type for abs(): '{}'", value.type_name())))
                }
            }
        }
        "int" => int(value, call),
        "float" => {
            let default = call.bind("do_float", &["default"], 0, 1)?.get(0);
            if let Value::Undefined(undefined) = value {
                return Err(undefined.error());
            }
            let default = default.unwrap_or(Value::Float(0.0));
            match (Number::of(value), value.as_str()) {
                (Some(number), _) => number.float().map(Value::Float),
                (None, Some(text)) => Ok(number::parse_float(text).map_or(default, Value::Float)),
                (None, None) => Ok(default),
            }
        }
        "round" => round(value, call),
        "sum" => sum(state, value, call),
        _ => file_size(value, call),
    }
}

fn int(value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("do_int", &["default", "base"], 0, 1)?;
    let default = args.get(0).unwrap_or(Value::Int(0));
    let base = match args.get(1).as_ref().map(Number::of) {
        None => Some(10),
        Some(Some(Number::Int(base))) => u32::try_from(base).ok(),
        Some(_) => None,
    };
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    match (Number::of(value), value.as_str()) {
        (Some(Number::Float(float)), _) if float.is_nan() => Ok(default),
        (Some(Number::Float(float)), _) => number::truncate(float).map(Value::from),
        (Some(number), _) => Ok(Value::from(number.big().unwrap_or_default())),
        (None, Some(text)) => Ok(base
            .and_then(|base| number::parse_int(text, base))
            .or_else(|| number::parse_float(text).and_then(|float| number::truncate(float).ok()))
            .map_or(default, Value::from)),
        (None, None) => Ok(default),
    }
}

fn round(value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("do_round", &["precision", "method"], 0, 1)?;
    let precision = args.get(0).unwrap_or(Value::Int(0));
    let method = args.get(1).unwrap_or_else(|| Value::str("common"));
    let method = method.as_str().unwrap_or_default();
    if !["common", "ceil", "floor"].contains(&method) {
        return Err(runtime_error("method must be common, ceil or floor"));
    }
    let Some(number) = Number::of(value) else {
        return Err(type_error(format!(
            "type {} doesn't define __round__ method",
            value.type_name()
        )));
    };
    if method == "common" {
        if let (Value::None, Number::Float(float)) = (&precision, &number) {
            return number::truncate(float.round_ties_even()).map(Value::from);
        }
        let digits = match &precision {
            Value::None => 0,
            value => index(value)?,
        };
        return Ok(match number {
            Number::Float(float) => Value::Float(round_float(float, digits)),
            whole => Value::from(round_whole(&whole.big().unwrap_or_default(), digits)),
        });
    }
    let digits = index(&precision)?;
    let scale = 10f64.powi(digits.clamp(-400, 400) as i32);
    let scaled = number.float()? * scale;
    if !scaled.is_finite() {
        return number::truncate(scaled).map(Value::from);
    }
    let rounded = if method == "ceil" { scaled.ceil() } else { scaled.floor() };
    // Python rounds to whole numbers here, which have no negative zero.
    Ok(Value::Float(if rounded == 0.0 { 0.0 } else { rounded / scale }))
}

/// The nearest float with so many digits after the point; halves, which are seldom exact, go to
/// even digits.
fn round_float(value: f64, digits: i64) -> f64 {
    if !value.is_finite() || digits > 330 {
        return value;
    }
    if digits >= 0 {
        return format!("{value:.*}", digits as usize).parse().unwrap_or(value);
    }
    if digits < -330 {
        return 0.0_f64.copysign(value);
    }
    let whole = BigInt::from_f64(value.trunc()).unwrap_or_default();
    let unit = BigInt::from(10).pow((-digits) as u32);
    let (quotient, rest) = number::divide_floor(&whole.abs(), &unit);
    let twice = rest * 2u32;
    let half = twice == unit && value.fract() == 0.0;
    let up = if half { quotient.bit(0) } else { twice >= unit };
    let rounded = (quotient + BigInt::from(u8::from(up))) * unit;
    let rounded: f64 = rounded.to_string().parse().unwrap_or(value);
    rounded.copysign(value)
}

fn round_whole(value: &BigInt, digits: i64) -> BigInt {
    if digits >= 0 {
        return value.clone();
    }
    if digits < -5000 {
        return BigInt::zero();
    }
    let unit = BigInt::from(10).pow((-digits) as u32);
    let (quotient, rest) = number::divide_floor(value, &unit);
    let twice = rest * 2u32;
    let up = twice > unit || (twice == unit && quotient.bit(0));
    (quotient + BigInt::from(u8::from(up))) * unit
}

fn sum(state: &State, value: &Value, call: Call) -> Result<Value> {
    let mut args = call.bind("do_sum", &["attribute", "start"], 0, 2)?;
    let path = args.get(0).filter(|path| !matches!(path, Value::None));
    let mut total = args.get(1).unwrap_or(Value::Int(0));
    if matches!(total, Value::Str(_)) {
        return Err(type_error("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    for item in value.items(&state.budget)? {
        let item = match &path {
            Some(path) => Path::of(path).get(state, &item, None)?,
            None => item,
        };
        total = state.binary(Binary::Add, &total, &item)?;
        state.budget.step(1)?;
    }
    Ok(total)
}

fn file_size(value: &Value, call: Call) -> Result<Value> {
    let binary = call.bind("do_filesizeformat", &["binary"], 0, 1)?.get(0);
    let binary = binary.is_some_and(|binary| binary.truth());
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    let bytes = match (Number::of(value), value.as_str()) {
        (Some(number), _) => number.float()?,
        (None, Some(text)) => number::parse_float(text).ok_or_else(|| {
            crate::error::value_error(format!("could not convert string to float: '{text}'"))
        })?,
        (None, None) => {
            return Err(type_error(format!(
                "float() argument must be a string or a real number, not '{}'",
                value.type_name()
            )));
        }
    };
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok(Value::str("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::str(format!("{} Bytes", bytes.trunc())));
    }
    let prefixes = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut unit = base;
    for (index, prefix) in prefixes.iter().enumerate() {
        unit *= base;
        if bytes < unit || index + 1 == prefixes.len() {
            let prefix = match (binary, *prefix) {
                (true, "k") => "Ki".to_owned(),
                (true, prefix) => format!("{prefix}i"),
                (false, prefix) => prefix.to_owned(),
            };
            return Ok(Value::str(format!("{:.1} {prefix}B", base * bytes / unit)));
        }
    }
    Ok(Value::str(""))
}
