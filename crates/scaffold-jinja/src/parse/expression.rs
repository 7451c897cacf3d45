//! Expressions.

use super::Parser;
use crate::ast::{Binary, Comparison, Expr, ExprKind, Unary};
use crate::error::Result;
use crate::lex::Token;

/// How deep the tree of an expression may become.
const DEEPEST: usize = 1000;

impl Parser {
    /// An expression, unless it has grown too deep: chains of operators and filters lie in each
    /// other, too.
    pub(super) fn at(&self, line: usize, kind: ExprKind) -> Result<Expr> {
        let expr = Expr::new(line, kind);
        if expr.depth > DEEPEST {
            return Err(self.error(format!(
                "an expression has more than {DEEPEST} parts that lie in each other"
            )));
        }
        Ok(expr)
    }

    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.deeper(Self::condition)
    }

    fn condition(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut left = self.or()?;
        while self.skip_name("if") {
            let test = self.or()?;
            let no = if self.skip_name("else") {
                Some(Box::new(self.deeper(Self::condition)?))
            } else {
                None
            };
            left = self
                .at(line, ExprKind::Condition { test: Box::new(test), yes: Box::new(left), no })?;
        }
        Ok(left)
    }

    pub(super) fn or(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut left = self.and()?;
        while self.skip_name("or") {
            let right = self.and()?;
            left = self.at(line, ExprKind::Or(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut left = self.not()?;
        while self.skip_name("and") {
            let right = self.not()?;
            left = self.at(line, ExprKind::And(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr> {
        let line = self.line();
        if self.skip_name("not") {
            let value = self.deeper(Self::not)?;
            return self.at(line, ExprKind::Unary(Unary::Not, Box::new(value)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr> {
        let line = self.line();
        let first = self.sum()?;
        let mut rest = Vec::new();
        loop {
            let comparison = match self.token() {
                Token::Operator("==") => Comparison::Equal,
                Token::Operator("!=") => Comparison::NotEqual,
                Token::Operator("<") => Comparison::Less,
                Token::Operator("<=") => Comparison::LessEqual,
                Token::Operator(">") => Comparison::Greater,
                Token::Operator(">=") => Comparison::GreaterEqual,
                token if token.is_name("in") => Comparison::In,
                token if token.is_name("not") && self.look().is_name("in") => {
                    self.advance();
                    Comparison::NotIn
                }
                _ => break,
            };
            self.advance();
            rest.push((comparison, self.sum()?));
        }
        Ok(if rest.is_empty() {
            first
        } else {
            self.at(line, ExprKind::Compare(Box::new(first), rest))?
        })
    }

    fn sum(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut left = self.concatenation()?;
        loop {
            let operator = match self.token() {
                Token::Operator("+") => Binary::Add,
                Token::Operator("-") => Binary::Subtract,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.concatenation()?;
            left = self.at(line, ExprKind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
    }

    fn concatenation(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut parts = vec![self.product()?];
        while self.skip("~") {
            parts.push(self.product()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => self.at(line, ExprKind::Concat(parts))?,
        })
    }

    fn product(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut left = self.power()?;
        loop {
            let operator = match self.token() {
                Token::Operator("*") => Binary::Multiply,
                Token::Operator("/") => Binary::Divide,
                Token::Operator("//") => Binary::FloorDivide,
                Token::Operator("%") => Binary::Remainder,
                _ => return Ok(left),
            };
            self.advance();
            let right = self.power()?;
            left = self.at(line, ExprKind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
    }

    /// Unlike Python's, Jinja2's powers group from the left.
    fn power(&mut self) -> Result<Expr> {
        let line = self.line();
        let mut left = self.unary(true)?;
        while self.skip("**") {
            let right = self.unary(true)?;
            left =
                self.at(line, ExprKind::Binary(Binary::Power, Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn unary(&mut self, with_filter: bool) -> Result<Expr> {
        let line = self.line();
        let sign = match self.token() {
            Token::Operator("-") => Some(Unary::Negative),
            Token::Operator("+") => Some(Unary::Positive),
            _ => None,
        };
        let mut node = match sign {
            Some(sign) => {
                self.advance();
                let value = self.deeper(|parser| parser.unary(false))?;
                self.at(line, ExprKind::Unary(sign, Box::new(value)))?
            }
            None => self.primary()?,
        };
        node = self.postfix(node)?;
        if with_filter {
            node = self.filters_and_tests(node)?;
        }
        Ok(node)
    }
}
