//! The state of a rendering.

use crate::ast::Scope;
use crate::budget::{Budget, Limits};
use crate::error::{Error, ErrorKind, Result};
use crate::markup::escape;
use crate::symbols::blocks;
use crate::text::{Builder, Text};
use crate::time::DateTime;
use crate::value::{Dict, Frame, Global, Key, Value};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// How deep macros, loops and expressions may lie in each other while a template runs: near
/// Python's limit of 1,000 calls.
const DEEPEST: usize = 1500;

/// What a rendering under way has to spend, sees and has made: all but the template itself, which
/// [`crate::run`] goes through.
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

impl State {
    pub(crate) fn new(template: &Scope, variables: Dict, now: DateTime, limits: Limits) -> Self {
        State {
            budget: Budget::new(limits),
            now,
            variables,
            blocks: blocks(&template.body),
            exported: RefCell::default(),
            closures: RefCell::default(),
            namespaces: RefCell::default(),
            autoescape: Cell::new(false),
            depth: Cell::new(0),
        }
    }

    /// Keeps a scope that a macro sees, so that it can be emptied in the end.
    pub(crate) fn keep_closure(&self, frame: &Rc<Frame>) {
        self.closures.borrow_mut().push(frame.clone());
    }

    /// Keeps a namespace, so that it can be emptied in the end.
    pub(crate) fn keep_namespace(&self, names: &Rc<RefCell<Dict>>) {
        self.namespaces.borrow_mut().push(names.clone());
    }

    /// Empties what holds itself: counted references would keep it for ever.
    pub(crate) fn forget(&self) {
        self.exported.take();
        for frame in self.closures.borrow().iter() {
            frame.clear();
        }
        for names in self.namespaces.borrow().iter() {
            names.take();
        }
    }

    /// A variable of the caller, or a global function.
    pub(crate) fn variable(&self, name: &str) -> Option<Value> {
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

    pub(crate) fn export(&self, name: &str, value: Value) {
        self.exported.borrow_mut().insert(Key(Value::str(name)), value);
    }

    /// A block of the template by its name.
    pub(crate) fn block(&self, name: &str) -> Option<Arc<Scope>> {
        let found = self.blocks.iter().find(|(known, _)| &**known == name);
        found.map(|(_, body)| body.clone())
    }

    /// Runs something one level deeper.
    pub(crate) fn deeper<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
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
        if self.autoescape.get() { escape(value, &self.budget) } else { value.text(&self.budget) }
    }

    pub(crate) fn builder(&self) -> Builder<'_> {
        Builder::new(&self.budget)
    }
}
