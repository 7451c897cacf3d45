//! Operators.

use crate::ast::Binary;
use crate::error::{Error, Result, arithmetic_error, type_error};
use crate::format::percent;
use crate::markup::{escape, escape_text};
use crate::number::{self, Number};
use crate::state::State;
use crate::text::Text;
use crate::value::{Key, Value, View};
use num_bigint::BigInt;

impl State {
    pub(crate) fn binary(&self, operator: Binary, left: &Value, right: &Value) -> Result<Value> {
        if let (Binary::Remainder, Value::Str(format)) = (operator, left) {
            return percent(self, format, right);
        }
        if let Value::Undefined(undefined) = left {
            return Err(undefined.error());
        }
        if let Value::Undefined(undefined) = right {
            return Err(undefined.error());
        }
        if let (Some(a), Some(b)) = (Number::of(left), Number::of(right)) {
            return self.arithmetic(operator, &a, &b);
        }
        match operator {
            Binary::Add => self.add(left, right),
            Binary::Multiply => self.repeat(left, right),
            _ => Err(unsupported(symbol(operator), left, right)),
        }
    }

    fn arithmetic(&self, operator: Binary, a: &Number, b: &Number) -> Result<Value> {
        if let (Number::Int(a), Number::Int(b)) = (a, b) {
            let small = match operator {
                Binary::Add => a.checked_add(*b),
                Binary::Subtract => a.checked_sub(*b),
                Binary::Multiply => a.checked_mul(*b),
                _ => None,
            };
            if let Some(value) = small {
                return Ok(Value::Int(value));
            }
        }
        let divides = matches!(operator, Binary::Divide | Binary::FloorDivide | Binary::Remainder);
        let whole = a.big().zip(b.big());
        if divides && b.is_zero() {
            return Err(arithmetic_error(match (operator, whole.is_some()) {
                (Binary::Divide, true) => "division by zero",
                (Binary::Divide, false) => "float division by zero",
                (Binary::FloorDivide, true) => "integer division or modulo by zero",
                (Binary::FloorDivide, false) => "float floor division by zero",
                (_, true) => "integer modulo by zero",
                (_, false) => "float modulo",
            }));
        }
        if operator == Binary::Power {
            return number::power(a, b, &self.budget).map(Value::from);
        }
        if let Some((a, b)) = whole {
            self.budget.take((a.bits() + b.bits()) as usize / 8)?;
            // What multiplies and divides goes over one number for each part of the other.
            self.budget.step((a.bits() / 64).saturating_mul(b.bits() / 64) / 64)?;
            return Ok(match operator {
                Binary::Add => Value::from(a + b),
                Binary::Subtract => Value::from(a - b),
                Binary::Multiply => Value::from(product(&a, &b)?),
                Binary::Divide => Value::Float(number::divide_true(&a, &b)?),
                Binary::FloorDivide => Value::from(number::divide_floor(&a, &b).0),
                _ => Value::from(number::divide_floor(&a, &b).1),
            });
        }
        let (a, b) = (a.float()?, b.float()?);
        Ok(Value::Float(match operator {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
            Binary::FloorDivide => number::divide_floor_float(a, b).0,
            _ => number::divide_floor_float(a, b).1,
        }))
    }

    fn add(&self, left: &Value, right: &Value) -> Result<Value> {
        let wrong = |kind: &str| {
            type_error(format!(
                "can only concatenate {kind} (not \"{}\") to {kind}",
                right.type_name()
            ))
        };
        match (left, right) {
            (Value::Str(a), Value::Str(b)) => self.joined(a, b).map(Value::Str),
            (Value::List(a), Value::List(b)) => {
                self.budget.items(a.len() + b.len())?;
                Ok(Value::list(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Value::Tuple(_) | Value::Group(_), Value::Tuple(_) | Value::Group(_)) => {
                let mut items = left.tuple_items();
                items.extend(right.tuple_items());
                self.budget.items(items.len())?;
                Ok(Value::tuple(items))
            }
            (Value::Str(_), _) => Err(wrong("str")),
            (Value::List(_), _) => Err(wrong("list")),
            (Value::Tuple(_), _) => Err(wrong("tuple")),
            _ => Err(unsupported("+", left, right)),
        }
    }

    /// Two texts as one; markup escapes what is none.
    fn joined(&self, a: &Text, b: &Text) -> Result<Text> {
        let safe = a.safe || b.safe;
        let mut out = self.builder();
        for part in [a, b] {
            if safe && !part.safe {
                out.text(&escape_text(part, &self.budget)?);
            } else {
                out.text(part);
            }
        }
        Ok(out.finish()?.with_safe(safe))
    }

    fn repeat(&self, left: &Value, right: &Value) -> Result<Value> {
        let sequence = |value: &Value| {
            matches!(value, Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Group(_))
        };
        let (value, times) = if sequence(left) {
            (left, right)
        } else if sequence(right) {
            (right, left)
        } else {
            return Err(unsupported("*", left, right));
        };
        let times = match Number::of(times) {
            Some(Number::Int(times)) => usize::try_from(times).unwrap_or(0),
            Some(Number::Big(_)) => {
                return Err(arithmetic_error("cannot fit 'int' into an index-sized integer"));
            }
            _ => {
                return Err(type_error(format!(
                    "can't multiply sequence by non-int of type '{}'",
                    times.type_name()
                )));
            }
        };
        if let Value::Str(text) = value {
            self.budget.take(text.as_str().len().saturating_mul(times))?;
            let mut out = self.builder();
            out.repeat(text, times);
            return Ok(Value::Str(out.finish()?.with_safe(text.safe)));
        }
        let items = value.items(&self.budget)?;
        self.budget.items(items.len().saturating_mul(times))?;
        let repeated = items.iter().cloned().cycle().take(items.len() * times).collect();
        Ok(match value {
            Value::List(_) => Value::list(repeated),
            _ => Value::tuple(repeated),
        })
    }

    /// `a ~ b ~ …`
    pub(crate) fn concatenated(&self, parts: &[Value]) -> Result<Value> {
        let markup = self.autoescape.get()
            && parts.iter().any(|part| matches!(part, Value::Str(text) if text.safe));
        let mut out = self.builder();
        for part in parts {
            if markup {
                out.text(&escape(part, &self.budget)?);
            } else {
                out.text(&part.text(&self.budget)?);
            }
        }
        Ok(Value::Str(out.finish()?.with_safe(markup)))
    }

    /// `item in container`
    pub(crate) fn contains(&self, container: &Value, item: &Value) -> Result<bool> {
        match container {
            Value::Str(text) => match item {
                Value::Str(part) => {
                    self.budget.step(container.size().weight)?;
                    Ok(text.as_str().contains(part.as_str()))
                }
                _ => Err(type_error(format!(
                    "'in <string>' requires string as left operand, not {}",
                    item.type_name()
                ))),
            },
            Value::Dict(dict) | Value::View(dict, View::Keys) => {
                item.hashable(&self.budget)?;
                Ok(dict.get(&Key(item.clone())).is_some())
            }
            Value::Range(range) => Ok(match Number::of(item) {
                Some(number) => (0..range.len()).any(|index| {
                    Number::of(&range.get(index)).is_some_and(|value| {
                        value.compare(&number) == Some(std::cmp::Ordering::Equal)
                    })
                }),
                None => false,
            }),
            Value::Iter(iter) => {
                while let Some(next) = iter.borrow_mut().next()? {
                    if next.is_same(item, &self.budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ if container.is_iterable() => {
                let items = container.items(&self.budget)?;
                for found in &items {
                    if found.is_same(item, &self.budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Err(type_error(format!(
                "argument of type '{}' is not iterable",
                container.type_name()
            ))),
        }
    }
}

/// `-value` and `+value`
pub(crate) fn signed(value: &Value, negative: bool) -> Result<Value> {
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    match Number::of(value) {
        Some(Number::Float(value)) => Ok(Value::Float(if negative { -value } else { value })),
        Some(number) => {
            let value = number.big().unwrap_or_default();
            Ok(Value::from(if negative { -value } else { value }))
        }
        None => Err(type_error(format!(
            "bad operand type for unary {}: '{}'",
            if negative { '-' } else { '+' },
            value.type_name()
        ))),
    }
}

/// What is multiplied to more digits than any template needs only costs time.
fn product(a: &BigInt, b: &BigInt) -> Result<BigInt> {
    if a.bits() + b.bits() > number::MOST_BITS {
        return Err(arithmetic_error("the product is too large"));
    }
    Ok(a * b)
}

fn symbol(operator: Binary) -> &'static str {
    match operator {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::FloorDivide => "//",
        Binary::Remainder => "%",
        Binary::Power => "** or pow()",
    }
}

fn unsupported(symbol: &str, left: &Value, right: &Value) -> Error {
    type_error(format!(
        "unsupported operand type(s) for {symbol}: '{}' and '{}'",
        left.type_name(),
        right.type_name()
    ))
}
