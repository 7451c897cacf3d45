//! Which values are equal, which is less, and which can be keys.

use super::{Value, View};
use crate::budget::Budget;
use crate::error::{Result, type_error};
use crate::number::Number;
use std::cmp::Ordering;
use std::rc::Rc;

impl Value {
    /// `a == b`
    pub(crate) fn equals(&self, other: &Value) -> bool {
        if let (Some(a), Some(b)) = (Number::of(self), Number::of(other)) {
            return a.compare(&b) == Some(Ordering::Equal);
        }
        match (self, other) {
            (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b) || all_equal(a, b),
            (Value::Tuple(_) | Value::Group(_), Value::Tuple(_) | Value::Group(_)) => {
                all_equal(&self.tuple_items(), &other.tuple_items())
            }
            (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b) || a.equals(b),
            (Value::View(a, View::Keys), Value::View(b, View::Keys)) => {
                a.len() == b.len() && a.keys().all(|key| b.get(key).is_some())
            }
            (Value::View(a, View::Items), Value::View(b, View::Items)) => a.equals(b),
            (Value::Range(a), Value::Range(b)) => {
                let count = a.len();
                count == b.len()
                    && (count == 0 || a.start == b.start && (count == 1 || a.step == b.step))
            }
            (a, b) => a.is(b),
        }
    }

    /// `a is b`, for what has one identity.
    pub(crate) fn is(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::None, Value::None) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            // Python keeps small whole numbers once.
            (Value::Int(a), Value::Int(b)) => a == b && (-5..=256).contains(a),
            (Value::Str(a), Value::Str(b)) => {
                a.as_str().as_ptr() == b.as_str().as_ptr() || a == b && a.as_str().len() <= 1
            }
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
                Rc::ptr_eq(a, b)
            }
            (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b),
            (Value::Iter(a), Value::Iter(b)) => Rc::ptr_eq(a, b),
            (Value::Namespace(a), Value::Namespace(b)) => Rc::ptr_eq(a, b),
            (Value::Loop(a), Value::Loop(b)) => Rc::ptr_eq(a, b),
            (Value::Macro(a), Value::Macro(b)) => Rc::ptr_eq(a, b),
            (Value::Cycler(a), Value::Cycler(b)) => Rc::ptr_eq(a, b),
            (Value::Joiner(a), Value::Joiner(b)) => Rc::ptr_eq(a, b),
            (Value::Global(a), Value::Global(b)) => a == b,
            (Value::Undefined(a), Value::Undefined(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// The order of two values for the operator `symbol`, paid for; nothing for numbers that have
    /// none.
    pub(crate) fn order(
        &self,
        other: &Value,
        symbol: &str,
        budget: &Budget,
    ) -> Result<Option<Ordering>> {
        budget.step(self.size().weight.min(other.size().weight))?;
        self.compare(other, symbol)
    }

    fn compare(&self, other: &Value, symbol: &str) -> Result<Option<Ordering>> {
        if let (Some(a), Some(b)) = (Number::of(self), Number::of(other)) {
            return Ok(a.compare(&b));
        }
        match (self, other) {
            (Value::Undefined(undefined), _) | (_, Value::Undefined(undefined)) => {
                Err(undefined.error())
            }
            (Value::Str(a), Value::Str(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
            (Value::List(a), Value::List(b)) => compare_items(a, b, symbol),
            (Value::Tuple(_) | Value::Group(_), Value::Tuple(_) | Value::Group(_)) => {
                compare_items(&self.tuple_items(), &other.tuple_items(), symbol)
            }
            _ => Err(type_error(format!(
                "'{symbol}' not supported between instances of '{}' and '{}'",
                self.type_name(),
                other.type_name()
            ))),
        }
    }

    /// `a == b`, paid for.
    pub(crate) fn is_equal(&self, other: &Value, budget: &Budget) -> Result<bool> {
        if self.is(other) {
            return Ok(true);
        }
        budget.step(self.size().weight.min(other.size().weight))?;
        Ok(self.equals(other))
    }

    /// Whether a container that holds this value holds the other: it is the same, or equal.
    pub(crate) fn is_same(&self, other: &Value, budget: &Budget) -> Result<bool> {
        Ok(self.is(other) || self.is_equal(other, budget)?)
    }

    /// Pays for using it as a key; an error if it cannot be one.
    pub(crate) fn hashable(&self, budget: &Budget) -> Result<()> {
        budget.step(self.size().weight)?;
        self.check_hashable()
    }

    fn check_hashable(&self) -> Result<()> {
        match self {
            Value::List(_) | Value::Dict(_) | Value::View(_, View::Keys | View::Items) => {
                Err(type_error(format!("unhashable type: '{}'", self.type_name())))
            }
            Value::Tuple(items) => items.iter().try_for_each(Value::check_hashable),
            Value::Group(pair) => pair.0.check_hashable().and(pair.1.check_hashable()),
            _ => Ok(()),
        }
    }
}

fn all_equal(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is(b) || a.equals(b))
}

fn compare_items(a: &[Value], b: &[Value], symbol: &str) -> Result<Option<Ordering>> {
    for (a, b) in a.iter().zip(b) {
        if !(a.is(b) || a.equals(b)) {
            return a.compare(b, symbol);
        }
    }
    Ok(Some(a.len().cmp(&b.len())))
}
