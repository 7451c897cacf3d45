//! How large values are: templates can make small ones that are deep or take long to go through.

use super::Value;
use std::ops::Deref;

/// The size of a value with all that it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Values that lie in each other.
    pub(crate) depth: usize,
    /// Steps that it takes to go through it once, where the same part counts as often as it is met.
    pub(crate) weight: u64,
}

impl Size {
    /// The size of what holds this and another value.
    pub(crate) fn with(self, value: &Value) -> Self {
        let size = value.size();
        Size {
            depth: self.depth.max(size.depth + 1),
            weight: self.weight.saturating_add(size.weight),
        }
    }

    fn of_all<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let empty = Size { depth: 1, weight: 1 };
        values.into_iter().fold(empty, Size::with)
    }
}

/// Values in a row with their size.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    values: Vec<Value>,
    size: Size,
}

impl Items {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Items { size: Size::of_all(&values), values }
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }
}

impl Deref for Items {
    type Target = Vec<Value>;

    fn deref(&self) -> &Vec<Value> {
        &self.values
    }
}

impl Value {
    /// Steps that it takes to look at a text once; 1 for what is no text.
    pub(crate) fn text_cost(&self) -> u64 {
        match self {
            Value::Str(_) => self.size().weight,
            _ => 1,
        }
    }

    pub(crate) fn size(&self) -> Size {
        match self {
            Value::Str(text) => Size { depth: 0, weight: 1 + text.as_str().len() as u64 / 64 },
            Value::Big(value) => Size { depth: 0, weight: 1 + value.bits() / 64 },
            Value::List(items) | Value::Tuple(items) => items.size(),
            Value::Group(pair) => Size::of_all([&pair.0, &pair.1]),
            Value::Dict(dict) | Value::View(dict, _) => dict.size(),
            Value::Cycler(cycler) => cycler.0.size(),
            Value::Joiner(joiner) => Size::of_all([&joiner.0]),
            Value::Method(method) => Size::of_all([&method.0]),
            Value::Iter(iter) => iter.borrow().size(),
            Value::Loop(state) => state.borrow().size(),
            // A namespace changes and is emptied when the rendering ends.
            _ => Size { depth: 0, weight: 1 },
        }
    }
}
