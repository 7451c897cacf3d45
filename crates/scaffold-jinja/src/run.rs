//! Running a template.

mod access;
mod arguments;
mod expression;
mod frame;
pub(crate) mod loops;
pub(crate) mod macros;
mod operators;
mod statement;

pub(crate) use arguments::Call;
pub(crate) use frame::Frame;

use crate::ast::Scope;
use crate::budget::{Budget, Limits};
use crate::error::{Error, ErrorKind, Result};
use crate::globals::Global;
use crate::json::Json;
use crate::text::{Builder, Text};
use crate::time::DateTime;
use crate::value::{Dict, Key, Value};
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

/// How deep macros, loops and expressions may lie in each other while a template runs: near
/// Python's limit of 1,000 calls.
const DEEPEST: usize = 1500;

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

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) budget: Budget,
    pub(crate) now: DateTime,
    variables: Dict,
    blocks: Vec<(Arc<str>, Arc<Scope>)>,
    /// What the template has assigned outside of all scopes, for its blocks.
    exported: RefCell<Dict>,
    /// What holds itself in the end: scopes with macros that see them, and namespaces.
    closures: RefCell<Vec<Rc<Frame>>>,
    namespaces: RefCell<Vec<Rc<RefCell<Dict>>>>,
    pub(crate) autoescape: Cell<bool>,
    depth: Cell<usize>,
}

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
    let run = Run(Rc::new(State {
        budget: Budget::new(limits),
        now,
        variables: dict,
        blocks: crate::symbols::blocks(&template.body),
        exported: RefCell::default(),
        closures: RefCell::default(),
        namespaces: RefCell::default(),
        autoescape: Cell::new(false),
        depth: Cell::new(0),
    }));
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

    /// Keeps a scope that a macro sees, so that it can be emptied in the end.
    fn keep_closure(&self, frame: &Rc<Frame>) {
        self.closures.borrow_mut().push(frame.clone());
    }

    /// Keeps a namespace, so that it can be emptied in the end.
    pub(crate) fn keep_namespace(&self, names: &Rc<RefCell<Dict>>) {
        self.namespaces.borrow_mut().push(names.clone());
    }

    /// Empties what holds itself: counted references would keep it for ever.
    fn forget(&self) {
        self.exported.take();
        for frame in self.closures.borrow().iter() {
            frame.clear();
        }
        for names in self.namespaces.borrow().iter() {
            names.take();
        }
    }

    /// A variable of the caller, or a global function.
    fn variable(&self, name: &str) -> Option<Value> {
        if name == "self" {
            return Some(Value::Blocks);
        }
        if let Some(value) = self.exported.borrow().named(name) {
            return Some(value.clone());
        }
        if let Some(value) = self.variables.named(name) {
            return Some(value.clone());
        }
        Global::named(name).map(Value::Global)
    }

    fn export(&self, name: &str, value: Value) {
        self.exported.borrow_mut().insert(Key(Value::str(name)), value);
    }

    /// Runs something one level deeper.
    fn deeper<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        self.budget.step(1)?;
        let depth = self.depth.get();
        if depth >= DEEPEST {
            return Err(Error::new(ErrorKind::Recursion, "maximum recursion depth exceeded"));
        }
        self.depth.set(depth + 1);
        let result = run();
        self.depth.set(depth);
        result
    }

    /// `str(value)`, escaped where that is turned on.
    pub(crate) fn printed(&self, value: &Value) -> Result<Text> {
        if self.autoescape.get() {
            crate::filters::markup::escape(value, &self.budget)
        } else {
            value.text(&self.budget)
        }
    }

    pub(crate) fn builder(&self) -> Builder<'_> {
        Builder::new(&self.budget)
    }
}
