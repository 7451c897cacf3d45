//! The items of loops that pass over some.

use super::Run;
use crate::ast::For;
use crate::error::Result;
use crate::value::iter::{Pull, Source};
use crate::value::{Frame, Size, Value};
use std::rc::Rc;
use std::sync::Arc;

/// The items of `for … if …`, tested one by one as the loop comes to them.
#[derive(Debug)]
pub(crate) struct Filtered {
    pub(crate) run: Run,
    pub(crate) source: Source,
    pub(crate) statement: Arc<For>,
    pub(crate) frame: Rc<Frame>,
}

impl Pull for Filtered {
    fn size(&self) -> Size {
        self.source.size()
    }

    fn next(&mut self) -> Result<Option<Value>> {
        while let Some(item) = self.source.next()? {
            let Some((test, symbols)) = &self.statement.test else {
                return Ok(Some(item));
            };
            let inside = Frame::inside(&self.run, symbols, &self.frame);
            inside.assign(&self.run, &self.statement.target, item.clone())?;
            if self.run.eval(test, &inside)?.truth() {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
}
