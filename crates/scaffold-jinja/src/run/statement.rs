//! Statements.

use super::Run;
use super::loops::Filtered;
use crate::ast::{Expr, ExprKind, For, MacroDef, Scope, Stmt, StmtKind};
use crate::error::{Error, ErrorKind, Result, runtime_error, type_error};
use crate::parse::GENERATION;
use crate::text::{Builder, Text};
use crate::value::iter::Source;
use crate::value::{Call, Frame, Loop, Macro, Value};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Where to go on after a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Break,
    Continue,
}

impl Run {
    /// Runs statements in a scope.
    pub(crate) fn body(&self, body: &[Stmt], frame: &Rc<Frame>, out: &mut Builder) -> Result<Flow> {
        for statement in body {
            let flow = self
                .deeper(|| self.statement(statement, frame, out))
                .map_err(|error| error.at(statement.line))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&self, statement: &Stmt, frame: &Rc<Frame>, out: &mut Builder) -> Result<Flow> {
        match &statement.kind {
            StmtKind::Data(text) => out.str(text),
            StmtKind::Print(value) => {
                let value = self.eval(value, frame)?;
                out.text(&self.printed(&value)?);
            }
            StmtKind::Set(target, value) => {
                frame.check_target(target)?;
                let value = self.eval(value, frame)?;
                frame.assign(self, target, value)?;
            }
            StmtKind::SetBlock { target, filter, body } => {
                let (text, inside) = self.captured(body, frame)?;
                let safe = self.autoescape.get();
                let mut value = Value::Str(text.with_safe(safe));
                if let Some(filter) = filter {
                    value = self.filtered(filter, value, &inside)?;
                }
                frame.assign(self, target, value)?;
            }
            StmtKind::If(branches) => {
                for (test, body) in branches {
                    let taken = match test {
                        Some(test) => self.eval(test, frame)?.truth(),
                        None => true,
                    };
                    if taken {
                        return self.body(body, frame, out);
                    }
                }
            }
            StmtKind::For(statement) if statement.recursive => {
                let items = self.eval(&statement.iter, frame)?;
                let text = self.recursive_loop(statement, &items, frame, 0)?;
                out.text(&text);
            }
            StmtKind::For(statement) => {
                let items = self.eval(&statement.iter, frame)?;
                return self.for_loop(statement, &items, frame, 0, out);
            }
            StmtKind::With { values, body } => {
                let inside = Frame::inside(self, &body.symbols, frame);
                for (target, value) in values {
                    let value = self.eval(value, frame)?;
                    inside.assign(self, target, value)?;
                }
                return self.body(&body.body, &inside, out);
            }
            StmtKind::Macro(definition) => {
                self.keep_closure(frame);
                let value = closure(definition, frame);
                let target = crate::ast::Target::Name(definition.name.clone());
                frame.assign(self, &target, value)?;
            }
            StmtKind::Call { call, caller } => {
                self.keep_closure(frame);
                let caller = closure(caller, frame);
                let value = self.call_block(call, caller, frame)?;
                out.text(&self.printed(&value)?);
            }
            StmtKind::FilterBlock { filter, body } => {
                let (text, inside) = self.captured(body, frame)?;
                let safe = self.autoescape.get();
                let value = self.filtered(filter, Value::Str(text.with_safe(safe)), &inside)?;
                out.text(&self.printed(&value)?);
            }
            StmtKind::Autoescape(on, body) => return self.autoescaped(on, body, frame, out),
            StmtKind::Block { body, required, name, scoped } => {
                if *required {
                    return Err(runtime_error(format!("Required block '{name}' not found")));
                }
                let inside = if *scoped {
                    Frame::scoped(self, &body.symbols, frame)
                } else {
                    Frame::root(self, &body.symbols)
                };
                self.body(&body.body, &inside, out)?;
            }
            StmtKind::NoLoader => {
                return Err(type_error("no loader for this environment specified"));
            }
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn autoescaped(
        &self,
        on: &Expr,
        body: &Scope,
        frame: &Rc<Frame>,
        out: &mut Builder,
    ) -> Result<Flow> {
        let inside = Frame::inside(self, &body.symbols, frame);
        let on = self.eval(on, &inside)?.truth();
        let before = self.autoescape.replace(on);
        let result = self.body(&body.body, &inside, out);
        self.autoescape.set(before);
        result
    }

    /// What a block writes where it is called by its name.
    pub(crate) fn block_text(&self, body: &Scope) -> Result<Text> {
        let inside = Frame::root(self, &body.symbols);
        let mut out = self.builder();
        self.body(&body.body, &inside, &mut out)?;
        Ok(out.finish()?.with_safe(self.autoescape.get()))
    }

    /// What a body writes, and the scope that it was written in.
    fn captured(&self, body: &Scope, frame: &Rc<Frame>) -> Result<(Text, Rc<Frame>)> {
        let inside = Frame::inside(self, &body.symbols, frame);
        let mut out = self.builder();
        self.body(&body.body, &inside, &mut out)?;
        Ok((out.finish()?, inside))
    }

    fn call_block(&self, call: &Expr, caller: Value, frame: &Rc<Frame>) -> Result<Value> {
        let ExprKind::Call(callee, args) = &call.kind else {
            return Err(runtime_error("expected call"));
        };
        if matches!(&callee.kind, ExprKind::Name(name) if &**name == GENERATION) {
            return self.call(&caller, Call::default());
        }
        let callee = self.eval(callee, frame)?;
        let mut args = self.arguments(args, frame)?;
        args.named.push(("caller".into(), caller));
        self.call(&callee, args)
    }

    fn source(&self, statement: &Arc<For>, items: &Value, frame: &Rc<Frame>) -> Result<Source> {
        let source = items.source(&self.budget)?;
        Ok(if statement.test.is_some() {
            Source::Lazy(Box::new(Filtered {
                run: self.clone(),
                source,
                statement: statement.clone(),
                frame: frame.clone(),
            }))
        } else {
            source
        })
    }

    /// What a loop marked `recursive` writes for these items.
    pub(crate) fn recursive_loop(
        &self,
        statement: &Arc<For>,
        items: &Value,
        frame: &Rc<Frame>,
        depth: usize,
    ) -> Result<Text> {
        let mut out = self.builder();
        self.for_loop(statement, items, frame, depth, &mut out)?;
        out.finish()
    }

    fn for_loop(
        &self,
        statement: &Arc<For>,
        items: &Value,
        frame: &Rc<Frame>,
        depth: usize,
        out: &mut Builder,
    ) -> Result<Flow> {
        let source = self.source(statement, items, frame)?;
        let recursion = statement.recursive.then(|| (statement.clone(), frame.clone()));
        let state = Rc::new(RefCell::new(Loop::new(source, depth, recursion)));
        // Jinja2 notes that an item came at the end of its turn, which `continue` and `break` leave
        // out.
        let mut finished_one = false;
        loop {
            self.budget.step(1)?;
            let Some(item) = state.borrow_mut().advance()? else {
                break;
            };
            self.budget.items(1)?;
            let inside = Frame::inside(self, &statement.body.symbols, frame);
            inside.put("loop", Value::Loop(state.clone()));
            inside.assign(self, &statement.target, item)?;
            match self.body(&statement.body.body, &inside, out)? {
                Flow::Next => finished_one = true,
                Flow::Continue => {}
                Flow::Break => break,
            }
            if out.full() {
                return Err(Error::new(ErrorKind::Memory, "a loop wrote too much"));
            }
        }
        if let Some(otherwise) = statement.otherwise.as_ref().filter(|_| !finished_one) {
            let inside = Frame::inside(self, &otherwise.symbols, frame);
            return self.body(&otherwise.body, &inside, out);
        }
        Ok(Flow::Next)
    }
}

/// A macro with the scope that it sees.
fn closure(definition: &Arc<MacroDef>, frame: &Rc<Frame>) -> Value {
    Value::Macro(Rc::new(Macro {
        name: definition.name.clone(),
        definition: definition.clone(),
        frame: frame.clone(),
    }))
}
