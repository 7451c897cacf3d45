//! Values that a schema names: `enum`, `const`, bounds.

use scaffold_error::Error;
use serde_json::{Number, Value};

use super::place::Place;

/// Whole numbers up to here are exact in all readers of JSON, and in the arithmetic of bounds.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;

/// Checks that a value of an `enum` or a `const` can be written as it is.
pub(super) fn check(value: &Value, place: &Place) -> Result<(), Error> {
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) => bound(number, place).map(|_| ()),
        Value::String(text) => check_text(text, place),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| check(item, &place.at(index)))
        }
        Value::Object(object) => {
            object.iter().try_for_each(|(key, item)| check(item, &place.at(key)))
        }
    }
}

/// Checks a string that is to be written.
fn check_text(text: &str, place: &Place) -> Result<(), Error> {
    const ESCAPED: [char; 5] = ['\n', '\r', '\t', '\u{8}', '\u{c}'];
    let strange = |c: &char| c.is_ascii_control() && !ESCAPED.contains(c);
    match text.chars().find(strange) {
        None => Ok(()),
        Some(c) => Err(place.wrong(format!(
            "has a string with the control character U+{:04X}, which answers do not write: leave it out",
            c as u32
        ))),
    }
}

/// A number as bounds are computed: one that is not exact in that is refused.
pub(super) fn bound(number: &Number, place: &Place) -> Result<f64, Error> {
    let value = number.as_f64().filter(|value| value.is_finite());
    let whole = number.is_i64() || number.is_u64();
    match value {
        Some(value) if value.abs() < EXACT => {
            let digits = format!("{value}");
            // Beyond that the patterns of numbers are not exact.
            if whole || digits.len() <= 24 {
                return Ok(value);
            }
            Err(place.wrong(format!(
                "has the number {number}, whose digits are too many for a bound: {} at most are accepted",
                24
            )))
        }
        _ => Err(place.wrong(format!(
            "has the number {number}, which is too large to be exact: numbers below 2^53 are accepted"
        ))),
    }
}

/// A count: a whole number that is not negative.
pub(super) fn count(value: &Value, place: &Place) -> Result<u64, Error> {
    let whole = value.as_u64().or_else(|| {
        let value = value.as_f64()?;
        (value >= 0.0 && value.fract() == 0.0 && value < EXACT).then_some(value as u64)
    });
    whole.ok_or_else(|| place.wrong(format!("is {value}, and has to be a whole number from 0 up")))
}
