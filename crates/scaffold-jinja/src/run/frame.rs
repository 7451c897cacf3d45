//! The variables of a scope.

use super::Run;
use crate::ast::Target;
use crate::error::{Result, runtime_error, type_error, value_error};
use crate::symbols::{Load, Symbols};
use crate::value::{Key, Value};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A scope that has been entered. A name without a value is the scope's own all the same: see
/// [`crate::symbols`].
#[derive(Debug)]
pub(crate) struct Frame {
    names: RefCell<Vec<(Arc<str>, Option<Value>)>>,
    around: Option<Rc<Frame>>,
}

impl Frame {
    /// The scope of a template, or of a block in it.
    pub(crate) fn root(run: &Run, symbols: &Symbols) -> Rc<Frame> {
        Self::enter(run, symbols, None)
    }

    /// A scope inside of another.
    pub(crate) fn inside(run: &Run, symbols: &Symbols, around: &Rc<Frame>) -> Rc<Frame> {
        Self::enter(run, symbols, Some(around.clone()))
    }

    /// The scope of a block that sees the variables around it.
    pub(crate) fn scoped(run: &Run, symbols: &Symbols, around: &Rc<Frame>) -> Rc<Frame> {
        let frame = Self::root(run, symbols);
        for (name, load) in &symbols.names {
            if *load == Load::Resolve
                && let Some(value) = around.get(name)
            {
                frame.put(name, value);
            }
        }
        frame
    }

    fn enter(run: &Run, symbols: &Symbols, around: Option<Rc<Frame>>) -> Rc<Frame> {
        let names = symbols
            .names
            .iter()
            .map(|(name, load)| {
                let value = match load {
                    Load::Resolve => run.variable(name),
                    Load::Alias => around.as_ref().and_then(|around| around.get(name)),
                    Load::Parameter | Load::Undefined => None,
                };
                (name.clone(), value)
            })
            .collect();
        Rc::new(Frame { names: RefCell::new(names), around })
    }

    /// Forgets all values.
    pub(crate) fn clear(&self) {
        self.names.take();
    }

    /// The value of a name, if it has one.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let mut frame = self;
        loop {
            if let Some((_, value)) =
                frame.names.borrow().iter().find(|(known, _)| &**known == name)
            {
                return value.clone();
            }
            frame = frame.around.as_deref()?;
        }
    }

    /// Gives a name of this scope a value.
    pub(crate) fn put(&self, name: &str, value: Value) {
        let mut names = self.names.borrow_mut();
        match names.iter_mut().find(|(known, _)| &**known == name) {
            Some(entry) => entry.1 = Some(value),
            None => names.push((name.into(), Some(value))),
        }
    }

    /// Assigns to a name, to several from the parts of a value, or to a namespace's attribute.
    pub(crate) fn assign(&self, run: &Run, target: &Target, value: Value) -> Result<()> {
        match target {
            Target::Name(name) => {
                if self.around.is_none() {
                    run.export(name, value.clone());
                }
                self.put(name, value);
                Ok(())
            }
            Target::Attribute(name, attribute) => match self.get(name) {
                Some(Value::Namespace(names)) => {
                    crate::globals::check_namespace_name(attribute)?;
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
                let items = value.items(&run.budget)?;
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
                    .try_for_each(|(target, item)| self.assign(run, target, item))
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

fn not_a_namespace() -> crate::error::Error {
    runtime_error("cannot assign attribute on non-namespace object")
}
