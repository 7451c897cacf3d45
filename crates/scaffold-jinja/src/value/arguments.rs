//! What is passed to functions, filters, tests and methods.

use super::Value;
use crate::error::{Result, type_error};
use std::sync::Arc;

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Arc<str>, Value)>,
}

/// Arguments in the order of the parameters they were bound to.
pub(crate) struct Bound(Vec<Option<Value>>);

impl Bound {
    /// The argument of a parameter, if it was given.
    pub(crate) fn get(&mut self, index: usize) -> Option<Value> {
        self.0.get_mut(index).and_then(Option::take)
    }

    /// The argument of a parameter that must be given.
    pub(crate) fn need(&mut self, index: usize) -> Value {
        self.get(index).unwrap_or(Value::None)
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

impl Call {
    pub(crate) fn of(positional: Vec<Value>) -> Self {
        Call { positional, named: Vec::new() }
    }

    /// Binds to parameters that can be named, of which the first `required` must be given. `given`
    /// counts what comes before them, such as the value of a filter.
    pub(crate) fn bind(
        self,
        function: &str,
        parameters: &[&str],
        required: usize,
        given: usize,
    ) -> Result<Bound> {
        if self.positional.len() > parameters.len() {
            let (most, least) = (parameters.len() + given, required + given);
            let takes = if most == least {
                format!("{most} positional argument{}", plural(most))
            } else {
                format!("from {least} to {most} positional arguments")
            };
            return Err(type_error(format!(
                "{function}() takes {takes} but {} were given",
                self.positional.len() + given
            )));
        }
        let mut bound: Vec<Option<Value>> = self.positional.into_iter().map(Some).collect();
        bound.resize(parameters.len(), None);
        for (name, value) in self.named {
            let Some(at) = parameters.iter().position(|parameter| **parameter == *name) else {
                return Err(type_error(format!(
                    "{function}() got an unexpected keyword argument '{name}'"
                )));
            };
            if bound[at].is_some() {
                return Err(type_error(format!(
                    "{function}() got multiple values for argument '{name}'"
                )));
            }
            bound[at] = Some(value);
        }
        let missing: Vec<String> = (0..required)
            .filter(|&at| bound[at].is_none())
            .map(|at| format!("'{}'", parameters[at]))
            .collect();
        if !missing.is_empty() {
            return Err(type_error(format!(
                "{function}() missing {} required positional argument{}: {}",
                missing.len(),
                plural(missing.len()),
                missing.join(" and ")
            )));
        }
        Ok(Bound(bound))
    }

    /// Binds to parameters that cannot be named.
    pub(crate) fn bind_positional(
        self,
        function: &str,
        least: usize,
        most: usize,
    ) -> Result<Bound> {
        if !self.named.is_empty() {
            return Err(type_error(format!("{function}() takes no keyword arguments")));
        }
        let count = self.positional.len();
        if count < least || count > most {
            let expected = if least == most {
                match least {
                    0 => "no arguments".to_owned(),
                    1 => "exactly one argument".to_owned(),
                    _ => format!("exactly {least} arguments"),
                }
            } else if count < least {
                format!("at least {least} argument{}", plural(least))
            } else {
                format!("at most {most} argument{}", plural(most))
            };
            return Err(type_error(format!("{function}() takes {expected} ({count} given)")));
        }
        let mut bound: Vec<Option<Value>> = self.positional.into_iter().map(Some).collect();
        bound.resize(most, None);
        Ok(Bound(bound))
    }
}
