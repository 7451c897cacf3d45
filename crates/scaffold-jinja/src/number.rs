//! Python's numbers: whole ones of any size, and how floats are written.

use crate::budget::Budget;
use crate::chars::{digit_value, is_space};
use crate::error::{Result, arithmetic_error, value_error};
use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::rc::Rc;

/// Digits that Python converts between text and whole numbers.
const MOST_DIGITS: usize = 4300;

/// The largest whole number that is computed: several times what Python prints.
pub(crate) const MOST_BITS: u64 = 1 << 16;

/// A number, with `True` and `False` as 1 and 0.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    Int(i64),
    Big(Rc<BigInt>),
    Float(f64),
}

impl Number {
    pub(crate) fn big(&self) -> Option<BigInt> {
        match self {
            Number::Int(value) => Some(BigInt::from(*value)),
            Number::Big(value) => Some(value.as_ref().clone()),
            Number::Float(_) => None,
        }
    }

    /// The nearest float; whole numbers beyond them are an error, as in Python.
    pub(crate) fn float(&self) -> Result<f64> {
        match self {
            Number::Int(value) => Ok(*value as f64),
            Number::Float(value) => Ok(*value),
            Number::Big(value) => value
                .to_f64()
                .filter(|value| value.is_finite())
                .ok_or_else(|| arithmetic_error("int too large to convert to float")),
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Number::Int(value) => *value == 0,
            Number::Big(value) => value.is_zero(),
            Number::Float(value) => *value == 0.0,
        }
    }

    /// The order of two numbers, exact; nothing where one is not a number.
    pub(crate) fn compare(&self, other: &Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => Some(a.cmp(b)),
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(b),
            (Number::Float(a), whole) => whole.compare_float(*a).map(Ordering::reverse),
            (whole, Number::Float(b)) => whole.compare_float(*b),
            (a, b) => Some(a.big()?.cmp(&b.big()?)),
        }
    }

    fn compare_float(&self, float: f64) -> Option<Ordering> {
        if float.is_nan() {
            return None;
        }
        if float.is_infinite() {
            return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
        }
        let whole = BigInt::from_f64(float.trunc())?;
        let rest = float.fract().partial_cmp(&0.0)?.reverse();
        Some(self.big()?.cmp(&whole).then(rest))
    }
}

impl From<BigInt> for Number {
    fn from(value: BigInt) -> Self {
        match value.to_i64() {
            Some(value) => Number::Int(value),
            None => Number::Big(Rc::new(value)),
        }
    }
}

/// The whole part of a float, as `int` gives it.
pub(crate) fn truncate(value: f64) -> Result<BigInt> {
    if value.is_nan() {
        return Err(value_error("cannot convert float NaN to integer"));
    }
    BigInt::from_f64(value.trunc())
        .ok_or_else(|| arithmetic_error("cannot convert float infinity to integer"))
}

/// A whole number from its digits, as `int(text, base)` reads it.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<BigInt> {
    let text = text.trim_matches(is_space);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = |prefix: &str| lower.strip_prefix(prefix).map(str::to_owned);
    let (base, digits) = match base {
        16 => (16, prefixed("0x").unwrap_or(lower)),
        8 => (8, prefixed("0o").unwrap_or(lower)),
        2 => (2, prefixed("0b").unwrap_or(lower)),
        0 => {
            if let Some(digits) = prefixed("0x") {
                (16, digits)
            } else if let Some(digits) = prefixed("0o") {
                (8, digits)
            } else if let Some(digits) = prefixed("0b") {
                (2, digits)
            } else if lower.starts_with('0') && !lower.trim_matches(['0', '_']).is_empty() {
                return None;
            } else {
                (10, lower)
            }
        }
        3..=7 | 9..=15 | 17..=36 => (base, lower),
        _ => return None,
    };
    let digits = digits.strip_prefix('_').filter(|_| base != 10).unwrap_or(&digits);
    let mut plain = String::with_capacity(digits.len());
    let mut after_digit = false;
    for c in digits.chars() {
        if c == '_' && after_digit {
            after_digit = false;
        } else {
            plain.push(digit_value(c).map_or(Some(c), |d| char::from_digit(d, 10))?);
            after_digit = true;
        }
    }
    if !after_digit || plain.len() > MOST_DIGITS {
        return None;
    }
    let value = BigInt::parse_bytes(plain.as_bytes(), base)?;
    Some(if negative { -value } else { value })
}

/// A float from its text, as `float(text)` reads it.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let ascii: String = text
        .chars()
        .map(|c| digit_value(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c))
        .collect();
    let lower = ascii.to_ascii_lowercase();
    match lower.trim_start_matches(['+', '-']) {
        "inf" | "infinity" | "nan" if lower.len() <= "infinity".len() + 1 => {
            let value = if lower.ends_with("nan") { f64::NAN } else { f64::INFINITY };
            return (lower.matches(['+', '-']).count() <= 1)
                .then(|| if lower.starts_with('-') { -value } else { value });
        }
        _ => {}
    }
    let bytes = lower.as_bytes();
    let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let underscores = bytes.iter().enumerate().all(|(at, &byte)| {
        byte != b'_' || (at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1)))
    });
    if !underscores || !bytes.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let plain: String = lower.chars().filter(|&c| c != '_').collect();
    plain
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte))
        .then(|| plain.parse().ok())
        .flatten()
}

/// `str` of a whole number.
pub(crate) fn int_text(value: &BigInt) -> Result<String> {
    // 4300 digits are 14285 bits; nearer to the limit the digits are counted.
    if value.bits() > 14_300 {
        return Err(value_error(format!(
            "Exceeds the limit ({MOST_DIGITS} digits) for integer string conversion"
        )));
    }
    let text = value.to_string();
    if text.trim_start_matches('-').len() > MOST_DIGITS {
        return Err(value_error(format!(
            "Exceeds the limit ({MOST_DIGITS} digits) for integer string conversion"
        )));
    }
    Ok(text)
}

/// `repr` of a float: the shortest digits that read back the same, with an exponent outside 1e-4 …
/// 1e16.
pub(crate) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    // Rust switches at the same sizes, and writes exponents without sign and padding.
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) =
                exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// A float as `json.dumps` writes it.
pub(crate) fn json_float(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        float(value)
    }
}

/// `a // b` and `a % b` of whole numbers.
pub(crate) fn divide_floor(a: &BigInt, b: &BigInt) -> (BigInt, BigInt) {
    let (quotient, rest) = (a / b, a % b);
    if !rest.is_zero() && (rest.is_negative() != b.is_negative()) {
        (quotient - 1, rest + b)
    } else {
        (quotient, rest)
    }
}

/// `a // b` and `a % b` of floats.
pub(crate) fn divide_floor_float(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0.0_f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), rest);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

/// `a / b` of whole numbers, rounded once.
pub(crate) fn divide_true(a: &BigInt, b: &BigInt) -> Result<f64> {
    const EXACT: u64 = 53;
    if a.bits() <= EXACT && b.bits() <= EXACT {
        return Ok(a.to_f64().unwrap_or(0.0) / b.to_f64().unwrap_or(1.0));
    }
    // 64 bits and more of the quotient, with what is left over remembered in the last one.
    let shift = b.bits() as i64 - a.bits() as i64 + 66;
    let (top, bottom) = if shift >= 0 {
        (a.abs() << shift as u64, b.abs())
    } else {
        (a.abs(), b.abs() << (-shift) as u64)
    };
    let quotient = &top / &bottom;
    let sticky = !(top % bottom).is_zero();
    let bits: BigInt = (quotient << 1u32) + BigInt::from(u8::from(sticky));
    let value =
        bits.to_f64().unwrap_or(f64::INFINITY) * 2f64.powi(-(shift + 1).clamp(-2000, 2000) as i32);
    if value.is_infinite() {
        return Err(arithmetic_error("integer division result too large for a float"));
    }
    Ok(if a.is_negative() != b.is_negative() { -value } else { value })
}

/// `a ** b`
pub(crate) fn power(a: &Number, b: &Number, budget: &Budget) -> Result<Number> {
    if let (Some(base), Some(exponent)) = (a.big(), b.big()) {
        if !exponent.is_negative() {
            let exponent = exponent
                .to_u32()
                .filter(|&exponent| {
                    base.bits().saturating_mul(u64::from(exponent)) <= MOST_BITS || base.bits() <= 1
                })
                .ok_or_else(|| arithmetic_error("the power is too large"))?;
            budget.step(base.bits().saturating_mul(u64::from(exponent)) / 8)?;
            return Ok(Number::from(base.pow(exponent)));
        }
        if base.is_zero() {
            return Err(arithmetic_error("0.0 cannot be raised to a negative power"));
        }
    }
    let (base, exponent) = (a.float()?, b.float()?);
    if base == 0.0 && exponent < 0.0 {
        return Err(arithmetic_error("0.0 cannot be raised to a negative power"));
    }
    if base < 0.0 && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(value_error("the power is a complex number, which templates cannot use here"));
    }
    let value = base.powf(exponent);
    if value.is_infinite() && base.is_finite() && exponent.is_finite() {
        return Err(arithmetic_error("(34, 'Numerical result out of range')"));
    }
    Ok(Number::Float(value))
}
