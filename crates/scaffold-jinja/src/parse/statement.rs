//! Statements.

use super::Parser;
use crate::ast::{Args, Expr, ExprKind, For, MacroDef, Scope, Stmt, StmtKind, Symbols, Target};
use crate::error::{Error, Result};
use crate::lex::Token;
use crate::symbols;
use std::sync::Arc;

/// What a `generation` block calls: a function that gives back what its caller writes.
pub(crate) const GENERATION: &str = "generation block";

fn scope(body: Vec<Stmt>) -> Scope {
    Scope { body, symbols: Symbols::default() }
}

impl Parser {
    /// Statements up to a tag of `ends`, whose name is the current token then; without ends, up to
    /// the end of the template.
    pub(super) fn body(&mut self, ends: &'static [&'static str]) -> Result<Vec<Stmt>> {
        self.ends.push(ends);
        let body = self.deeper(|parser| parser.statements(ends))?;
        self.ends.pop();
        Ok(body)
    }

    fn statements(&mut self, ends: &'static [&'static str]) -> Result<Vec<Stmt>> {
        let mut out = Vec::new();
        loop {
            let line = self.line();
            match self.token().clone() {
                Token::Data(text) => {
                    self.advance();
                    out.push(Stmt { line, kind: StmtKind::Data(text) });
                }
                Token::VariableBegin => {
                    self.advance();
                    let value = self.tuple(&[], false)?;
                    self.expect_token(&Token::VariableEnd)?;
                    out.push(Stmt { line, kind: StmtKind::Print(value) });
                }
                Token::BlockBegin => {
                    self.advance();
                    if let Token::Name(name) = self.token()
                        && ends.contains(&&**name)
                    {
                        return Ok(out);
                    }
                    self.statement(&mut out)?;
                    self.expect_token(&Token::BlockEnd)?;
                }
                Token::End if ends.is_empty() => return Ok(out),
                Token::End => return Err(self.unclosed(None)),
                other => {
                    return Err(self.error(format!("unexpected '{}'", other.described())));
                }
            }
        }
    }

    /// The end of the template, or a tag that nobody knows.
    fn unclosed(&self, tag: Option<&str>) -> Error {
        let mut message = match tag {
            Some(tag) => format!("Encountered unknown tag '{tag}'."),
            None => "Unexpected end of template.".to_owned(),
        };
        if let Some(ends) = self.ends.last().filter(|ends| !ends.is_empty()) {
            let looking =
                ends.iter().map(|end| format!("'{end}'")).collect::<Vec<_>>().join(" or ");
            let known = tag.is_some_and(|tag| self.ends.iter().any(|ends| ends.contains(&tag)));
            let more = if known {
                format!(
                    " You probably made a nesting mistake. Jinja is expecting this tag, but currently \
                     looking for {looking}."
                )
            } else {
                format!(" Jinja was looking for the following tags: {looking}.")
            };
            message.push_str(&more);
        }
        if let Some(open) = self.open.last() {
            let more = format!(" The innermost block that needs to be closed is '{open}'.");
            message.push_str(&more);
        }
        self.error(message)
    }

    fn statement(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let line = self.line();
        let Token::Name(tag) = self.token().clone() else {
            return Err(self.error("tag name expected"));
        };
        self.open.push(tag.clone());
        let kind = match &*tag {
            "for" => self.for_loop()?,
            "if" => self.branches()?,
            "set" => self.set()?,
            "macro" => self.macro_definition()?,
            "call" => self.call_block()?,
            "generation" => self.generation(line)?,
            "filter" => self.filter_block()?,
            "with" => self.with()?,
            "autoescape" => self.autoescape()?,
            "block" => self.block()?,
            "print" => {
                self.advance();
                return self.print(line, out);
            }
            "break" | "continue" => {
                self.advance();
                if !self.in_loop {
                    return Err(self.error(format!("'{tag}' outside loop")));
                }
                if &*tag == "break" { StmtKind::Break } else { StmtKind::Continue }
            }
            "include" | "import" | "from" | "extends" => {
                while !matches!(self.token(), Token::BlockEnd | Token::End) {
                    self.advance();
                }
                StmtKind::NoLoader
            }
            _ => {
                self.open.pop();
                return Err(self.unclosed(Some(&tag)));
            }
        };
        self.open.pop();
        out.push(Stmt { line, kind });
        Ok(())
    }

    /// A body between its opening tag and one of `ends`.
    fn block_body(&mut self, ends: &'static [&'static str]) -> Result<Vec<Stmt>> {
        self.skip(":");
        self.expect_token(&Token::BlockEnd)?;
        self.body(ends)
    }

    /// The same; the end's name is taken.
    fn closed_body(&mut self, ends: &'static [&'static str]) -> Result<Vec<Stmt>> {
        let body = self.block_body(ends)?;
        self.advance();
        Ok(body)
    }

    /// A body that `break` cannot leave.
    fn function_body(&mut self, ends: &'static [&'static str]) -> Result<Vec<Stmt>> {
        let in_loop = std::mem::replace(&mut self.in_loop, false);
        let body = self.closed_body(ends)?;
        self.in_loop = in_loop;
        Ok(body)
    }

    fn print(&mut self, line: usize, out: &mut Vec<Stmt>) -> Result<()> {
        let mut first = true;
        while !matches!(self.token(), Token::BlockEnd | Token::End) {
            if !first {
                self.expect(",")?;
            }
            first = false;
            let value = self.expression()?;
            out.push(Stmt { line, kind: StmtKind::Print(value) });
        }
        self.open.pop();
        Ok(())
    }

    fn set(&mut self) -> Result<StmtKind> {
        self.advance();
        let target = self.target(&[], true)?;
        if self.skip("=") {
            return Ok(StmtKind::Set(target, self.tuple(&[], false)?));
        }
        let filter = self.filter(None)?;
        let body = scope(self.closed_body(&["endset"])?);
        Ok(StmtKind::SetBlock { target, filter, body })
    }

    fn branches(&mut self) -> Result<StmtKind> {
        let mut branches = Vec::new();
        self.advance();
        loop {
            let test = self.tuple_without_condition(&[])?;
            let body = self.block_body(&["elif", "else", "endif"])?;
            branches.push((Some(test), body));
            match self.advance() {
                token if token.is_name("elif") => {}
                token if token.is_name("else") => {
                    branches.push((None, self.closed_body(&["endif"])?));
                    break;
                }
                _ => break,
            }
        }
        Ok(StmtKind::If(branches))
    }

    fn for_loop(&mut self) -> Result<StmtKind> {
        self.advance();
        let target = self.target(&["in"], false)?;
        if !self.skip_name("in") {
            return Err(self.expected("in"));
        }
        let iter = self.tuple_without_condition(&["recursive"])?;
        let test = if self.skip_name("if") {
            Some((self.expression()?, Symbols::default()))
        } else {
            None
        };
        let recursive = self.skip_name("recursive");
        let outside = std::mem::replace(&mut self.in_loop, true);
        let body = scope(self.block_body(&["endfor", "else"])?);
        self.in_loop = outside && !recursive;
        let otherwise = if self.advance().is_name("else") {
            Some(scope(self.closed_body(&["endfor"])?))
        } else {
            None
        };
        self.in_loop = outside;
        let statement = For { target, iter, test, recursive, body, otherwise };
        if symbols::stores_loop(&statement) {
            return Err(self.error("Can't assign to special loop variable in for-loop target"));
        }
        Ok(StmtKind::For(Arc::new(statement)))
    }

    fn with(&mut self) -> Result<StmtKind> {
        self.advance();
        let mut values = Vec::new();
        while !matches!(self.token(), Token::BlockEnd | Token::End) {
            if !values.is_empty() {
                self.expect(",")?;
            }
            let target = self.target(&[], false)?;
            self.expect("=")?;
            values.push((target, self.expression()?));
        }
        let body = scope(self.closed_body(&["endwith"])?);
        Ok(StmtKind::With { values, body })
    }

    fn autoescape(&mut self) -> Result<StmtKind> {
        self.advance();
        let on = self.expression()?;
        let body = scope(self.closed_body(&["endautoescape"])?);
        Ok(StmtKind::Autoescape(on, body))
    }

    fn block(&mut self) -> Result<StmtKind> {
        self.advance();
        let name = self.expect_name()?;
        let scoped = self.skip_name("scoped");
        let required = self.skip_name("required");
        if self.token().is("-") {
            return Err(self.error(
                "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use \
                 an underscore instead.",
            ));
        }
        if self.blocks.contains(&name) {
            return Err(self.error(format!("block '{name}' defined twice")));
        }
        self.blocks.push(name.clone());
        let body = self.function_body(&["endblock"])?;
        if required
            && body.iter().any(|statement| {
                !matches!(&statement.kind, StmtKind::Data(text) if text.chars().all(crate::chars::is_space))
            })
        {
            return Err(self.error("Required blocks can only contain comments or whitespace"));
        }
        if self.token().is_name(&name) {
            self.advance();
        }
        Ok(StmtKind::Block { scoped, required, body: Arc::new(scope(body)), name })
    }

    fn filter_block(&mut self) -> Result<StmtKind> {
        self.advance();
        let first = self.one_filter(None)?;
        let filter = self.filter(Some(first.clone()))?.unwrap_or(first);
        let body = scope(self.closed_body(&["endfilter"])?);
        Ok(StmtKind::FilterBlock { filter, body })
    }

    fn signature(&mut self) -> Result<(Vec<Arc<str>>, Vec<Expr>)> {
        let (mut params, mut defaults): (Vec<Arc<str>>, Vec<Expr>) = (Vec::new(), Vec::new());
        self.expect("(")?;
        while !self.token().is(")") {
            if !params.is_empty() {
                self.expect(",")?;
            }
            let Target::Name(name) = self.name_target()? else {
                return Err(self.expected("name"));
            };
            if params.contains(&name) {
                return Err(
                    self.error(format!("duplicate argument '{name}' in function definition"))
                );
            }
            params.push(name);
            if self.skip("=") {
                defaults.push(self.expression()?);
            } else if !defaults.is_empty() {
                return Err(self.error("non-default argument follows default argument"));
            }
        }
        self.expect(")")?;
        Ok((params, defaults))
    }

    fn macro_definition(&mut self) -> Result<StmtKind> {
        self.advance();
        let Target::Name(name) = self.name_target()? else {
            return Err(self.expected("name"));
        };
        let (params, defaults) = self.signature()?;
        let body = self.function_body(&["endmacro"])?;
        Ok(StmtKind::Macro(Arc::new(self.definition(name, params, defaults, body)?)))
    }

    fn definition(
        &self,
        name: Arc<str>,
        params: Vec<Arc<str>>,
        defaults: Vec<Expr>,
        body: Vec<Stmt>,
    ) -> Result<MacroDef> {
        let used = symbols::undeclared(&body, &["caller", "kwargs", "varargs"]);
        let has = |name: &str| params.iter().position(|param| &**param == name);
        let uses = |name: &str| used.contains(&name.to_owned());
        if let Some(at) = has("caller").filter(|_| uses("caller"))
            && at + defaults.len() < params.len()
        {
            return Err(self.error(
                "When defining macros or call blocks the special \"caller\" argument must be omitted or be \
                 given a default.",
            ));
        }
        Ok(MacroDef {
            uses_caller: uses("caller"),
            uses_kwargs: uses("kwargs") && has("kwargs").is_none(),
            uses_varargs: uses("varargs") && has("varargs").is_none(),
            name,
            params,
            defaults,
            body: scope(body),
        })
    }

    fn call_block(&mut self) -> Result<StmtKind> {
        self.advance();
        let (params, defaults) =
            if self.token().is("(") { self.signature()? } else { (Vec::new(), Vec::new()) };
        let call = self.expression()?;
        if !matches!(call.kind, ExprKind::Call(..)) {
            return Err(self.error("expected call"));
        }
        let body = self.function_body(&["endcall"])?;
        let caller = Arc::new(self.definition("caller".into(), params, defaults, body)?);
        Ok(StmtKind::Call { call, caller })
    }

    fn generation(&mut self, line: usize) -> Result<StmtKind> {
        self.advance();
        let body = self.function_body(&["endgeneration"])?;
        let caller = Arc::new(self.definition("caller".into(), Vec::new(), Vec::new(), body)?);
        let function = Expr::new(line, ExprKind::Name(GENERATION.into()));
        let kind = ExprKind::Call(Box::new(function), Args::default());
        let call = Expr::new(line, kind);
        Ok(StmtKind::Call { call, caller })
    }
}
