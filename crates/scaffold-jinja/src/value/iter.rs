//! Going through values.

use super::{Items, Size, Value, View};
use crate::budget::Budget;
use crate::error::{Error, Result, type_error};
use std::collections::VecDeque;

/// What a generator still has to give. Its items are computed when it is made; an error among them
/// is kept until its turn comes, so that what nobody asks for fails nobody.
#[derive(Debug, Default)]
pub(crate) struct Iter {
    items: VecDeque<Value>,
    error: Option<Error>,
    size: Size,
    /// Its type.
    pub(crate) name: &'static str,
}

impl Iter {
    pub(crate) fn new(name: &'static str, items: impl IntoIterator<Item = Value>) -> Self {
        let items = Items::new(items.into_iter().collect());
        Iter { size: items.size(), items: items.to_vec().into(), error: None, name }
    }

    /// A generator: `each` gives its items one after the other, up to the first error.
    pub(crate) fn generator(each: impl FnOnce(&mut Vec<Value>) -> Result<()>) -> Value {
        let mut items = Vec::new();
        let error = each(&mut items).err();
        Value::iter(Iter { error, ..Iter::new("generator", items) })
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    pub(crate) fn next(&mut self) -> Result<Option<Value>> {
        match self.items.pop_front() {
            Some(item) => Ok(Some(item)),
            None => self.error.take().map_or(Ok(None), Err),
        }
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> Result<Vec<Value>> {
        let items = std::mem::take(&mut self.items).into();
        self.error.take().map_or(Ok(items), Err)
    }

    /// What is left, an error included, without taking it.
    fn left(&mut self) -> Source {
        Source::Items(std::mem::take(&mut self.items).into(), 0, self.error.take())
    }
}

/// A value that is being gone through.
#[derive(Debug)]
pub(crate) enum Source {
    /// Items, the next one, and what comes after them.
    Items(Vec<Value>, usize, Option<Error>),
    Value(Value, usize),
    /// Items that are computed when they are asked for.
    Lazy(Box<dyn Pull>),
}

/// Gives one item after the other.
pub(crate) trait Pull: std::fmt::Debug {
    fn next(&mut self) -> Result<Option<Value>>;

    /// The size of what they come from.
    fn size(&self) -> Size;
}

impl Value {
    /// Whether `iter(value)` works.
    pub(crate) fn is_iterable(&self) -> bool {
        matches!(
            self,
            Value::Undefined(_)
                | Value::Str(_)
                | Value::List(_)
                | Value::Tuple(_)
                | Value::Group(_)
                | Value::Dict(_)
                | Value::View(..)
                | Value::Range(_)
                | Value::Iter(_)
                | Value::Loop(_)
        )
    }

    /// `iter(value)`, item by item.
    pub(crate) fn source(&self, budget: &Budget) -> Result<Source> {
        Ok(match self {
            Value::List(_) | Value::Tuple(_) | Value::Range(_) | Value::Iter(_) => {
                Source::Value(self.clone(), 0)
            }
            _ => Source::Items(self.items(budget)?, 0, None),
        })
    }

    /// `list(value)`
    pub(crate) fn items(&self, budget: &Budget) -> Result<Vec<Value>> {
        let items = match self {
            Value::Undefined(_) => Vec::new(),
            Value::Str(text) => {
                let mut items = Vec::new();
                budget.items(text.as_str().len())?;
                for (at, c) in text.as_str().char_indices() {
                    items.push(Value::Str(text.slice(at..at + c.len_utf8()).with_safe(false)));
                }
                return Ok(items);
            }
            Value::List(items) | Value::Tuple(items) => items.to_vec(),
            Value::Group(_) => self.tuple_items(),
            Value::Dict(dict) | Value::View(dict, View::Keys) => {
                dict.entries().map(|(key, _)| key.clone()).collect()
            }
            Value::View(dict, View::Values) => {
                dict.entries().map(|(_, value)| value.clone()).collect()
            }
            Value::View(dict, View::Items) => dict
                .entries()
                .map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()]))
                .collect(),
            Value::Range(range) => {
                budget.items(range.len())?;
                return Ok((0..range.len()).map(|index| range.get(index)).collect());
            }
            Value::Iter(iter) => iter.borrow_mut().rest()?,
            Value::Loop(state) => state.borrow_mut().rest()?,
            _ => {
                return Err(type_error(format!("'{}' object is not iterable", self.type_name())));
            }
        };
        budget.items(items.len())?;
        Ok(items)
    }
}

impl Source {
    /// The size of what is gone through, as far as it is there.
    pub(crate) fn size(&self) -> Size {
        match self {
            Source::Items(items, ..) => Items::new(items.clone()).size(),
            Source::Value(value, _) => value.size(),
            Source::Lazy(pull) => pull.size(),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Value>> {
        match self {
            Source::Items(items, at, error) => {
                *at += 1;
                match items.get(*at - 1) {
                    Some(item) => Ok(Some(item.clone())),
                    None => error.take().map_or(Ok(None), Err),
                }
            }
            Source::Lazy(pull) => pull.next(),
            Source::Value(value, at) => {
                *at += 1;
                Ok(match value {
                    Value::List(items) | Value::Tuple(items) => items.get(*at - 1).cloned(),
                    Value::Range(range) => (*at <= range.len()).then(|| range.get(*at - 1)),
                    Value::Iter(iter) => return iter.borrow_mut().next(),
                    _ => None,
                })
            }
        }
    }

    /// How many items there are in all, where that is known without going through them.
    pub(crate) fn length(&self) -> Option<usize> {
        match self {
            Source::Items(items, _, None) => Some(items.len()),
            Source::Value(Value::Iter(_), _) | Source::Items(..) | Source::Lazy(_) => None,
            Source::Value(value, _) => value.length().ok(),
        }
    }

    /// Takes all that is left of a generator, so that it can be counted; how many that are.
    pub(crate) fn collect(&mut self) -> Result<usize> {
        match self {
            Source::Value(Value::Iter(iter), _) => {
                let left = iter.borrow_mut().left();
                *self = left;
            }
            Source::Lazy(pull) => {
                let mut items = Vec::new();
                while let Some(item) = pull.next()? {
                    items.push(item);
                }
                *self = Source::Items(items, 0, None);
            }
            _ => {}
        }
        match self {
            Source::Items(items, at, error) => match error.take() {
                Some(error) => Err(error),
                None => Ok(items.len().saturating_sub(*at)),
            },
            Source::Value(value, at) => Ok(value.length()?.saturating_sub(*at)),
            Source::Lazy(_) => Ok(0),
        }
    }
}
