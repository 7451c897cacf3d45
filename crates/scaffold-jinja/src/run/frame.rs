//! Entering scopes, and assigning in them.

use crate::ast::{Load, Symbols, Target};
use crate::error::{Error, Result, runtime_error, type_error, value_error};
use crate::globals::check_namespace_name;
use crate::state::State;
use crate::value::{Frame, Key, Value};
use std::rc::Rc;

impl Frame {
    /// The scope of a template, or of a block in it.
    pub(crate) fn root(state: &State, symbols: &Symbols) -> Rc<Frame> {
        Self::enter(state, symbols, None)
    }

    /// A scope inside of another.
    pub(crate) fn inside(state: &State, symbols: &Symbols, around: &Rc<Frame>) -> Rc<Frame> {
        Self::enter(state, symbols, Some(around.clone()))
    }

    /// The scope of a block that sees the variables around it.
    pub(crate) fn scoped(state: &State, symbols: &Symbols, around: &Rc<Frame>) -> Rc<Frame> {
        let frame = Self::root(state, symbols);
        for (name, load) in &symbols.names {
            if *load == Load::Resolve
                && let Some(value) = around.get(name)
            {
                frame.put(name, value);
            }
        }
        frame
    }

    fn enter(state: &State, symbols: &Symbols, around: Option<Rc<Frame>>) -> Rc<Frame> {
        let names = symbols
            .names
            .iter()
            .map(|(name, load)| {
                let value = match load {
                    Load::Resolve => state.variable(name),
                    Load::Alias => around.as_ref().and_then(|around| around.get(name)),
                    Load::Parameter | Load::Undefined => None,
                };
                (name.clone(), value)
            })
            .collect();
        Frame::new(names, around)
    }

    /// Assigns to a name, to several from the parts of a value, or to a namespace's attribute.
    pub(crate) fn assign(&self, state: &State, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name) => {
                if self.is_outermost() {
                    state.export(name, value.clone());
                }
                self.put(name, value);
                Ok(())
            }
            Target::Attribute(name, attribute) => match self.get(name) {
                Some(Value::Namespace(names)) => {
                    check_namespace_name(attribute)?;
                    names.borrow_mut().insert(Key(Value::str(attribute.clone())), value);
                    Ok(())
                }
                _ => Err(not_a_namespace()),
            },
            Target::Tuple(targets) => {
                if !value.is_iterable() {
                    return Err(type_error(format!(
                        "cannot unpack non-iterable {} object",
                        value.type_name()
                    )));
                }
                let items = value.items(&state.budget)?;
                if items.len() > targets.len() {
                    return Err(value_error(format!(
                        "too many values to unpack (expected {})",
                        targets.len()
                    )));
                }
                if items.len() < targets.len() {
                    return Err(value_error(format!(
                        "not enough values to unpack (expected {}, got {})",
                        targets.len(),
                        items.len()
                    )));
                }
                targets
                    .iter()
                    .zip(items)
                    .try_for_each(|(target, item)| self.assign(state, target, item))
            }
        }
    }

    /// Refuses to assign to attributes of what is no namespace, before the value is computed.
    pub(crate) fn check_target(&self, target: &Target) -> Result<()> {
        match target {
            Target::Name(_) => Ok(()),
            Target::Attribute(name, _) => match self.get(name) {
                Some(Value::Namespace(_)) => Ok(()),
                _ => Err(not_a_namespace()),
            },
            Target::Tuple(targets) => {
                targets.iter().try_for_each(|target| self.check_target(target))
            }
        }
    }
}

fn not_a_namespace() -> Error {
    runtime_error("cannot assign attribute on non-namespace object")
}
