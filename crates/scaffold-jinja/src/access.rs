//! Attributes, items and slices, within the rules of Jinja2's sandbox.

use crate::budget::{Budget, Limits};
use crate::error::{Result, type_error, value_error};
use crate::methods;
use crate::number::Number;
use crate::quote::quoted;
use crate::state::State;
use crate::value::{Key, Range, Value};

/// Attributes that values of Python have for its own use and templates may not touch.
const INTERNAL: [&str; 73] = [
    "__abs__",
    "__add__",
    "__bool__",
    "__call__",
    "__ceil__",
    "__class__",
    "__class_getitem__",
    "__closure__",
    "__code__",
    "__contains__",
    "__delattr__",
    "__delitem__",
    "__dict__",
    "__dir__",
    "__divmod__",
    "__doc__",
    "__eq__",
    "__float__",
    "__floor__",
    "__floordiv__",
    "__format__",
    "__func__",
    "__ge__",
    "__getattribute__",
    "__getitem__",
    "__getnewargs__",
    "__getstate__",
    "__globals__",
    "__gt__",
    "__hash__",
    "__iadd__",
    "__imul__",
    "__index__",
    "__init__",
    "__init_subclass__",
    "__int__",
    "__invert__",
    "__ior__",
    "__iter__",
    "__le__",
    "__len__",
    "__lt__",
    "__mod__",
    "__module__",
    "__mul__",
    "__name__",
    "__ne__",
    "__neg__",
    "__new__",
    "__or__",
    "__pos__",
    "__pow__",
    "__qualname__",
    "__radd__",
    "__reduce__",
    "__reduce_ex__",
    "__repr__",
    "__reversed__",
    "__rmod__",
    "__rmul__",
    "__ror__",
    "__round__",
    "__self__",
    "__setattr__",
    "__setitem__",
    "__sizeof__",
    "__str__",
    "__sub__",
    "__subclasshook__",
    "__truediv__",
    "__trunc__",
    "__weakref__",
    "__wrapped__",
];

impl State {
    /// `object.name`: the attribute, else the item.
    pub(crate) fn attribute(&self, object: &Value, name: &str) -> Result<Value> {
        if let Some(value) = self.own_attribute(object, name)? {
            return Ok(value);
        }
        if let Some(value) = self.own_item(object, &Value::str(name))? {
            return Ok(value);
        }
        Ok(missing(object, &Value::str(name)))
    }

    /// `object[index]`: the item, else the attribute.
    pub(crate) fn item(&self, object: &Value, index: &Value) -> Result<Value> {
        if let Value::Undefined(undefined) = object {
            return Err(undefined.error());
        }
        if let Some(value) = self.own_item(object, index)? {
            return Ok(value);
        }
        if let Some(name) = index.as_str()
            && let Some(value) = self.own_attribute(object, name)?
        {
            return Ok(value);
        }
        Ok(missing(object, index))
    }

    /// An attribute in Python's sense: a method, or a field of what has fields.
    pub(crate) fn own_attribute(&self, object: &Value, name: &str) -> Result<Option<Value>> {
        if INTERNAL.contains(&name) {
            return Ok(Some(Value::unsafe_attribute(object, name)));
        }
        let field = match object {
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::Namespace(names) => return Ok(names.borrow().named(name).cloned()),
            Value::Loop(state) => state.borrow_mut().attribute(name)?,
            Value::Macro(definition) => definition.attribute(name),
            Value::Blocks => self.block(name).map(Value::Block),
            Value::Group(pair) => match name {
                "grouper" => Some(pair.0.clone()),
                "list" => Some(pair.1.clone()),
                _ => None,
            },
            Value::Cycler(cycler) => match name {
                "current" => Some(cycler.0[cycler.1.get()].clone()),
                "pos" => Some(Value::Int(cycler.1.get() as i64)),
                "items" => Some(Value::tuple(cycler.0.to_vec())),
                _ => None,
            },
            Value::Joiner(joiner) => match name {
                "sep" => Some(joiner.0.clone()),
                "used" => Some(Value::Bool(joiner.1.get())),
                _ => None,
            },
            Value::Range(range) => match name {
                "start" => Some(Value::Int(range.start)),
                "stop" => Some(Value::Int(range.stop)),
                "step" => Some(Value::Int(range.step)),
                _ => None,
            },
            Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {
                methods::number_field(object, name)
            }
            _ => None,
        };
        if field.is_some() {
            return Ok(field);
        }
        if methods::changes(object, name) {
            return Ok(Some(Value::unsafe_attribute(object, name)));
        }
        Ok(methods::has(object, name)
            .then(|| Value::Method(std::rc::Rc::new((object.clone(), name.to_owned())))))
    }

    /// An item in Python's sense.
    fn own_item(&self, object: &Value, index: &Value) -> Result<Option<Value>> {
        let number = match Number::of(index) {
            Some(Number::Int(index)) => Some(index),
            _ => None,
        };
        let place = |length: usize| {
            let index = number?;
            let index = if index < 0 { index + length as i64 } else { index };
            usize::try_from(index).ok().filter(|&index| index < length)
        };
        Ok(match object {
            Value::Dict(dict) => match index.hashable(&self.budget) {
                Ok(()) => dict.get(&Key(index.clone())).cloned(),
                Err(_) => None,
            },
            Value::List(items) | Value::Tuple(items) => {
                place(items.len()).map(|index| items[index].clone())
            }
            Value::Group(_) => place(2).map(|index| object.tuple_items().swap_remove(index)),
            Value::Range(range) => place(range.len()).map(|index| range.get(index)),
            Value::Str(text) if number.is_some() => {
                self.budget.step(text.as_str().len() as u64 / 64)?;
                let at = place(text.as_str().chars().count());
                at.and_then(|at| text.as_str().char_indices().nth(at))
                    .map(|(at, c)| Value::Str(text.slice(at..at + c.len_utf8())))
            }
            _ => None,
        })
    }

    /// `object[start:stop:step]`
    pub(crate) fn slice(&self, object: &Value, bounds: &[Value; 3]) -> Result<Value> {
        match object {
            Value::Str(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Group(_)
            | Value::Range(_) => {}
            Value::Undefined(undefined) => return Err(undefined.error()),
            Value::Dict(_) => return Err(type_error("unhashable type: 'slice'")),
            _ => {
                return Err(type_error(format!(
                    "'{}' object is not subscriptable",
                    object.type_name()
                )));
            }
        }
        self.budget.step(object.text_cost())?;
        let [start, stop, step] = [bound(&bounds[0])?, bound(&bounds[1])?, bound(&bounds[2])?];
        let step = step.unwrap_or(1);
        let indices = indices(object.length()?, start, stop, step)?;
        let places = places(indices, step);
        if let Value::Str(text) = object {
            let starts: Vec<usize> = text.as_str().char_indices().map(|(at, _)| at).collect();
            let end = |place: usize| starts.get(place + 1).copied().unwrap_or(text.as_str().len());
            if step == 1 {
                return Ok(Value::Str(match (places.first(), places.last()) {
                    (Some(&first), Some(&last)) => text.slice(starts[first]..end(last)),
                    _ => text.slice(0..0),
                }));
            }
            let mut out = self.builder();
            for place in places {
                out.slice(text, starts[place]..end(place));
            }
            return Ok(Value::Str(out.finish()?.with_safe(text.safe)));
        }
        if let Value::Range(range) = object {
            let at = |place: i64| range.start + place * range.step;
            return Ok(Value::Range(Range {
                start: at(indices.0),
                stop: at(indices.1),
                step: range.step * step,
            }));
        }
        let items = object.items(&self.budget)?;
        let taken = places.into_iter().map(|place| items[place].clone()).collect();
        Ok(match object {
            Value::List(_) => Value::list(taken),
            _ => Value::tuple(taken),
        })
    }
}

fn missing(object: &Value, name: &Value) -> Value {
    if let Some(name) = name.as_str() {
        return Value::undefined(format!(
            "{} has no attribute {}",
            quoted(&object.described()),
            quoted(name)
        ));
    }
    let budget = Budget::new(Limits::default());
    let index = name.repr(&budget);
    let index = index.as_ref().map_or("that", |text| text.as_str());
    Value::undefined(format!("{} has no element {index}", object.described()))
}

/// A bound of a slice.
fn bound(value: &Value) -> Result<Option<i64>> {
    match Number::of(value) {
        _ if matches!(value, Value::None) => Ok(None),
        Some(Number::Int(value)) => Ok(Some(value)),
        Some(Number::Big(value)) => Ok(Some(if value.sign() == num_bigint::Sign::Minus {
            i64::MIN / 2
        } else {
            i64::MAX / 2
        })),
        _ => Err(type_error("slice indices must be integers or None or have an __index__ method")),
    }
}

/// Where a slice of so many items begins and ends, as Python's `slice.indices` tells.
fn indices(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> Result<(i64, i64)> {
    if step == 0 {
        return Err(value_error("slice step cannot be zero"));
    }
    let length = length as i64;
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |bound: Option<i64>, absent: i64| match bound {
        None => absent,
        Some(bound) => {
            let bound = if bound < 0 { bound.saturating_add(length) } else { bound };
            bound.clamp(lowest, highest)
        }
    };
    Ok(if step > 0 {
        (place(start, lowest), place(stop, highest))
    } else {
        (place(start, highest), place(stop, lowest))
    })
}

/// The places that a slice takes.
fn places((mut at, stop): (i64, i64), step: i64) -> Vec<usize> {
    let mut out = Vec::new();
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        out.push(at as usize);
        at = at.saturating_add(step);
    }
    out
}
