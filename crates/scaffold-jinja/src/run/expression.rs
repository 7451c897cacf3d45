//! Expressions.

use super::Run;
use crate::ast::{Args, Comparison, Const, Expr, ExprKind, Unary};
use crate::error::{Error, ErrorKind, Result, type_error};
use crate::operators::signed;
use crate::value::{Call, Dict, Frame, Key, Value};
use std::cmp::Ordering;
use std::rc::Rc;

/// How deep lists and dictionaries may lie in each other; Python cannot print or compare deeper
/// ones.
const DEEPEST: usize = 900;

impl Run {
    /// The value of an expression.
    pub(crate) fn eval(&self, expr: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        self.deeper(|| {
            let value = self.value(expr, frame)?;
            if value.size().depth > DEEPEST {
                return Err(Error::new(
                    ErrorKind::Recursion,
                    format!("a value has more than {DEEPEST} others in each other"),
                ));
            }
            Ok(value)
        })
        .map_err(|error| error.at(expr.line))
    }

    fn value(&self, expr: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        Ok(match &expr.kind {
            ExprKind::Const(value) => constant(value),
            ExprKind::Name(name) => frame.get(name).unwrap_or_else(|| Value::missing_name(name)),
            ExprKind::List(items) => Value::list(self.values(items, frame)?),
            ExprKind::Tuple(items) => Value::tuple(self.values(items, frame)?),
            ExprKind::Dict(entries) => self.dictionary(entries, frame)?,
            ExprKind::Unary(Unary::Not, value) => Value::Bool(!self.eval(value, frame)?.truth()),
            ExprKind::Unary(sign, value) => {
                signed(&self.eval(value, frame)?, *sign == Unary::Negative)?
            }
            ExprKind::Binary(operator, left, right) => {
                let left = self.eval(left, frame)?;
                let right = self.eval(right, frame)?;
                self.binary(*operator, &left, &right)?
            }
            ExprKind::And(left, right) => {
                let left = self.eval(left, frame)?;
                if left.truth() { self.eval(right, frame)? } else { left }
            }
            ExprKind::Or(left, right) => {
                let left = self.eval(left, frame)?;
                if left.truth() { left } else { self.eval(right, frame)? }
            }
            ExprKind::Compare(first, rest) => self.comparisons(first, rest, frame)?,
            ExprKind::Concat(parts) => {
                let parts = self.values(parts, frame)?;
                self.concatenated(&parts)?
            }
            ExprKind::Condition { test, yes, no } => {
                if self.eval(test, frame)?.truth() {
                    self.eval(yes, frame)?
                } else if let Some(no) = no {
                    self.eval(no, frame)?
                } else {
                    Value::undefined(format!(
                        "the inline if-expression on line {} evaluated to false and no else section was \
                         defined.",
                        expr.line
                    ))
                }
            }
            ExprKind::Attribute(object, name) => {
                let object = self.eval(object, frame)?;
                self.attribute(&object, name)?
            }
            ExprKind::Item(object, index) => {
                let object = self.eval(object, frame)?;
                if let ExprKind::Slice(parts) = &index.kind {
                    let mut bounds = [Value::None, Value::None, Value::None];
                    for (bound, part) in bounds.iter_mut().zip(parts) {
                        if let Some(part) = part {
                            *bound = self.eval(part, frame)?;
                        }
                    }
                    match self.slice(&object, &bounds) {
                        // Jinja2 computes constants ahead, and there a slice that fails is
                        // undefined.
                        Err(error) if error.kind() == ErrorKind::Type && expr.is_constant() => {
                            let slice = Value::tuple(bounds.to_vec()).repr(&self.budget)?;
                            Value::undefined(format!(
                                "{} has no element slice{}",
                                object.described(),
                                slice.as_str()
                            ))
                        }
                        other => other?,
                    }
                } else {
                    let index = self.eval(index, frame)?;
                    self.item(&object, &index)?
                }
            }
            ExprKind::Slice(_) => return Err(type_error("unhashable type: 'slice'")),
            ExprKind::Call(callee, args) => {
                let callee = self.eval(callee, frame)?;
                let args = self.arguments(args, frame)?;
                self.call(&callee, args)?
            }
            ExprKind::Filter(..) => self.filtered(expr, Value::None, frame)?,
            ExprKind::Test(value, name, args) => {
                let value = self.eval(value, frame)?;
                let args = self.arguments(args, frame)?;
                Value::Bool(crate::checks::check(self, name, &value, args)?)
            }
        })
    }

    pub(crate) fn values(&self, items: &[Expr], frame: &Rc<Frame>) -> Result<Vec<Value>> {
        self.budget.items(items.len())?;
        items.iter().map(|item| self.eval(item, frame)).collect()
    }

    fn dictionary(&self, entries: &[(Expr, Expr)], frame: &Rc<Frame>) -> Result<Value> {
        self.budget.items(entries.len())?;
        let mut dict = Dict::default();
        for (key, value) in entries {
            let key = self.eval(key, frame)?;
            key.hashable(&self.budget)?;
            dict.insert(Key(key), self.eval(value, frame)?);
        }
        Ok(Value::Dict(Rc::new(dict)))
    }

    /// The value of a chain of filters; `input` is what a filter without a value of its own works
    /// on.
    pub(crate) fn filtered(&self, expr: &Expr, input: Value, frame: &Rc<Frame>) -> Result<Value> {
        let ExprKind::Filter(value, name, args) = &expr.kind else {
            return self.eval(expr, frame);
        };
        let value = match value {
            Some(value) if matches!(value.kind, ExprKind::Filter(..)) => {
                self.deeper(|| self.filtered(value, input, frame))?
            }
            Some(value) => self.eval(value, frame)?,
            None => input,
        };
        let args = self.arguments(args, frame)?;
        crate::filters::apply(self, name, value, args).map_err(|error| error.at(expr.line))
    }

    fn comparisons(
        &self,
        first: &Expr,
        rest: &[(Comparison, Expr)],
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let mut left = self.eval(first, frame)?;
        for (comparison, right) in rest {
            let right = self.eval(right, frame)?;
            let holds = match comparison {
                Comparison::Equal => left.is_equal(&right, &self.budget)?,
                Comparison::NotEqual => !left.is_equal(&right, &self.budget)?,
                Comparison::In => self.contains(&right, &left)?,
                Comparison::NotIn => !self.contains(&right, &left)?,
                Comparison::Less => left.order(&right, "<", &self.budget)? == Some(Ordering::Less),
                Comparison::LessEqual => {
                    left.order(&right, "<=", &self.budget)?.is_some_and(Ordering::is_le)
                }
                Comparison::Greater => {
                    left.order(&right, ">", &self.budget)? == Some(Ordering::Greater)
                }
                Comparison::GreaterEqual => {
                    left.order(&right, ">=", &self.budget)?.is_some_and(Ordering::is_ge)
                }
            };
            if !holds {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    pub(crate) fn arguments(&self, args: &Args, frame: &Rc<Frame>) -> Result<Call> {
        let mut call = Call::of(self.values(&args.positional, frame)?);
        if let Some(spread) = &args.spread {
            let spread = self.eval(spread, frame)?;
            call.positional.extend(spread.items(&self.budget)?);
        }
        for (name, value) in &args.named {
            call.named.push((name.clone(), self.eval(value, frame)?));
        }
        if let Some(spread) = &args.spread_named {
            let Value::Dict(dict) = self.eval(spread, frame)? else {
                return Err(type_error("argument after ** must be a mapping"));
            };
            for (key, value) in dict.entries() {
                let Some(name) = key.as_str() else {
                    return Err(type_error("keywords must be strings"));
                };
                if call.named.iter().any(|(known, _)| &**known == name) {
                    return Err(type_error(format!(
                        "got multiple values for keyword argument '{name}'"
                    )));
                }
                call.named.push((name.into(), value.clone()));
            }
        }
        Ok(call)
    }
}

fn constant(value: &Const) -> Value {
    match value {
        Const::None => Value::None,
        Const::Bool(value) => Value::Bool(*value),
        Const::Int(value) => Value::from(value.clone()),
        Const::Float(value) => Value::Float(*value),
        Const::Str(text) => Value::str(text.clone()),
    }
}
