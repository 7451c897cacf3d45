//! Running a template.

mod calls;
mod expression;
mod frame;
mod loops;
mod macros;
mod statement;

use crate::ast::Scope;
use crate::budget::Limits;
use crate::error::Result;
use crate::json::Json;
use crate::state::State;
use crate::text::Text;
use crate::time::DateTime;
use crate::value::{Dict, Frame, Key, Value};
use std::ops::Deref;
use std::rc::Rc;

/// A variable for a template.
#[derive(Clone, Debug)]
pub struct Variable {
    /// What the template calls it.
    pub name: String,
    /// What it is.
    pub value: Json,
    /// Whether text from it is marked in the rendering, wherever the template takes it.
    pub marked: bool,
}

/// A rendering under way.
#[derive(Clone, Debug)]
pub(crate) struct Run(Rc<State>);

impl Deref for Run {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

/// Renders a template.
pub(crate) fn render(
    template: &Scope,
    variables: &[Variable],
    now: DateTime,
    limits: Limits,
) -> Result<Text> {
    let mut dict = Dict::default();
    for variable in variables {
        let value = Value::from_json(&variable.value, variable.marked);
        dict.insert(Key(Value::str(variable.name.as_str())), value);
    }
    let run = Run(Rc::new(State::new(template, dict, now, limits)));
    let result = run.whole(template);
    run.forget();
    result
}

impl Run {
    fn whole(&self, template: &Scope) -> Result<Text> {
        let mut out = self.builder();
        let frame = Frame::root(self, &template.symbols);
        self.body(&template.body, &frame, &mut out)?;
        out.finish()
    }
}
