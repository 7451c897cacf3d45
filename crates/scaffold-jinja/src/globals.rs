//! The functions that every template has.

use crate::error::{
    Error, ErrorKind, Result, arithmetic_error, runtime_error, type_error, value_error,
};
use crate::state::State;
use crate::text::Text;
use crate::value::{Call, Dict, Global, Items, Key, Range, Value, index};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The longest range that Jinja2's sandbox lets through.
const LONGEST_RANGE: usize = 100_000;

/// Namespaces take no names that begin with an underscore.
pub(crate) fn check_namespace_name(name: &str) -> Result<()> {
    if name.starts_with('_') {
        return Err(Error::new(
            ErrorKind::Security,
            format!(
                "Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. \
                 Please rename the attribute."
            ),
        ));
    }
    Ok(())
}

/// `name(…)`
pub(crate) fn call(state: &State, global: Global, call: Call) -> Result<Value> {
    match global {
        Global::Range => range(call),
        Global::Dict => Ok(Value::Dict(Rc::new(dict(state, call)?))),
        Global::Namespace => {
            let dict = dict(state, call)?;
            for key in dict.keys() {
                check_namespace_name(key.0.as_str().unwrap_or_default())?;
            }
            let names = Rc::new(RefCell::new(dict));
            state.keep_namespace(&names);
            Ok(Value::Namespace(names))
        }
        Global::Cycler => {
            if !call.named.is_empty() {
                return Err(type_error("Cycler.__init__() got an unexpected keyword argument"));
            }
            if call.positional.is_empty() {
                return Err(runtime_error("at least one item has to be provided"));
            }
            Ok(Value::Cycler(Rc::new((Items::new(call.positional), Cell::new(0)))))
        }
        Global::Joiner => {
            let separator = call.bind("Joiner.__init__", &["sep"], 0, 1)?.get(0);
            let separator = separator.unwrap_or_else(|| Value::str(", "));
            Ok(Value::Joiner(Rc::new((separator, Cell::new(false)))))
        }
        Global::RaiseException => {
            let message = call.bind("raise_exception", &["message"], 1, 0)?.need(0);
            let message = message.text(&state.budget)?;
            Err(Error::new(ErrorKind::Raised, message.as_str()))
        }
        Global::StrftimeNow => {
            let format = call.bind("strftime_now", &["format"], 1, 0)?.need(0);
            let Some(format) = format.as_str() else {
                return Err(type_error(format!(
                    "strftime() argument 1 must be str, not {}",
                    format.type_name()
                )));
            };
            state.budget.take(format.len().saturating_mul(16))?;
            Ok(Value::Str(Text::new(crate::time::strftime(format, &state.now))))
        }
        Global::Lipsum => Err(runtime_error(
            "lipsum() would give another prompt each time, so it is not available",
        )),
    }
}

fn range(call: Call) -> Result<Value> {
    let mut args = call.bind_positional("range", 1, 3)?;
    let first = index(&args.need(0))?;
    let (start, stop) = match args.get(1) {
        Some(stop) => (first, index(&stop)?),
        None => (0, first),
    };
    let step = args.get(2).map(|step| index(&step)).transpose()?.unwrap_or(1);
    if step == 0 {
        return Err(value_error("range() arg 3 must not be zero"));
    }
    let range = Range { start, stop, step };
    if range.len() > LONGEST_RANGE {
        return Err(arithmetic_error(format!(
            "Range too big. The sandbox blocks ranges larger than MAX_RANGE ({LONGEST_RANGE})."
        )));
    }
    Ok(Value::Range(range))
}

/// `dict(…)`: a mapping or pairs, and named arguments over them.
fn dict(state: &State, call: Call) -> Result<Dict> {
    let mut dict = Dict::default();
    if call.positional.len() > 1 {
        return Err(type_error(format!(
            "dict expected at most 1 argument, got {}",
            call.positional.len()
        )));
    }
    match call.positional.first() {
        None => {}
        Some(Value::Dict(given)) => dict = given.as_ref().clone(),
        Some(Value::Undefined(undefined)) => return Err(undefined.error()),
        Some(pairs) => {
            for (at, pair) in pairs.items(&state.budget)?.iter().enumerate() {
                if !pair.is_iterable() {
                    return Err(type_error(format!(
                        "cannot convert dictionary update sequence element #{at} to a sequence"
                    )));
                }
                let mut pair = pair.items(&state.budget)?;
                if pair.len() != 2 {
                    return Err(value_error(format!(
                        "dictionary update sequence element #{at} has length {}; 2 is required",
                        pair.len()
                    )));
                }
                let value = pair.pop().unwrap_or(Value::None);
                let key = pair.pop().unwrap_or(Value::None);
                key.hashable(&state.budget)?;
                dict.insert(Key(key), value);
            }
        }
    }
    for (name, value) in call.named {
        dict.insert(Key(Value::str(name)), value);
    }
    state.budget.items(dict.len())?;
    Ok(dict)
}
