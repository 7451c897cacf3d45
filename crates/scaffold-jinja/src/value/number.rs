//! Values as numbers, and numbers as values.

use super::Value;
use crate::error::{Result, arithmetic_error, type_error};
use crate::number::Number;
use num_bigint::BigInt;

impl Number {
    /// A value as a number, if it is one.
    pub(crate) fn of(value: &Value) -> Option<Number> {
        Some(match value {
            Value::Bool(value) => Number::Int(i64::from(*value)),
            Value::Int(value) => Number::Int(*value),
            Value::Big(value) => Number::Big(value.clone()),
            Value::Float(value) => Number::Float(*value),
            _ => return None,
        })
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        match value {
            Number::Int(value) => Value::Int(value),
            Number::Big(value) => Value::Big(value),
            Number::Float(value) => Value::Float(value),
        }
    }
}

impl From<BigInt> for Value {
    fn from(value: BigInt) -> Self {
        Value::from(Number::from(value))
    }
}

/// A whole number as an argument.
pub(crate) fn index(value: &Value) -> Result<i64> {
    match Number::of(value) {
        Some(Number::Int(value)) => Ok(value),
        Some(Number::Big(_)) => {
            Err(arithmetic_error("Python int too large to convert to C ssize_t"))
        }
        _ => Err(type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            value.type_name()
        ))),
    }
}
