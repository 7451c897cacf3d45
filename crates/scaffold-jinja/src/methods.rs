//! The methods of Python's values.

mod affix;
mod case;
mod containers;
mod names;
mod numbers;
mod split;
mod string;

pub(crate) use case::{all_cased, capitalize, lower, upper};
pub(crate) use names::{changes, has};
pub(crate) use numbers::number_field;
pub(crate) use split::{lines, strip};

use crate::error::{Result, type_error};
use crate::state::State;
use crate::value::{Call, Value};

/// `object.name(…)`
pub(crate) fn call(state: &State, object: &Value, name: &str, call: Call) -> Result<Value> {
    match object {
        Value::Str(text) => {
            state.budget.step(text.as_str().len() as u64 / 64)?;
            string::call(state, text, name, call)
        }
        Value::Loop(turns) if name == "cycle" => turns.borrow().cycle(call),
        Value::Loop(turns) if name == "changed" => turns.borrow_mut().changed(call, &state.budget),
        Value::Cycler(cycler) if name == "next" => {
            let at = cycler.1.get();
            cycler.1.set((at + 1) % cycler.0.len());
            Ok(cycler.0[at].clone())
        }
        Value::Cycler(cycler) if name == "reset" => {
            cycler.1.set(0);
            Ok(Value::None)
        }
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {
            numbers::call(object, name, call)
        }
        _ => match containers::call(state, object, name, call)? {
            Some(value) => Ok(value),
            None => Err(type_error(format!(
                "'{}' objects have no method {name} here",
                object.type_name()
            ))),
        },
    }
}
