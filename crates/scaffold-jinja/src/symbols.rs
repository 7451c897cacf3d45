//! Which names belong to which scope, and what they are before something is assigned to them.
//!
//! Jinja2 decides this when it compiles a template, and templates depend on it: a name that a scope
//! assigns somewhere is that scope's own from the beginning, so that reading it earlier gives what
//! the scope around has (or nothing, if only the caller's variables have it).

use crate::ast::{Expr, ExprKind, For, Load, MacroDef, Scope, Stmt, StmtKind, Symbols, Target};
use crate::error::Result;
use std::collections::HashSet;
use std::sync::Arc;

impl Symbols {
    fn get(&self, name: &str) -> bool {
        self.names.iter().any(|(known, _)| &**known == name)
    }

    fn put(&mut self, name: &Arc<str>, load: Load) {
        match self.names.iter_mut().find(|(known, _)| known == name) {
            Some(entry) => entry.1 = load,
            None => self.names.push((name.clone(), load)),
        }
    }
}

/// A scope while its names are being found.
#[derive(Clone)]
struct Table<'a> {
    symbols: Symbols,
    stores: HashSet<Arc<str>>,
    parent: Option<&'a Table<'a>>,
}

impl<'a> Table<'a> {
    fn new(parent: Option<&'a Table<'a>>) -> Self {
        Table { symbols: Symbols::default(), stores: HashSet::new(), parent }
    }

    fn around_has(&self, name: &str) -> bool {
        let mut table = self.parent;
        while let Some(around) = table {
            if around.symbols.get(name) {
                return true;
            }
            table = around.parent;
        }
        false
    }

    fn load(&mut self, name: &Arc<str>) {
        if !self.symbols.get(name) && !self.around_has(name) {
            self.symbols.put(name, Load::Resolve);
        }
    }

    fn store(&mut self, name: &Arc<str>) {
        self.stores.insert(name.clone());
        if !self.symbols.get(name) {
            let load = if self.around_has(name) { Load::Alias } else { Load::Undefined };
            self.symbols.put(name, load);
        }
    }

    fn parameter(&mut self, name: &Arc<str>) {
        self.stores.insert(name.clone());
        self.symbols.put(name, Load::Parameter);
    }

    fn targets(&mut self, target: &Target, parameter: bool) {
        match target {
            Target::Name(name) if parameter => self.parameter(name),
            Target::Name(name) => self.store(name),
            Target::Attribute(name, _) => self.load(name),
            Target::Tuple(targets) => {
                for target in targets {
                    self.targets(target, parameter);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        names_in(expr, &mut |name| self.load(name));
    }

    fn body(&mut self, body: &[Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match &statement.kind {
            StmtKind::Print(value) => self.expr(value),
            StmtKind::Set(target, value) => {
                self.expr(value);
                self.targets(target, false);
            }
            StmtKind::SetBlock { target, .. } => self.targets(target, false),
            StmtKind::If(branches) => self.branches(branches),
            StmtKind::For(statement) => self.expr(&statement.iter),
            StmtKind::With { values, .. } => {
                for (_, value) in values {
                    self.expr(value);
                }
            }
            StmtKind::Macro(definition) => self.store(&definition.name),
            StmtKind::Call { call, .. } => self.expr(call),
            StmtKind::FilterBlock { filter, .. } => self.expr(filter),
            StmtKind::Data(_)
            | StmtKind::Autoescape(..)
            | StmtKind::Block { .. }
            | StmtKind::NoLoader
            | StmtKind::Break
            | StmtKind::Continue => {}
        }
    }

    /// A name that only some branches assign is before that what the scope around has.
    fn branches(&mut self, branches: &[(Option<Expr>, Vec<Stmt>)]) {
        let Some(((Some(test), body), rest)) = branches.split_first() else {
            return;
        };
        self.expr(test);
        let mut first = self.clone();
        first.body(body);
        let (mut elifs, mut otherwise) = (self.clone(), self.clone());
        for (test, body) in rest {
            match test {
                Some(test) => {
                    elifs.expr(test);
                    let mut inner = elifs.clone();
                    inner.body(body);
                    elifs.merge(vec![inner]);
                }
                None => otherwise.body(body),
            }
        }
        self.merge(vec![first, elifs, otherwise]);
    }

    fn merge(&mut self, branches: Vec<Table<'a>>) {
        let mut stores = Vec::new();
        for branch in &branches {
            for name in branch.stores.difference(&self.stores) {
                if !stores.contains(name) {
                    stores.push(name.clone());
                }
            }
        }
        for branch in branches {
            for (name, load) in &branch.symbols.names {
                self.symbols.put(name, *load);
            }
            self.stores.extend(branch.stores);
        }
        for name in stores {
            let load = if self.around_has(&name) { Load::Alias } else { Load::Resolve };
            self.symbols.put(&name, load);
        }
    }
}

/// Finds the names of a template and of all scopes in it.
pub(crate) fn resolve(template: &mut Scope) -> Result<()> {
    inner(template, None, |_| {})
}

/// Finds the names of a scope and of those in it; `begin` declares what it is entered with.
fn inner(scope: &mut Scope, parent: Option<&Table>, begin: impl FnOnce(&mut Table)) -> Result<()> {
    let mut table = Table::new(parent);
    begin(&mut table);
    table.body(&scope.body);
    for statement in &mut scope.body {
        scopes_in(statement, &table)?;
    }
    scope.symbols = table.symbols;
    Ok(())
}

fn scopes_in(statement: &mut Stmt, table: &Table) -> Result<()> {
    match &mut statement.kind {
        StmtKind::SetBlock { filter, body, .. } => inner(body, Some(table), |table| {
            if let Some(filter) = filter {
                table.expr(filter);
            }
        }),
        StmtKind::If(branches) => branches
            .iter_mut()
            .flat_map(|(_, body)| body)
            .try_for_each(|statement| scopes_in(statement, table)),
        StmtKind::For(statement) => match Arc::get_mut(statement) {
            Some(statement) => for_scopes(statement, table),
            None => Ok(()),
        },
        StmtKind::With { values, body } => inner(body, Some(table), |table| {
            for (target, _) in values {
                table.targets(target, true);
            }
        }),
        StmtKind::Macro(definition) | StmtKind::Call { caller: definition, .. } => {
            match Arc::get_mut(definition) {
                Some(definition) => macro_scope(definition, table),
                None => Ok(()),
            }
        }
        StmtKind::FilterBlock { filter, body } => {
            inner(body, Some(table), |table| table.expr(filter))
        }
        StmtKind::Autoescape(on, body) => inner(body, Some(table), |table| table.expr(on)),
        StmtKind::Block { body, .. } => match Arc::get_mut(body) {
            Some(body) => inner(body, None, |_| {}),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn for_scopes(statement: &mut For, table: &Table) -> Result<()> {
    let target = &statement.target;
    inner(&mut statement.body, Some(table), |table| {
        table.parameter(&"loop".into());
        table.targets(target, true);
    })?;
    if let Some((test, symbols)) = &mut statement.test {
        let mut inside = Table::new(Some(table));
        inside.targets(target, true);
        inside.expr(test);
        *symbols = inside.symbols;
    }
    match &mut statement.otherwise {
        Some(otherwise) => inner(otherwise, Some(table), |_| {}),
        None => Ok(()),
    }
}

fn macro_scope(definition: &mut MacroDef, table: &Table) -> Result<()> {
    let extra = [
        (definition.uses_caller, "caller"),
        (definition.uses_kwargs, "kwargs"),
        (definition.uses_varargs, "varargs"),
    ];
    let (params, defaults) = (&definition.params, &definition.defaults);
    inner(&mut definition.body, Some(table), |table| {
        for param in params {
            table.parameter(param);
        }
        for (_, name) in extra.iter().filter(|(used, _)| *used) {
            table.parameter(&(*name).into());
        }
        for default in defaults {
            table.expr(default);
        }
    })
}

/// Calls `found` for each name that an expression reads.
fn names_in(expr: &Expr, found: &mut dyn FnMut(&Arc<str>)) {
    match &expr.kind {
        ExprKind::Name(name) => found(name),
        kind => kind.parts(&mut |part| names_in(part, found)),
    }
}

/// What happens to a name in a body, scopes and macros in it included.
enum Mention<'a> {
    Read(&'a Arc<str>),
    Stored(&'a Arc<str>),
}

fn mentions(body: &[Stmt], found: &mut dyn FnMut(Mention)) {
    fn read(expr: &Expr, found: &mut dyn FnMut(Mention)) {
        names_in(expr, &mut |name| found(Mention::Read(name)));
    }
    fn stored(target: &Target, found: &mut dyn FnMut(Mention)) {
        match target {
            Target::Name(name) => found(Mention::Stored(name)),
            Target::Attribute(..) => {}
            Target::Tuple(targets) => targets.iter().for_each(|target| stored(target, found)),
        }
    }
    fn definition(definition: &MacroDef, found: &mut dyn FnMut(Mention)) {
        definition.params.iter().for_each(|name| found(Mention::Stored(name)));
        definition.defaults.iter().for_each(|value| read(value, found));
        mentions(&definition.body.body, found);
    }
    for statement in body {
        match &statement.kind {
            StmtKind::Print(value) => read(value, found),
            StmtKind::Set(target, value) => {
                stored(target, found);
                read(value, found);
            }
            StmtKind::SetBlock { target, filter, body } => {
                stored(target, found);
                if let Some(filter) = filter {
                    read(filter, found);
                }
                mentions(&body.body, found);
            }
            StmtKind::If(branches) => {
                for (test, body) in branches {
                    if let Some(test) = test {
                        read(test, found);
                    }
                    mentions(body, found);
                }
            }
            StmtKind::For(statement) => {
                stored(&statement.target, found);
                read(&statement.iter, found);
                mentions(&statement.body.body, found);
                if let Some(otherwise) = &statement.otherwise {
                    mentions(&otherwise.body, found);
                }
                if let Some((test, _)) = &statement.test {
                    read(test, found);
                }
            }
            StmtKind::With { values, body } => {
                for (target, _) in values {
                    stored(target, found);
                }
                for (_, value) in values {
                    read(value, found);
                }
                mentions(&body.body, found);
            }
            StmtKind::Macro(inner) => definition(inner, found),
            StmtKind::Call { call, caller } => {
                read(call, found);
                definition(caller, found);
            }
            StmtKind::FilterBlock { filter, body } => {
                mentions(&body.body, found);
                read(filter, found);
            }
            StmtKind::Autoescape(on, body) => {
                read(on, found);
                mentions(&body.body, found);
            }
            StmtKind::Data(_)
            | StmtKind::Block { .. }
            | StmtKind::NoLoader
            | StmtKind::Break
            | StmtKind::Continue => {}
        }
    }
}

/// Which of the names a body reads before it stores them.
pub(crate) fn undeclared(body: &[Stmt], names: &[&str]) -> Vec<String> {
    let mut open: Vec<&str> = names.to_vec();
    let mut out: Vec<String> = Vec::new();
    mentions(body, &mut |mention| match mention {
        Mention::Read(name) if open.contains(&&**name) && !out.iter().any(|n| **n == **name) => {
            out.push(name.to_string());
        }
        Mention::Read(_) => {}
        Mention::Stored(name) => open.retain(|open| *open != &**name),
    });
    out
}

/// Whether something in a loop assigns to `loop`.
pub(crate) fn stores_loop(statement: &For) -> bool {
    let mut found = false;
    let mut check = |mention: Mention| {
        if let Mention::Stored(name) = mention {
            found = found || &**name == "loop";
        }
    };
    let bodies = [Some(&statement.body), statement.otherwise.as_ref()];
    for body in bodies.into_iter().flatten() {
        mentions(&body.body, &mut check);
    }
    fn names(target: &Target) -> bool {
        match target {
            Target::Name(name) => &**name == "loop",
            Target::Attribute(..) => false,
            Target::Tuple(targets) => targets.iter().any(names),
        }
    }
    found || names(&statement.target)
}

/// All blocks of a template, those inside of other statements too.
pub(crate) fn blocks(body: &[Stmt]) -> Vec<(Arc<str>, Arc<Scope>)> {
    let mut out = Vec::new();
    for statement in body {
        match &statement.kind {
            StmtKind::Block { name, body, .. } => {
                out.push((name.clone(), body.clone()));
                out.extend(blocks(&body.body));
            }
            StmtKind::If(branches) => {
                for (_, body) in branches {
                    out.extend(blocks(body));
                }
            }
            StmtKind::For(statement) => {
                out.extend(blocks(&statement.body.body));
                let otherwise = statement.otherwise.iter();
                otherwise.for_each(|otherwise| out.extend(blocks(&otherwise.body)));
            }
            StmtKind::SetBlock { body, .. }
            | StmtKind::With { body, .. }
            | StmtKind::FilterBlock { body, .. }
            | StmtKind::Autoescape(_, body) => out.extend(blocks(&body.body)),
            StmtKind::Macro(definition) | StmtKind::Call { caller: definition, .. } => {
                out.extend(blocks(&definition.body.body));
            }
            _ => {}
        }
    }
    out
}
