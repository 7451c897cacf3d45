//! Fields and methods of numbers.

use crate::error::{Result, arithmetic_error, type_error, value_error};
use crate::number::Number;
use crate::value::{Call, Value};
use num_bigint::BigInt;

/// A field of a number.
pub(crate) fn number_field(value: &Value, name: &str) -> Option<Value> {
    let number = Number::of(value)?;
    let whole = |value: BigInt| Value::from(value);
    Some(match (name, number.big()) {
        ("real" | "numerator", Some(value)) => whole(value),
        ("imag", Some(_)) => Value::Int(0),
        ("denominator", Some(_)) => Value::Int(1),
        ("real", None) => value.clone(),
        ("imag", None) => Value::Float(0.0),
        _ => return None,
    })
}

pub(super) fn call(value: &Value, name: &str, call: Call) -> Result<Value> {
    call.bind_positional(name, 0, 0)?;
    let number = Number::of(value).unwrap_or(Number::Int(0));
    Ok(match (name, number.big(), &number) {
        ("conjugate", Some(whole), _) => Value::from(whole),
        ("conjugate", None, _) => value.clone(),
        ("bit_length", Some(whole), _) => Value::Int(whole.bits() as i64),
        ("bit_count", Some(whole), _) => {
            let ones: u32 = whole.iter_u64_digits().map(u64::count_ones).sum();
            Value::Int(i64::from(ones))
        }
        ("as_integer_ratio", Some(whole), _) => {
            Value::tuple(vec![Value::from(whole), Value::Int(1)])
        }
        ("is_integer", None, Number::Float(float)) => {
            Value::Bool(float.is_finite() && float.fract() == 0.0)
        }
        ("as_integer_ratio", None, Number::Float(float)) => ratio(*float)?,
        ("hex", None, Number::Float(float)) => Value::str(hex(*float)),
        _ => return Err(type_error(format!("numbers have no method {name} here"))),
    })
}

fn ratio(float: f64) -> Result<Value> {
    if float.is_nan() {
        return Err(value_error("cannot convert NaN to integer ratio"));
    }
    if float.is_infinite() {
        return Err(arithmetic_error("cannot convert Infinity to integer ratio"));
    }
    let (mantissa, exponent, negative) = parts(float);
    let shift = mantissa.trailing_zeros().min(63) as i32;
    let (mantissa, exponent) =
        if mantissa == 0 { (0, 0) } else { (mantissa >> shift, exponent + shift) };
    let mut top = BigInt::from(mantissa);
    let mut bottom = BigInt::from(1);
    if exponent >= 0 {
        top <<= exponent as u32;
    } else {
        bottom <<= (-exponent) as u32;
    }
    if negative {
        top = -top;
    }
    Ok(Value::tuple(vec![Value::from(top), Value::from(bottom)]))
}

/// A float as `mantissa * 2^exponent`.
fn parts(float: f64) -> (u64, i32, bool) {
    let bits = float.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 {
        (fraction, -1074, float.is_sign_negative())
    } else {
        (fraction | 1 << 52, exponent - 1075, float.is_sign_negative())
    }
}

fn hex(float: f64) -> String {
    if !float.is_finite() {
        return crate::number::float(float);
    }
    let bits = float.to_bits();
    let sign = if float.is_sign_negative() { "-" } else { "" };
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    if float == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let (lead, exponent) = if exponent == 0 { (0, -1022) } else { (1, exponent - 1023) };
    format!("{sign}0x{lead}.{fraction:013x}p{exponent:+}")
}
