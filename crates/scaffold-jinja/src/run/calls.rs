//! Calls.

use super::Run;
use crate::error::{Result, type_error};
use crate::value::{Call, Value};
use crate::{globals, methods};

impl Run {
    /// `callee(…)`
    pub(crate) fn call(&self, callee: &Value, call: Call) -> Result<Value> {
        self.deeper(|| match callee {
            Value::Undefined(undefined) => Err(undefined.error()),
            Value::Macro(definition) => self.invoke(definition, call),
            Value::Block(body) => {
                call.bind_positional("BlockReference.__call__", 0, 0)?;
                self.block_text(body).map(Value::Str)
            }
            Value::Global(global) => globals::call(self, *global, call),
            Value::Method(method) => methods::call(self, &method.0, &method.1, call),
            Value::Joiner(joiner) => {
                call.bind_positional("Joiner.__call__", 0, 0)?;
                Ok(if joiner.1.replace(true) { joiner.0.clone() } else { Value::str("") })
            }
            Value::Loop(state) => {
                let items = call.bind_positional("LoopContext.__call__", 1, 1)?.need(0);
                let (statement, frame, depth) = state.borrow().recursion()?;
                let text = self.recursive_loop(&statement, &items, &frame, depth)?;
                Ok(Value::Str(text.with_safe(self.autoescape.get())))
            }
            _ => Err(type_error(format!("'{}' object is not callable", callee.type_name()))),
        })
    }
}
