//! Python's values, as far as a template can meet them.

mod arguments;
mod compare;
mod dict;
mod frame;
mod global;
pub(crate) mod iter;
mod loops;
mod macros;
mod number;
mod repr;
mod size;

pub(crate) use arguments::Call;
pub(crate) use dict::{Dict, Key};
pub(crate) use frame::Frame;
pub(crate) use global::Global;
pub(crate) use iter::Iter;
pub(crate) use loops::Loop;
pub(crate) use macros::Macro;
pub(crate) use number::index;
pub(crate) use size::{Items, Size};

use crate::ast::Scope;
use crate::error::{Error, ErrorKind, Result, type_error};
use crate::json::Json;
use crate::quote::quoted;
use crate::text::Text;
use num_bigint::BigInt;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A value in a template. Lists and dictionaries never change: Jinja2's sandbox forbids it.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Undefined(Rc<Undefined>),
    None,
    Bool(bool),
    Int(i64),
    /// Whole numbers beyond 64 bits.
    Big(Rc<BigInt>),
    Float(f64),
    Str(Text),
    List(Rc<Items>),
    Tuple(Rc<Items>),
    /// A pair from `groupby`: a tuple whose parts have names.
    Group(Rc<(Value, Value)>),
    Dict(Rc<Dict>),
    View(Rc<Dict>, View),
    Range(Range),
    /// A generator or iterator: it can be gone through once.
    Iter(Rc<RefCell<Iter>>),
    Namespace(Rc<RefCell<Dict>>),
    Loop(Rc<RefCell<Loop>>),
    Macro(Rc<Macro>),
    /// `self`: the blocks of the template by their names.
    Blocks,
    Block(Arc<Scope>),
    /// A function that every template has.
    Global(Global),
    /// A method of a value.
    Method(Rc<(Value, String)>),
    Cycler(Rc<(Items, std::cell::Cell<usize>)>),
    Joiner(Rc<(Value, std::cell::Cell<bool>)>),
}

/// Which part of a dictionary a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Keys,
    Values,
    Items,
}

/// `range(start, stop, step)`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) step: i64,
}

impl Range {
    pub(crate) fn len(&self) -> usize {
        let (start, stop, step) =
            (i128::from(self.start), i128::from(self.stop), i128::from(self.step));
        let count = if step > 0 {
            (stop - start + step - 1) / step
        } else {
            (start - stop - step - 1) / -step
        };
        usize::try_from(count.max(0)).unwrap_or(usize::MAX)
    }

    pub(crate) fn get(&self, index: usize) -> Value {
        let value = i128::from(self.start) + i128::from(self.step) * index as i128;
        Value::Int(value as i64)
    }
}

/// Something that is not there. It can be printed, tested and gone through; anything else is an
/// error that says what is missing.
#[derive(Clone, Debug)]
pub(crate) struct Undefined {
    pub(crate) message: String,
    /// Reached against the sandbox's rules.
    pub(crate) unsafe_access: bool,
}

impl Undefined {
    pub(crate) fn error(&self) -> Error {
        let kind = if self.unsafe_access { ErrorKind::Security } else { ErrorKind::Undefined };
        Error::new(kind, self.message.clone())
    }
}

impl Value {
    /// A variable, attribute or item that is not there.
    pub(crate) fn undefined(message: impl Into<String>) -> Value {
        Value::Undefined(Rc::new(Undefined { message: message.into(), unsafe_access: false }))
    }

    pub(crate) fn missing_name(name: &str) -> Value {
        Value::undefined(format!("'{name}' is undefined"))
    }

    pub(crate) fn unsafe_attribute(object: &Value, name: &str) -> Value {
        Value::Undefined(Rc::new(Undefined {
            message: format!(
                "access to attribute {} of '{}' object is unsafe.",
                quoted(name),
                object.type_name()
            ),
            unsafe_access: true,
        }))
    }

    pub(crate) fn str(text: impl Into<Arc<str>>) -> Value {
        Value::Str(Text::new(text))
    }

    pub(crate) fn list(items: Vec<Value>) -> Value {
        Value::List(Rc::new(Items::new(items)))
    }

    pub(crate) fn tuple(items: Vec<Value>) -> Value {
        Value::Tuple(Rc::new(Items::new(items)))
    }

    pub(crate) fn iter(iter: Iter) -> Value {
        Value::Iter(Rc::new(RefCell::new(iter)))
    }

    /// Data from outside. Its texts are marked if `marked` says so; the keys of objects are like
    /// texts.
    pub(crate) fn from_json(json: &Json, marked: bool) -> Value {
        let text = |text: &str| {
            if marked { Text::marked(text) } else { Text::new(text) }
        };
        match json {
            Json::Null => Value::None,
            Json::Bool(value) => Value::Bool(*value),
            Json::Int(value) => Value::from(value.clone()),
            Json::Float(value) => Value::Float(*value),
            Json::String(value) => Value::Str(text(value)),
            Json::Array(items) => {
                Value::list(items.iter().map(|item| Value::from_json(item, marked)).collect())
            }
            Json::Object(entries) => {
                let mut dict = Dict::default();
                for (key, value) in entries {
                    dict.insert(Key(Value::Str(text(key))), Value::from_json(value, marked));
                }
                Value::Dict(Rc::new(dict))
            }
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    /// `type(value).__name__`
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Big(_) => "int",
            Value::Float(_) => "float",
            Value::Str(text) if text.safe => "Markup",
            Value::Str(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Group(_) => "_GroupTuple",
            Value::Dict(_) => "dict",
            Value::View(_, View::Keys) => "dict_keys",
            Value::View(_, View::Values) => "dict_values",
            Value::View(_, View::Items) => "dict_items",
            Value::Range(_) => "range",
            Value::Iter(iter) => iter.borrow().name,
            Value::Namespace(_) => "TemplateNamespace",
            Value::Loop(_) => "LoopContext",
            Value::Macro(_) => "Macro",
            Value::Blocks => "TemplateReference",
            Value::Block(_) => "BlockReference",
            Value::Global(_) => "function",
            Value::Method(_) => "builtin_function_or_method",
            Value::Cycler(_) => "Cycler",
            Value::Joiner(_) => "Joiner",
        }
    }

    /// What an undefined attribute's message calls the value.
    pub(crate) fn described(&self) -> String {
        match self {
            Value::None => "None".to_owned(),
            Value::Loop(_) | Value::Macro(_) | Value::Blocks | Value::Block(_) => {
                format!("jinja2.runtime.{} object", self.type_name())
            }
            Value::Cycler(_) | Value::Joiner(_) => {
                format!("jinja2.utils.{} object", self.type_name())
            }
            Value::Namespace(_) => {
                format!("transformers.utils.chat_template_utils.{} object", self.type_name())
            }
            Value::Group(_) => "jinja2.filters._GroupTuple object".to_owned(),
            Value::Str(text) if text.safe => "markupsafe.Markup object".to_owned(),
            Value::Undefined(_) => "jinja2.runtime.Undefined object".to_owned(),
            _ => format!("{} object", self.type_name()),
        }
    }

    /// `bool(value)`
    pub(crate) fn truth(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Str(text) => !text.as_str().is_empty(),
            Value::List(items) | Value::Tuple(items) => !items.is_empty(),
            Value::Dict(dict) | Value::View(dict, _) => !dict.is_empty(),
            Value::Range(range) => range.len() > 0,
            // Its length counts, and a loop that runs has items.
            _ => true,
        }
    }

    /// `len(value)`
    pub(crate) fn length(&self) -> Result<usize> {
        Ok(match self {
            Value::Undefined(_) => 0,
            Value::Str(text) => text.as_str().chars().count(),
            Value::List(items) | Value::Tuple(items) => items.len(),
            Value::Group(_) => 2,
            Value::Dict(dict) | Value::View(dict, _) => dict.len(),
            Value::Range(range) => range.len(),
            Value::Loop(state) => state.borrow_mut().length()?,
            _ => {
                return Err(type_error(format!(
                    "object of type '{}' has no len()",
                    self.type_name()
                )));
            }
        })
    }

    /// The items of a tuple.
    pub(crate) fn tuple_items(&self) -> Vec<Value> {
        match self {
            Value::Tuple(items) => items.to_vec(),
            Value::Group(pair) => vec![pair.0.clone(), pair.1.clone()],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_python_s_lengths() {
        let len = |start, stop, step| Range { start, stop, step }.len();
        assert_eq!((len(0, 5, 2), len(5, 0, -2), len(5, 0, 1)), (3, 3, 0));
        assert_eq!(len(i64::MIN, i64::MAX, 1), usize::MAX);
    }

    #[test]
    fn numbers_of_different_kinds_are_equal_and_keys_too() {
        assert!(Value::Bool(true).equals(&Value::Float(1.0)));
        let mut dict = Dict::default();
        dict.insert(Key(Value::Int(1)), Value::None);
        assert!(dict.get(&Key(Value::Float(1.0))).is_some());
        assert!(dict.get(&Key(Value::Bool(true))).is_some());
        assert!(dict.get(&Key(Value::str("1"))).is_none());
    }
}
