//! The parameters of models of one's own: those of the one table of the sampler, the names that
//! Ollama has besides, and texts that end an answer.

use scaffold_engine::parameter::{self, Parameter};
use scaffold_error::{Error, Notice, Topic, err};
use serde_json::{Map, Number, Value};

use crate::config::{Config, Source};
use crate::llm::{GenerateOptions, setting};

/// What a parameter's value is that means nothing here.
#[derive(Clone, Copy)]
enum Form {
    Whole,
    Real,
    Switch,
}

/// Ollama's names that mean nothing here, as its `api.Options` has them, those that it gave up
/// included. They are kept, so that a model can be taken back to it.
const IDLE: [(&str, Form); 20] = [
    ("num_ctx", Form::Whole),
    ("num_batch", Form::Whole),
    ("num_gpu", Form::Whole),
    ("main_gpu", Form::Whole),
    ("num_thread", Form::Whole),
    ("num_keep", Form::Whole),
    ("repeat_last_n", Form::Whole),
    ("draft_num_predict", Form::Whole),
    ("use_mmap", Form::Switch),
    ("use_mlock", Form::Switch),
    ("low_vram", Form::Switch),
    ("f16_kv", Form::Switch),
    ("logits_all", Form::Switch),
    ("vocab_only", Form::Switch),
    ("numa", Form::Switch),
    ("penalize_newline", Form::Switch),
    ("mirostat", Form::Whole),
    ("mirostat_tau", Form::Real),
    ("mirostat_eta", Form::Real),
    ("tfs_z", Form::Real),
];

/// What a name stands for.
enum Meaning {
    Row(&'static Parameter),
    Stop,
    Idle(Form),
}

fn meaning(name: &str) -> Result<Meaning, Error> {
    if name == "stop" {
        return Ok(Meaning::Stop);
    }
    if let Some(row) = Parameter::by_name(name) {
        return Ok(Meaning::Row(row));
    }
    let idle = IDLE.iter().find(|(known, _)| *known == name);
    idle.map(|(_, form)| Meaning::Idle(*form)).ok_or_else(|| {
        let rows = parameter::ALL.iter().map(|row| row.others.first().unwrap_or(&row.name));
        let idle = IDLE.iter().map(|(name, _)| name);
        let known: Vec<&str> = rows.chain(idle).copied().collect();
        let name: String = name.chars().take(40).collect();
        err!(Usage, "unknown parameter {name:?}: stop, {} are accepted", known.join(", "))
            .of_key("parameters")
    })
}

/// Adds a parameter as a Modelfile writes it: `stop` may be said several times, of others the last
/// counts.
///
/// # Errors
/// There is no such parameter, or it does not take this value.
pub fn add(parameters: &mut Map<String, Value>, name: &str, text: &str) -> Result<(), Error> {
    let value = checked(name, &Value::from(text))?;
    match (parameters.get_mut(name), value) {
        (Some(Value::Array(stops)), Value::Array(more)) => stops.extend(more),
        (_, value) => {
            parameters.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

/// Parameters as they are kept.
///
/// # Errors
/// There is no such parameter, or it does not take its value.
pub fn read(given: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    given.iter().map(|(name, value)| Ok((name.clone(), checked(name, value)?))).collect()
}

/// A value in the form that it is kept in.
fn checked(name: &str, value: &Value) -> Result<Value, Error> {
    let refused = |accepted: &str| {
        let shown = value.to_string();
        let shown: String = shown.chars().take(60).collect();
        err!(Usage, "{name} is {shown}: accepted is {accepted}").of_key(name)
    };
    let text = match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        _ => None,
    };
    match (meaning(name)?, text) {
        (Meaning::Stop, _) => stops(value).ok_or_else(|| refused("a text, or a list of texts")),
        (Meaning::Row(row), Some(text)) => {
            if let Some(kept) = taken(row, &text) {
                return Ok(kept);
            }
            Ok(kept(row.read(&text).map_err(|_| refused(row.accepted))?))
        }
        (Meaning::Row(row), None) => Err(refused(row.accepted)),
        (Meaning::Idle(form), text) => {
            let (accepted, value) = match form {
                Form::Whole => ("a whole number", text.and_then(|t| whole(&t).map(Value::from))),
                Form::Real => ("a number", text.and_then(|t| real(t.parse().ok()?))),
                Form::Switch => {
                    ("true or false", text.and_then(|t| parameter::switch(&t)).map(Value::from))
                }
            };
            value.ok_or_else(|| refused(accepted))
        }
    }
}

/// What clients write where the table has another word, or none: below zero, `top_k` is off, and an
/// answer as long as the context (-2 is the rest of it, which is the same here).
fn taken(row: &Parameter, text: &str) -> Option<Value> {
    let number = whole(text).filter(|number| *number < 0)?;
    if row.name == parameter::TOP_K.name {
        return Some(0.into());
    }
    (row.name == parameter::MAX_NEW_TOKENS.name && number >= -2).then(|| (-1).into())
}

fn whole(text: &str) -> Option<i64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

fn real(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

fn stops(value: &Value) -> Option<Value> {
    let list = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => {
            list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?
        }
        _ => return None,
    };
    list.iter().all(|text| !text.is_empty()).then(|| list.into())
}

fn kept(value: parameter::Value) -> Value {
    match value {
        // As it was written: 0.7 and not 0.699999988.
        parameter::Value::Real(x) => {
            let text = x.to_string();
            match text.parse::<i64>() {
                Ok(whole) => whole.into(),
                Err(_) => text.parse().ok().and_then(real).unwrap_or(Value::Null),
            }
        }
        parameter::Value::Count(n) => n.into(),
        parameter::Value::Switch(on) => on.into(),
        parameter::Value::Seed(seed) => seed.into(),
        parameter::Value::None => (-1).into(),
    }
}

/// The parameters that mean nothing here, by name.
pub fn idle(parameters: &Map<String, Value>) -> Vec<&str> {
    // The penalty looks at everything, which is what -1 asks for; without one it does not matter.
    let penalty = parameters.iter().any(|(name, value)| {
        Parameter::by_name(name).is_some_and(|row| row.name == "repetition_penalty")
            && value.as_f64() != Some(1.0)
    });
    let names = parameters.iter().filter(|(name, value)| {
        matches!(meaning(name), Ok(Meaning::Idle(_)))
            && (*name != "repeat_last_n" || (penalty && value.as_i64() != Some(-1)))
    });
    names.map(|(name, _)| name.as_str()).collect()
}

/// Whether a parameter says how long answers may be.
pub(crate) fn is_limit(name: &str) -> bool {
    Parameter::by_name(name).is_some_and(|row| row.name == parameter::MAX_NEW_TOKENS.name)
}

/// What is to be told of them.
pub(super) fn notice(parameters: &Map<String, Value>) -> Option<Notice> {
    let idle = idle(parameters);
    let (changes, is) = if idle.len() == 1 { ("changes", "is") } else { ("change", "are") };
    let text = format!(
        "{} {changes} nothing here and {is} kept with the model: one context, and one way to compute, serve all who ask it",
        idle.join(", ")
    );
    (!idle.is_empty()).then(|| Notice::new(Topic::Sampling, text))
}

/// How answers are made by these parameters, but for those that a flag of this call sets, which goes
/// before them; `context` is how long an answer without a limit may be.
///
/// # Errors
/// A file that was changed by hand holds what no parameter takes.
pub(crate) fn options(
    parameters: &Map<String, Value>,
    config: &Config,
    context: usize,
) -> Result<GenerateOptions, Error> {
    let mut options = GenerateOptions::new();
    let is_flagged = |row: &Parameter| matches!(setting(row, config).1, Source::Flag(_));
    for (name, value) in parameters {
        let value = checked(name, value)?;
        match meaning(name)? {
            Meaning::Row(row) if is_flagged(row) => {}
            Meaning::Row(row) if row.name == parameter::MAX_NEW_TOKENS.name => {
                let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
                options.max_new_tokens = Some(count.unwrap_or(context.max(1)));
            }
            Meaning::Row(row) => options.set(row, row.read(&value.to_string())?),
            Meaning::Stop => {
                let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                options.stop = Some(texts.map(str::to_owned).collect());
            }
            Meaning::Idle(_) => {}
        }
    }
    // Who names a temperature wants tokens to be drawn, also with 1, which changes nothing else.
    let draws = options.temperature.is_some_and(|temperature| temperature > 0.0);
    if draws && options.do_sample.is_none() && !is_flagged(&parameter::DO_SAMPLE) {
        options.do_sample = Some(true);
    }
    options.check()?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{Flag, Inputs, Key};

    fn config(flags: Vec<Flag>) -> Config {
        Config::load(Inputs { variable: &|_| None, project: None, file: None, flags }).unwrap()
    }

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    /// Every row of the table, and Ollama's names that mean nothing.
    #[test]
    fn all_names_are_known_and_others_are_refused() {
        let mut parameters = Map::new();
        for row in &parameter::ALL {
            let name = row.others.first().unwrap_or(&row.name);
            let text = if row.range == parameter::Range::Switch { "true" } else { "1" };
            add(&mut parameters, name, text).unwrap();
        }
        for (name, form) in IDLE {
            let text = if matches!(form, Form::Switch) { "false" } else { "3" };
            add(&mut parameters, name, text).unwrap();
            let error = add(&mut parameters, name, "much").unwrap_err();
            assert!(error.to_string().contains("much") && error.to_string().contains(name));
        }
        assert_eq!(parameters.len(), parameter::ALL.len() + IDLE.len());
        assert_eq!(read(&parameters).unwrap(), parameters);
        let error = add(&mut parameters, "temprature", "1").unwrap_err().to_string();
        assert!(error.contains("temprature") && error.contains("temperature"), "{error}");
    }

    #[test]
    fn values_are_kept_as_they_are_written() {
        let mut parameters = Map::new();
        for (name, text) in [
            ("temperature", "0.7"),
            ("top_k", "-1"),
            ("seed", "42"),
            ("num_predict", "-2"),
            ("stop", "a b"),
            ("stop", "\n"),
            ("presence_penalty", "-1"),
        ] {
            add(&mut parameters, name, text).unwrap();
        }
        let wanted = json!({
            "temperature": 0.7, "top_k": 0, "seed": 42, "num_predict": -1, "stop": ["a b", "\n"],
            "presence_penalty": -1,
        });
        assert_eq!(Value::from(parameters.clone()), wanted);
        let options = options(&parameters, &config(vec![]), 99).unwrap();
        assert_eq!((options.temperature, options.do_sample), (Some(0.7), Some(true)));
        assert_eq!((options.top_k, options.seed), (Some(0), Some(42)));
        assert_eq!((options.max_new_tokens, options.presence_penalty), (Some(99), Some(-1.0)));
        assert_eq!(options.stop.unwrap(), ["a b", "\n"]);
        for (name, text) in [
            ("temperature", "-1"),
            ("top_p", "2"),
            ("num_predict", "-3"),
            ("num_predict", "0"),
            ("stop", ""),
            ("num_ctx", "1.5"),
        ] {
            let error = add(&mut parameters, name, text).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("accepted is"), "{error}");
        }
        for value in [json!({"stop": [1]}), json!({"top_k": [1]}), json!({"mirostat_tau": "x"})] {
            assert!(read(&map(&value)).is_err());
        }
    }

    #[test]
    fn flags_go_first_and_what_means_nothing_is_named() {
        let flags =
            vec![Flag { key: Key::Temperature, name: "--temperature", value: "0.1".to_owned() }];
        let parameters = map(&json!({"temperature": 0.7, "num_ctx": 4096, "repeat_last_n": 64}));
        let own = options(&parameters, &config(flags), 9).unwrap();
        assert_eq!((own.temperature, own.do_sample), (None, None));
        assert_eq!(idle(&parameters), ["num_ctx"]);
        let with = map(&json!({"repeat_penalty": 1.1, "repeat_last_n": 64}));
        assert_eq!(idle(&with), ["repeat_last_n"]);
        assert!(notice(&with).unwrap().text.contains("repeat_last_n changes nothing"));
        assert_eq!(notice(&map(&json!({"top_k": 1}))), None);
    }
}
