//! The configuration, for programs in Python: what they say over it, and what it comes to.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use scaffold::config::{Config, Flag, Inputs, Key, process_variable};
use scaffold::{Error, Kind};
use serde_json::Value;

use crate::errors::OrRaise;

/// What a program says over the environment, `.env` and `scaffold.toml`: names of arguments, or of
/// settings, with their values as text.
pub(crate) type Said = Vec<(String, String)>;

/// The arguments that are settings, each with its key.
const ARGUMENTS: [(&str, Key); 18] = [
    ("model", Key::Model),
    ("max_new_tokens", Key::MaxLength),
    ("temperature", Key::Temperature),
    ("do_sample", Key::DoSample),
    ("top_p", Key::TopP),
    ("top_k", Key::TopK),
    ("device", Key::Device),
    ("dtype", Key::TorchDtype),
    ("use_fast_tokenizer", Key::UseFastTokenizer),
    ("token", Key::Token),
    ("threads", Key::Threads),
    ("cpu", Key::Cpu),
    ("context", Key::Context),
    ("kv_type", Key::KvType),
    ("packed_cache", Key::PackedCache),
    ("unknown_keys", Key::UnknownKeys),
    ("cache_dir", Key::HubCache),
    ("offline", Key::Offline),
];

/// The configuration of this process, with what the program says over it.
///
/// # Errors
/// A value that its setting does not take, or a file that cannot be read.
pub(crate) fn effective(said: Said) -> Result<Config, Error> {
    let flags = said.into_iter().map(|(name, value)| flag(&name, value));
    let config = Config::load(Inputs {
        variable: &process_variable,
        project: std::env::current_dir().ok(),
        file: None,
        flags: flags.collect::<Result<_, _>>()?,
    })?;
    // A crash of a process that holds a token must not leave it on the disk.
    if config.hub.token.is_some() {
        scaffold::hub::forbid_core_files();
    }
    Ok(config)
}

fn flag(said: &str, value: String) -> Result<Flag, Error> {
    if let Some((name, key)) = ARGUMENTS.iter().find(|(name, _)| *name == said) {
        return Ok(Flag { key: *key, name, value });
    }
    let key = Key::by_name(said).ok_or_else(|| {
        let known = ARGUMENTS.map(|(name, _)| name).join(", ");
        Error::new(Kind::Usage, format!("there is no setting {said:?}\n  accepted: {known}"))
            .of_key(said)
    })?;
    Ok(Flag { key, name: key.name(), value })
}

/// Every setting that is in force by its name (`LLM_TEMPERATURE`): its value and, in words, who set it.
/// Secrets are masked.
#[pyfunction]
pub(crate) fn settings(py: Python<'_>, said: Said) -> PyResult<Bound<'_, PyDict>> {
    let config = py.detach(|| effective(said)).or_raise(py)?;
    let all = PyDict::new(py);
    for row in config.rows() {
        all.set_item(row.key.name(), (python(py, &row.value)?, row.source.to_string()))?;
    }
    Ok(all)
}

/// A word, a number or a truth; none where nothing is set.
fn python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into_pyobject(py)?.into_any(),
            None => number.as_f64().into_pyobject(py)?.into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        other => PyString::new(py, &other.to_string()).into_any(),
    })
}

/// The version of the package, and of the library and the command in it.
#[pyfunction]
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
