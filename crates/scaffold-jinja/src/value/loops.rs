//! The state of a loop, which templates know as `loop`.

use super::iter::Source;
use super::{Call, Frame, Size, Value};
use crate::ast::For;
use crate::budget::Budget;
use crate::error::{Result, type_error};
use std::rc::Rc;
use std::sync::Arc;

/// A loop under way.
#[derive(Debug)]
pub(crate) struct Loop {
    source: Source,
    /// The turn, from 0; -1 before the first.
    index0: i64,
    length: Option<usize>,
    /// An item that was looked at before its turn.
    after: Option<Value>,
    current: Option<Value>,
    before: Option<Value>,
    last_changed: Option<Value>,
    depth0: usize,
    recursion: Option<(Arc<For>, Rc<Frame>)>,
    size: Size,
}

impl Loop {
    pub(crate) fn new(
        source: Source,
        depth0: usize,
        recursion: Option<(Arc<For>, Rc<Frame>)>,
    ) -> Self {
        Loop {
            size: source.size(),
            source,
            index0: -1,
            length: None,
            after: None,
            current: None,
            before: None,
            last_changed: None,
            depth0,
            recursion,
        }
    }

    /// The size of what it goes through.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// The next item, which becomes the current one.
    pub(crate) fn advance(&mut self) -> Result<Option<Value>> {
        let next = match self.after.take() {
            Some(item) => Some(item),
            None => self.source.next()?,
        };
        if let Some(item) = &next {
            self.index0 += 1;
            self.before = self.current.replace(item.clone());
        }
        Ok(next)
    }

    fn peek(&mut self) -> Result<Option<&Value>> {
        if self.after.is_none() {
            self.after = self.source.next()?;
        }
        Ok(self.after.as_ref())
    }

    pub(crate) fn index(&self) -> i64 {
        self.index0 + 1
    }

    /// How many items there are; a generator is gone through to find out.
    pub(crate) fn length(&mut self) -> Result<usize> {
        if let Some(length) = self.length {
            return Ok(length);
        }
        let length = match self.source.length() {
            Some(length) => length,
            None => {
                self.source.collect()? + self.index() as usize + usize::from(self.after.is_some())
            }
        };
        self.length = Some(length);
        Ok(length)
    }

    /// What is left, for a template that goes through `loop` itself.
    pub(crate) fn rest(&mut self) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        while let Some(item) = self.advance()? {
            items.push(item);
        }
        Ok(items)
    }

    /// An attribute of `loop`.
    pub(crate) fn attribute(&mut self, name: &str) -> Result<Option<Value>> {
        let number = |value: i64| Value::Int(value);
        Ok(Some(match name {
            "index0" => number(self.index0),
            "index" => number(self.index()),
            "length" => number(self.length()? as i64),
            "revindex0" => number(self.length()? as i64 - self.index()),
            "revindex" => number(self.length()? as i64 - self.index0),
            "first" => Value::Bool(self.index0 == 0),
            "last" => Value::Bool(self.peek()?.is_none()),
            "depth0" => number(self.depth0 as i64),
            "depth" => number(self.depth0 as i64 + 1),
            "previtem" => match &self.before {
                Some(item) => item.clone(),
                None => Value::undefined("there is no previous item"),
            },
            "nextitem" => match self.peek()? {
                Some(item) => item.clone(),
                None => Value::undefined("there is no next item"),
            },
            _ => return Ok(None),
        }))
    }

    /// `loop.cycle(…)`
    pub(crate) fn cycle(&self, call: Call) -> Result<Value> {
        if !call.named.is_empty() {
            return Err(type_error("LoopContext.cycle() got an unexpected keyword argument"));
        }
        if call.positional.is_empty() {
            return Err(type_error("no items for cycling given"));
        }
        let at = self.index0.max(0) as usize % call.positional.len();
        Ok(call.positional[at].clone())
    }

    /// `loop.changed(…)`
    pub(crate) fn changed(&mut self, call: Call, budget: &Budget) -> Result<Value> {
        let items = Value::tuple(call.positional);
        let same = match &self.last_changed {
            Some(last) => last.is_equal(&items, budget)?,
            None => false,
        };
        self.last_changed = Some(items);
        Ok(Value::Bool(!same))
    }

    pub(crate) fn recursion(&self) -> Result<(Arc<For>, Rc<Frame>, usize)> {
        match &self.recursion {
            Some((statement, frame)) => Ok((statement.clone(), frame.clone(), self.depth0 + 1)),
            None => Err(type_error("The loop must have the 'recursive' marker to be called.")),
        }
    }
}
