//! Templates from their source, with the grammar of Jinja2's parser and the extensions that
//! `transformers` turns on: `break` and `continue`, and `generation` blocks.

mod expression;
mod primary;
mod statement;

pub(crate) use statement::GENERATION;

use crate::ast::Scope;
use crate::error::{Error, ErrorKind, Result};
use crate::lex::{self, Token};
use crate::symbols;
use std::sync::Arc;

/// How deep expressions and blocks may lie in each other.
const DEEPEST: usize = 300;

/// A template's tree, with all names resolved.
pub(crate) fn template(source: &str) -> Result<Scope> {
    let tokens = lex::tokens(source)?;
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
        blocks: Vec::new(),
        ends: Vec::new(),
        open: Vec::new(),
        in_loop: false,
    };
    let body = parser.body(&[])?;
    let mut template = Scope { body, ..Scope::default() };
    symbols::resolve(&mut template)?;
    Ok(template)
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    /// Names of `block`s so far.
    blocks: Vec<Arc<str>>,
    /// What could end each of the bodies that are open.
    ends: Vec<&'static [&'static str]>,
    /// The tags that are open.
    open: Vec<Arc<str>>,
    /// Whether `break` has something to leave.
    in_loop: bool,
}

impl Parser {
    fn token(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn line(&self) -> usize {
        self.tokens[self.at].1
    }

    fn look(&self) -> &Token {
        let next = (self.at + 1).min(self.tokens.len() - 1);
        &self.tokens[next].0
    }

    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Syntax, message).at(self.line())
    }

    fn skip(&mut self, operator: &str) -> bool {
        let found = self.token().is(operator);
        if found {
            self.advance();
        }
        found
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let found = self.token().is_name(name);
        if found {
            self.advance();
        }
        found
    }

    fn expected(&self, what: &str) -> Error {
        if *self.token() == Token::End {
            return self.error(format!("unexpected end of template, expected '{what}'."));
        }
        self.error(format!("expected token '{what}', got '{}'", self.token().described()))
    }

    fn expect(&mut self, operator: &str) -> Result<()> {
        if self.skip(operator) { Ok(()) } else { Err(self.expected(operator)) }
    }

    fn expect_token(&mut self, token: &Token) -> Result<()> {
        if self.token() == token {
            self.advance();
            Ok(())
        } else {
            Err(self.expected(&token.described()))
        }
    }

    fn expect_name(&mut self) -> Result<Arc<str>> {
        match self.advance_if_name() {
            Some(name) => Ok(name),
            None => Err(self.expected("name")),
        }
    }

    fn advance_if_name(&mut self) -> Option<Arc<str>> {
        let Token::Name(name) = self.token() else {
            return None;
        };
        let name = name.clone();
        self.advance();
        Some(name)
    }

    /// Runs a part of the parser one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEEPEST {
            return Err(self.error(format!(
                "expressions and blocks lie more than {DEEPEST} levels deep in each other"
            )));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }
}
