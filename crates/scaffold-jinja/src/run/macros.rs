//! Calling macros, and the bodies of `call` blocks.

use super::Run;
use crate::ast::MacroDef;
use crate::error::{Result, type_error};
use crate::value::{Call, Dict, Frame, Macro, Value};
use std::rc::Rc;
use std::sync::Arc;

impl Macro {
    /// What was passed beyond the parameters: the macro's own if it asks for it, else an error.
    fn extra_arguments(
        &self,
        named: Vec<(Arc<str>, Value)>,
        positional: Vec<Value>,
        inside: &Rc<Frame>,
    ) -> Result<()> {
        let (definition, name) = (&self.definition, &self.name);
        if definition.uses_kwargs {
            inside.put("kwargs", Value::Dict(Rc::new(Dict::of_named(named))));
        } else if let Some((first, _)) = named.first() {
            if named.iter().any(|(name, _)| &**name == "caller") {
                return Err(type_error(format!(
                    "macro '{name}' was invoked with two values for the special caller argument. This is \
                     most likely a bug."
                )));
            }
            return Err(type_error(format!("macro '{name}' takes no keyword argument '{first}'")));
        }
        if definition.uses_varargs {
            inside.put("varargs", Value::tuple(positional));
        } else if !positional.is_empty() {
            return Err(type_error(format!(
                "macro '{name}' takes not more than {} argument(s)",
                definition.params.len()
            )));
        }
        Ok(())
    }
}

impl Run {
    /// What a macro writes.
    pub(crate) fn invoke(&self, target: &Rc<Macro>, mut call: Call) -> Result<Value> {
        let definition = &target.definition;
        let count = definition.params.len();
        let inside = Frame::inside(self, &definition.body.symbols, &target.frame);
        let extra = call.positional.split_off(count.min(call.positional.len()));
        let given = call.positional.len();
        let has_caller = definition.params.iter().any(|param| &**param == "caller");
        let mut found_caller = given == count && has_caller;
        for (param, value) in definition.params.iter().zip(call.positional) {
            inside.put(param, value);
        }
        for param in &definition.params[given..] {
            found_caller = found_caller || &**param == "caller";
            if let Some(at) = call.named.iter().position(|(name, _)| name == param) {
                inside.put(param, call.named.remove(at).1);
            }
        }
        if definition.uses_caller && !found_caller {
            let caller = match call.named.iter().position(|(name, _)| &**name == "caller") {
                Some(at) => call.named.remove(at).1,
                None => Value::undefined("No caller defined"),
            };
            inside.put("caller", caller);
        }
        target.extra_arguments(call.named, extra, &inside)?;
        self.defaults(definition, &inside)?;
        let mut out = self.builder();
        self.body(&definition.body.body, &inside, &mut out)?;
        Ok(Value::Str(out.finish()?.with_safe(self.autoescape.get())))
    }

    /// Gives the parameters that were not passed their defaults, which may use those before them.
    fn defaults(&self, definition: &MacroDef, inside: &Rc<Frame>) -> Result<()> {
        let without_default = definition.params.len() - definition.defaults.len();
        for (at, param) in definition.params.iter().enumerate() {
            if inside.get(param).is_none() {
                let value = match at.checked_sub(without_default) {
                    Some(at) => self.eval(&definition.defaults[at], inside)?,
                    None => Value::undefined(format!("parameter '{param}' was not provided")),
                };
                inside.put(param, value);
            }
        }
        Ok(())
    }
}
