//! What operators stand between: constants, names, lists, and the calls, items, filters and tests
//! that follow them.

use super::Parser;
use crate::ast::{Args, Const, Expr, ExprKind, Target, Unary};
use crate::error::Result;
use crate::lex::Token;

impl Parser {
    pub(super) fn primary(&mut self) -> Result<Expr> {
        let line = self.line();
        let kind = match self.token().clone() {
            Token::Name(name) => {
                self.advance();
                match &*name {
                    "true" | "True" => ExprKind::Const(Const::Bool(true)),
                    "false" | "False" => ExprKind::Const(Const::Bool(false)),
                    "none" | "None" => ExprKind::Const(Const::None),
                    _ => ExprKind::Name(name),
                }
            }
            Token::String(first) => {
                self.advance();
                // Strings next to each other are one.
                let mut text = first;
                while let Token::String(more) = self.token() {
                    text = format!("{text}{more}").into();
                    self.advance();
                }
                ExprKind::Const(Const::Str(text))
            }
            Token::Integer(value) => {
                self.advance();
                ExprKind::Const(Const::Int(value))
            }
            Token::Float(value) => {
                self.advance();
                ExprKind::Const(Const::Float(value))
            }
            Token::Operator("(") => {
                self.advance();
                let node = self.tuple(&[], true)?;
                self.expect(")")?;
                return Ok(node);
            }
            Token::Operator("[") => {
                self.advance();
                ExprKind::List(self.items("]")?)
            }
            Token::Operator("{") => {
                self.advance();
                self.dictionary()?
            }
            token => {
                return Err(self.error(format!("unexpected '{}'", token.described())));
            }
        };
        self.at(line, kind)
    }

    /// Expressions up to `close`, which is taken.
    fn items(&mut self, close: &str) -> Result<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.token().is(close) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.token().is(close) {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        self.expect(close)?;
        Ok(items)
    }

    fn dictionary(&mut self) -> Result<ExprKind> {
        let mut entries = Vec::new();
        while !self.token().is("}") {
            if !entries.is_empty() {
                self.expect(",")?;
                if self.token().is("}") {
                    break;
                }
            }
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?));
        }
        self.expect("}")?;
        Ok(ExprKind::Dict(entries))
    }

    fn ends_tuple(&self, ends: &[&str]) -> bool {
        match self.token() {
            Token::VariableEnd | Token::BlockEnd | Token::Operator(")") => true,
            Token::Name(name) => ends.contains(&&**name),
            _ => false,
        }
    }

    /// An expression, or a tuple of several with commas between them, up to one of the names in
    /// `ends`.
    pub(super) fn tuple(&mut self, ends: &[&str], parentheses: bool) -> Result<Expr> {
        self.tuple_of(ends, parentheses, Self::expression)
    }

    /// The same without `… if … else …`, as in the heads of `for` and `if`.
    pub(super) fn tuple_without_condition(&mut self, ends: &[&str]) -> Result<Expr> {
        self.tuple_of(ends, false, |parser| parser.deeper(Self::or))
    }

    fn tuple_of(
        &mut self,
        ends: &[&str],
        parentheses: bool,
        parse: impl Fn(&mut Self) -> Result<Expr>,
    ) -> Result<Expr> {
        let line = self.line();
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect(",")?;
            }
            if self.ends_tuple(ends) {
                break;
            }
            items.push(parse(self)?);
            if !self.token().is(",") {
                break;
            }
            is_tuple = true;
        }
        if !is_tuple {
            if let Some(item) = items.pop() {
                return Ok(item);
            }
            if !parentheses {
                return Err(self
                    .error(format!("Expected an expression, got '{}'", self.token().described())));
            }
        }
        self.at(line, ExprKind::Tuple(items))
    }

    pub(super) fn postfix(&mut self, mut node: Expr) -> Result<Expr> {
        loop {
            let line = self.line();
            if self.skip(".") {
                node = match self.advance() {
                    Token::Name(name) => {
                        self.at(line, ExprKind::Attribute(Box::new(node), name))?
                    }
                    Token::Integer(value) => {
                        let index = self.at(line, ExprKind::Const(Const::Int(value)))?;
                        self.at(line, ExprKind::Item(Box::new(node), Box::new(index)))?
                    }
                    _ => return Err(self.error("expected name or number")),
                };
            } else if self.skip("[") {
                let index = self.subscript(line)?;
                node = self.at(line, ExprKind::Item(Box::new(node), Box::new(index)))?;
            } else if self.token().is("(") {
                let args = self.call_args()?;
                node = self.at(line, ExprKind::Call(Box::new(node), args))?;
            } else {
                return Ok(node);
            }
        }
    }

    fn subscript(&mut self, line: usize) -> Result<Expr> {
        let mut args = Vec::new();
        while !self.token().is("]") {
            if !args.is_empty() {
                self.expect(",")?;
            }
            args.push(self.slice()?);
        }
        self.expect("]")?;
        Ok(match args.len() {
            1 => args.remove(0),
            _ => self.at(line, ExprKind::Tuple(args))?,
        })
    }

    fn slice(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut parts = [None, None, None];
        if !self.token().is(":") {
            let first = self.expression()?;
            if !self.token().is(":") {
                return Ok(first);
            }
            parts[0] = Some(Box::new(first));
        }
        for part in &mut parts[1..] {
            if self.skip(":") && ![":", "]", ","].iter().any(|end| self.token().is(end)) {
                *part = Some(Box::new(self.expression()?));
            }
        }
        self.at(line, ExprKind::Slice(parts))
    }

    pub(super) fn filters_and_tests(&mut self, mut node: Expr) -> Result<Expr> {
        loop {
            let line = self.line();
            if self.token().is("|") {
                while self.skip("|") {
                    node = self.one_filter(Some(node))?;
                }
            } else if self.token().is_name("is") {
                node = self.test(node)?;
            } else if self.token().is("(") {
                let args = self.call_args()?;
                node = self.at(line, ExprKind::Call(Box::new(node), args))?;
            } else {
                return Ok(node);
            }
        }
    }

    fn dotted_name(&mut self) -> Result<std::sync::Arc<str>> {
        let mut name = self.expect_name()?;
        while self.skip(".") {
            name = format!("{name}.{}", self.expect_name()?).into();
        }
        Ok(name)
    }

    /// A chain of filters; nothing where there is neither a value nor a filter.
    pub(super) fn filter(&mut self, mut node: Option<Expr>) -> Result<Option<Expr>> {
        while self.skip("|") {
            node = Some(self.one_filter(node)?);
        }
        Ok(node)
    }

    /// A filter after its `|`.
    pub(super) fn one_filter(&mut self, value: Option<Expr>) -> Result<Expr> {
        let line = self.line();
        let name = self.dotted_name()?;
        let args = if self.token().is("(") { self.call_args()? } else { Args::default() };
        self.at(line, ExprKind::Filter(value.map(Box::new), name, args))
    }

    fn test(&mut self, value: Expr) -> Result<Expr> {
        let line = self.line();
        self.advance();
        let negated = self.skip_name("not");
        let name = self.dotted_name()?;
        let mut args = Args::default();
        let begins_argument = match self.token() {
            Token::Name(name) => !["else", "or", "and"].contains(&&**name),
            Token::String(_) | Token::Integer(_) | Token::Float(_) => true,
            Token::Operator(operator) => ["[", "{"].contains(operator),
            _ => false,
        };
        if self.token().is("(") {
            args = self.call_args()?;
        } else if begins_argument {
            if self.token().is_name("is") {
                return Err(self.error("You cannot chain multiple tests with is"));
            }
            let argument = self.primary()?;
            args.positional.push(self.postfix(argument)?);
        }
        let test = self.at(line, ExprKind::Test(Box::new(value), name, args))?;
        Ok(if negated { self.at(line, ExprKind::Unary(Unary::Not, Box::new(test)))? } else { test })
    }

    pub(super) fn call_args(&mut self) -> Result<Args> {
        self.deeper(Self::call_args_inside)
    }

    fn call_args_inside(&mut self) -> Result<Args> {
        self.expect("(")?;
        let mut args = Args::default();
        let mut first = true;
        while !self.token().is(")") {
            if !first {
                self.expect(",")?;
                if self.token().is(")") {
                    break;
                }
            }
            first = false;
            let named = matches!(self.token(), Token::Name(_)) && self.look().is("=");
            let allowed = if self.token().is("*") {
                args.spread.is_none() && args.spread_named.is_none()
            } else if self.token().is("**") || named {
                args.spread_named.is_none()
            } else {
                args.spread.is_none() && args.spread_named.is_none() && args.named.is_empty()
            };
            if !allowed {
                return Err(self.error("invalid syntax for function call expression"));
            }
            if self.skip("*") {
                args.spread = Some(Box::new(self.expression()?));
            } else if self.skip("**") {
                args.spread_named = Some(Box::new(self.expression()?));
            } else if named {
                let name = self.expect_name()?;
                self.advance();
                if args.named.iter().any(|(known, _)| *known == name) {
                    return Err(self.error(format!("keyword argument repeated: {name}")));
                }
                args.named.push((name, self.expression()?));
            } else {
                args.positional.push(self.expression()?);
            }
        }
        self.expect(")")?;
        Ok(args)
    }

    /// What is assigned to, up to one of the names in `ends`.
    pub(super) fn target(&mut self, ends: &[&str], with_namespace: bool) -> Result<Target> {
        let mut targets = Vec::new();
        let mut is_tuple = false;
        loop {
            if !targets.is_empty() {
                self.expect(",")?;
            }
            if self.ends_tuple(ends) {
                break;
            }
            targets.push(self.one_target(with_namespace)?);
            if !self.token().is(",") {
                break;
            }
            is_tuple = true;
        }
        match (is_tuple, targets.pop()) {
            (false, Some(target)) => Ok(target),
            (_, Some(last)) => {
                targets.push(last);
                Ok(Target::Tuple(targets))
            }
            (_, None) => {
                Err(self
                    .error(format!("Expected an expression, got '{}'", self.token().described())))
            }
        }
    }

    fn one_target(&mut self, with_namespace: bool) -> Result<Target> {
        if with_namespace && matches!(self.token(), Token::Name(_)) && self.look().is(".") {
            let name = self.expect_name()?;
            self.advance();
            return Ok(Target::Attribute(name, self.expect_name()?));
        }
        if self.skip("(") {
            let target = self.deeper(|parser| parser.target(&[], with_namespace))?;
            self.expect(")")?;
            return Ok(target);
        }
        self.name_target()
    }

    /// A name that can be assigned to.
    pub(super) fn name_target(&mut self) -> Result<Target> {
        let kind = match self.token() {
            Token::Name(name) if !is_constant(name) => {
                return Ok(Target::Name(self.expect_name()?));
            }
            Token::Name(_) | Token::String(_) | Token::Integer(_) | Token::Float(_) => "const",
            Token::Operator("[") => "list",
            Token::Operator("{") => "dict",
            _ => return Err(self.expected("name")),
        };
        Err(self.error(format!("can't assign to '{kind}'")))
    }
}

fn is_constant(name: &str) -> bool {
    matches!(name, "true" | "false" | "none" | "True" | "False" | "None")
}
