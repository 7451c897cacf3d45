//! The environment that chat templates are written for: Jinja as `transformers` sets it up.

use super::options::DateTime;
use super::python::{filters, json::Dumps, methods, percent, repr, time};
use super::rewrite::PERCENT_FILTER;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

/// What a template may cost, in steps of minijinja's machine: a long chat takes some tens of thousands.
pub(super) const FUEL: u64 = 20_000_000;
/// How deep macros and loops may call each other.
const DEEPEST: usize = 120;
/// The variable that carries the time to `strftime_now`.
pub(super) const NOW: &str = "__now";

/// The words of `raise_exception`, carried through minijinja's errors.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

pub(super) fn new() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .expect("the standard delimiters"),
    );
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(DEEPEST);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_unknown_method_callback(methods::call);
    env.add_function("raise_exception", raise_exception);
    env.add_function("strftime_now", strftime_now);
    minijinja_contrib::add_to_environment(&mut env);
    env.add_function("cycler", |items: Rest<Value>| {
        minijinja_contrib::globals::cycler(items.to_vec())
    });
    env.add_filter("tojson", tojson);
    env.add_filter("trim", methods::trim);
    env.add_filter("string", filters::string);
    env.add_filter("center", filters::center);
    env.add_filter("truncate", filters::truncate);
    env.add_filter("urlencode", filters::urlencode);
    env.add_filter("wordcount", filters::wordcount);
    env.add_filter(PERCENT_FILTER, percent::percent);
    env.add_test("sequence", is_sequence);
    env.set_formatter(|out, _, value| write!(out, "{}", repr::str(value)).map_err(Error::from));
    env
}

fn raise_exception(message: &Value) -> Result<Value, Error> {
    let message = message.to_string();
    Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Refusal(message)))
}

fn strftime_now(state: &State<'_, '_>, format: &str) -> String {
    let packed = state
        .lookup(NOW)
        .and_then(|value| value.as_str().and_then(unpack));
    time::strftime(format, &packed.unwrap_or_else(DateTime::now))
}

/// The time as a string that only [`unpack`] reads.
pub(super) fn pack(now: &DateTime) -> String {
    let seconds = now.days() * 86_400
        + i64::from(now.hour) * 3600
        + i64::from(now.minute) * 60
        + i64::from(now.second);
    format!("{seconds}.{}", now.microsecond)
}

fn unpack(text: &str) -> Option<DateTime> {
    let (seconds, microsecond) = text.split_once('.')?;
    Some(DateTime {
        microsecond: microsecond.parse().ok()?,
        ..DateTime::from_unix(seconds.parse().ok()?)
    })
}

/// `json.dumps(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`
#[expect(
    clippy::needless_pass_by_value,
    reason = "minijinja passes arguments by value"
)]
fn tojson(
    value: &Value,
    ensure_ascii: Option<Value>,
    indent: Option<Value>,
    separators: Option<Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let argument = |positional: Option<Value>, name: &str| -> Result<Option<Value>, Error> {
        let given = match positional {
            Some(value) => Some(value),
            None => kwargs.get::<Option<Value>>(name)?,
        };
        Ok(given.filter(|value| !value.is_none() && !value.is_undefined()))
    };
    let ensure_ascii = argument(ensure_ascii, "ensure_ascii")?.is_some_and(|value| value.is_true());
    let indent = argument(indent, "indent")?.map(|value| {
        if let Some(text) = value.as_str() {
            text.to_owned()
        } else {
            let width = value.as_i64().unwrap_or(i64::from(value.is_true()));
            " ".repeat(width.clamp(0, 100) as usize)
        }
    });
    let separators = match argument(separators, "separators")? {
        None => None,
        Some(pair) => {
            let part = |index: usize| {
                pair.get_item(&Value::from(index))
                    .map(|part| part.to_string())
            };
            Some((part(0)?, part(1)?))
        }
    };
    let sort_keys = argument(None, "sort_keys")?.is_some_and(|value| value.is_true());
    kwargs.assert_all_used()?;
    Dumps::new(ensure_ascii, indent, separators, sort_keys).dump(value)
}

/// What Jinja calls a sequence: everything that has a length and items.
fn is_sequence(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::String | ValueKind::Seq | ValueKind::Map
    )
}
