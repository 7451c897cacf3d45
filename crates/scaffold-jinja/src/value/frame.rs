//! The variables of a scope.

use super::Value;
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
    pub(crate) fn new(
        names: Vec<(Arc<str>, Option<Value>)>,
        around: Option<Rc<Frame>>,
    ) -> Rc<Frame> {
        Rc::new(Frame { names: RefCell::new(names), around })
    }

    /// Whether no other scope lies around it.
    pub(crate) fn is_outermost(&self) -> bool {
        self.around.is_none()
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
}
