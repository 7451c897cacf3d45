//! Macros, and the bodies of `call` blocks.

use super::{Frame, Value};
use crate::ast::MacroDef;
use std::rc::Rc;
use std::sync::Arc;

/// A macro and the scope that it was defined in.
#[derive(Debug)]
pub(crate) struct Macro {
    pub(crate) name: Arc<str>,
    pub(crate) definition: Arc<MacroDef>,
    pub(crate) frame: Rc<Frame>,
}

impl Macro {
    /// An attribute that templates can read.
    pub(crate) fn attribute(&self, name: &str) -> Option<Value> {
        let definition = &self.definition;
        Some(match name {
            "name" => Value::str(self.name.clone()),
            "arguments" => Value::tuple(
                definition.params.iter().map(|param| Value::str(param.clone())).collect(),
            ),
            "catch_kwargs" => Value::Bool(definition.uses_kwargs),
            "catch_varargs" => Value::Bool(definition.uses_varargs),
            "caller" => Value::Bool(definition.uses_caller),
            "explicit_caller" => Value::Bool(definition.params.iter().any(|p| &**p == "caller")),
            _ => return None,
        })
    }
}
