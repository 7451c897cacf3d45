//! The tree of a template.

use num_bigint::BigInt;
use std::sync::Arc;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Const {
    None,
    Bool(bool),
    Int(BigInt),
    Float(f64),
    Str(Arc<str>),
}

/// An expression with its line.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) line: usize,
    /// How many expressions lie in each other here, this one included.
    pub(crate) depth: usize,
    pub(crate) kind: ExprKind,
}

impl Expr {
    pub(crate) fn new(line: usize, kind: ExprKind) -> Self {
        let mut deepest = 0;
        kind.parts(&mut |part| deepest = deepest.max(part.depth));
        Expr { line, depth: deepest + 1, kind }
    }

    /// Whether it is made of constants alone.
    pub(crate) fn is_constant(&self) -> bool {
        let mut constant = !matches!(self.kind, ExprKind::Name(_) | ExprKind::Call(..));
        self.kind.parts(&mut |part| constant = constant && part.is_constant());
        constant
    }
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Const(Const),
    Name(Arc<str>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    Concat(Vec<Expr>),
    Condition {
        test: Box<Expr>,
        yes: Box<Expr>,
        no: Option<Box<Expr>>,
    },
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice([Option<Box<Expr>>; 3]),
    Call(Box<Expr>, Args),
    /// Without a value inside of `{% filter %}` and `{% set x | … %}`, which give it one.
    Filter(Option<Box<Expr>>, Arc<str>, Args),
    Test(Box<Expr>, Arc<str>, Args),
}

impl ExprKind {
    /// Calls `found` for each expression that is a part of this one.
    pub(crate) fn parts(&self, found: &mut dyn FnMut(&Expr)) {
        match self {
            ExprKind::Name(_) | ExprKind::Const(_) => {}
            ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Concat(items) => {
                items.iter().for_each(found);
            }
            ExprKind::Dict(entries) => {
                for (key, value) in entries {
                    found(key);
                    found(value);
                }
            }
            ExprKind::Unary(_, value) | ExprKind::Attribute(value, _) => found(value),
            ExprKind::Binary(_, a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::Item(a, b) => {
                found(a);
                found(b);
            }
            ExprKind::Compare(first, rest) => {
                found(first);
                for (_, value) in rest {
                    found(value);
                }
            }
            ExprKind::Condition { test, yes, no } => {
                found(test);
                found(yes);
                if let Some(no) = no {
                    found(no);
                }
            }
            ExprKind::Slice(parts) => parts.iter().flatten().for_each(|part| found(part)),
            ExprKind::Call(value, args) | ExprKind::Test(value, _, args) => {
                found(value);
                args.parts(found);
            }
            ExprKind::Filter(value, _, args) => {
                if let Some(value) = value {
                    found(value);
                }
                args.parts(found);
            }
        }
    }
}

impl Args {
    fn parts(&self, found: &mut dyn FnMut(&Expr)) {
        self.positional.iter().for_each(&mut *found);
        self.named.iter().for_each(|(_, value)| found(value));
        let spread = self.spread.iter().chain(&self.spread_named);
        spread.for_each(|value| found(value));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Negative,
    Positive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
}

/// What is passed to a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Expr>,
    pub(crate) named: Vec<(Arc<str>, Expr)>,
    pub(crate) spread: Option<Box<Expr>>,
    pub(crate) spread_named: Option<Box<Expr>>,
}

/// What can be assigned to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Name(Arc<str>),
    Tuple(Vec<Target>),
    /// `namespace.attribute`
    Attribute(Arc<str>, Arc<str>),
}

/// A statement with its line.
#[derive(Clone, Debug)]
pub(crate) struct Stmt {
    pub(crate) line: usize,
    pub(crate) kind: StmtKind,
}

#[derive(Clone, Debug)]
pub(crate) enum StmtKind {
    Data(Arc<str>),
    Print(Expr),
    Set(Target, Expr),
    SetBlock {
        target: Target,
        filter: Option<Expr>,
        body: Scope,
    },
    If(Vec<(Option<Expr>, Vec<Stmt>)>),
    For(Arc<For>),
    With {
        values: Vec<(Target, Expr)>,
        body: Scope,
    },
    Macro(Arc<MacroDef>),
    Call {
        call: Expr,
        caller: Arc<MacroDef>,
    },
    FilterBlock {
        filter: Expr,
        body: Scope,
    },
    /// A body with names of its own, and whether text is escaped in it.
    Autoescape(Expr, Scope),
    Block {
        scoped: bool,
        required: bool,
        body: Arc<Scope>,
        name: Arc<str>,
    },
    /// `include`, `import`, `from`, `extends`: what cannot be done without other templates.
    NoLoader,
    Break,
    Continue,
}

/// What a name is when its scope is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Given by who enters the scope.
    Parameter,
    /// A variable of the caller, or a global function.
    Resolve,
    /// What the scope around has.
    Alias,
    /// Nothing.
    Undefined,
}

/// The names of a scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols {
    pub(crate) names: Vec<(Arc<str>, Load)>,
}

/// Statements with names of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) body: Vec<Stmt>,
    pub(crate) symbols: Symbols,
}

#[derive(Clone, Debug)]
pub(crate) struct For {
    pub(crate) target: Target,
    pub(crate) iter: Expr,
    pub(crate) test: Option<(Expr, Symbols)>,
    pub(crate) recursive: bool,
    pub(crate) body: Scope,
    pub(crate) otherwise: Option<Scope>,
}

/// A macro, or the body of a `call` block.
#[derive(Clone, Debug)]
pub(crate) struct MacroDef {
    pub(crate) name: Arc<str>,
    pub(crate) params: Vec<Arc<str>>,
    /// For the last parameters.
    pub(crate) defaults: Vec<Expr>,
    pub(crate) body: Scope,
    /// Which of `caller`, `kwargs` and `varargs` the body uses.
    pub(crate) uses_caller: bool,
    pub(crate) uses_kwargs: bool,
    pub(crate) uses_varargs: bool,
}
