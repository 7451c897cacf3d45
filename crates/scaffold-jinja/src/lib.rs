//! Jinja2 as Python runs it: chat templates of the Hub rendered byte for byte.
//!
//! Chat templates are programs for Python's Jinja2, set up as `transformers` does: a sandbox
//! without side effects, trimmed blocks, `break` and `continue`, `generation` blocks, `tojson`,
//! `raise_exception` and `strftime_now`. What they print depends on Python's own rules (how a float
//! is written, what `"a" < 1` does, what `none is iterable` says), so this crate has Python's
//! values and Jinja2's scopes rather than something near them. `tests/` compares it with both.
//!
//! Text also knows where it came from: a [`Variable`] can be marked, and the [`Rendering`] tells
//! which bytes were taken from marked ones, however the template cut, joined or changed them.
//!
//! The types to know are [`Template`], [`Variable`], [`Rendering`], [`Json`] and [`Error`].
//!
//! ```
//! use scaffold_jinja::{DateTime, Json, Limits, Template, Variable};
//!
//! let template = Template::parse("{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}\n{% endfor %}")?;
//! let messages = Variable {
//!     name: "messages".to_owned(),
//!     value: Json::parse(r#"[{"role": "user", "content": " Hello "}]"#)?,
//!     marked: true,
//! };
//! let rendering = template.render(&[messages], DateTime::now(), Limits::default())?;
//! assert_eq!(rendering.text, "<|user|>Hello\n");
//! assert_eq!(rendering.marked, [2..6, 8..13]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "what a template calls takes its arguments as a whole, whether it needs all of them or not"
)]

mod access;
mod ast;
mod budget;
mod change;
mod chars;
mod checks;
mod dumps;
mod error;
mod filters;
mod format;
#[doc(hidden)]
pub mod fuzzing;
mod globals;
mod json;
mod lex;
mod markup;
mod methods;
mod number;
mod operators;
mod parse;
mod quote;
mod run;
mod state;
mod symbols;
mod text;
mod time;
mod value;

pub use budget::Limits;
pub use error::{Error, ErrorKind};
pub use json::{Json, JsonError};
pub use run::Variable;
pub use time::DateTime;

use std::ops::Range;

/// The stack that templates are read and run on: their depth is limited to what fits.
const STACK: usize = 64 << 20;

/// What an error says of a template whose thread panicked: the words by which tests know a fault of
/// this crate.
#[doc(hidden)]
pub const PANICKED: &str = "the template ended its thread";

/// A template, read and checked. It is immutable and can be shared between threads.
#[derive(Clone, Debug)]
pub struct Template {
    scope: ast::Scope,
}

/// What a template wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendering {
    /// The text.
    pub text: String,
    /// The ranges of bytes of it that came from marked variables: sorted, apart from each other,
    /// not empty.
    pub marked: Vec<Range<usize>>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`] with the line.
    pub fn parse(source: &str) -> Result<Self, Error> {
        let scope = on_large_stack(|| parse::template(source))??;
        Ok(Template { scope })
    }

    /// Renders the template with variables. `now` is what `strftime_now` tells.
    ///
    /// # Errors
    /// What Python would raise, as an [`Error`] with its kind and line; [`ErrorKind::Steps`] and
    /// [`ErrorKind::Memory`] where the limits are reached.
    pub fn render(
        &self,
        variables: &[Variable],
        now: DateTime,
        limits: Limits,
    ) -> Result<Rendering, Error> {
        on_large_stack(|| {
            let text = run::render(&self.scope, variables, now, limits)?;
            Ok(Rendering { text: text.as_str().to_owned(), marked: text.marks().to_vec() })
        })?
    }
}

fn on_large_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let failed = |what: String| Error::new(ErrorKind::Memory, what);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("template".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, run)
            .map_err(|error| {
                failed(format!("no thread could be started for the template: {error}"))
            })?
            .join()
            .map_err(|_| failed(PANICKED.to_owned()))
    })
}
