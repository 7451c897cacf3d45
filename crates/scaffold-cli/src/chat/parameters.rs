//! `/set parameter`: names, values, and what they change.

use scaffold::GenerateOptions;
use scaffold::engine::parameter::{self, Parameter, Value};
use scaffold::engine::{Sampling, Stop};

/// Sets a parameter; the error says what is accepted.
pub(crate) fn set(
    name: &str,
    values: &[String],
    options: &mut GenerateOptions,
) -> Result<(), String> {
    if name == "stop" {
        options.stop = Some(values.iter().filter(|text| !text.is_empty()).cloned().collect());
        return Ok(());
    }
    let Some(parameter) = Parameter::by_name(name) else {
        let names: Vec<_> = parameter::ALL.iter().map(|row| row.name).collect();
        return Err(format!("there is no parameter {name}; there are {}, stop", names.join(", ")));
    };
    let read = match values {
        [value] => parameter.read(value).ok(),
        _ => None,
    };
    let Some(value) = read else {
        return Err(format!("{name} takes {}, not {:?}", parameter.accepted, values.join(" ")));
    };
    // What is set last is meant: greedy takes back what was set of drawing, and the other way round.
    if parameter.name == parameter::DO_SAMPLE.name && value == Value::Switch(false) {
        for drawing in GenerateOptions::DRAWING {
            options.set(drawing, Value::None);
        }
    } else if GenerateOptions::DRAWING.iter().any(|drawing| drawing.name == parameter.name) {
        options.set(&parameter::DO_SAMPLE, Value::None);
    }
    options.set(parameter, value);
    Ok(())
}

/// A line for each parameter.
pub(crate) fn list(sampling: &Sampling, stop: &Stop) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = parameter::ALL
        .iter()
        .map(|parameter| {
            vec![
                parameter.name.to_owned(),
                parameter.get(sampling, stop).to_string(),
                parameter.accepted.to_owned(),
            ]
        })
        .collect();
    let strings: Vec<_> = stop.strings.iter().map(|text| format!("{text:?}")).collect();
    rows.push(vec![
        "stop".to_owned(),
        strings.join(" "),
        "texts, in double quotes where they have spaces; \"\" for none".to_owned(),
    ]);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_all(changes: &[(&str, &[&str])]) -> (GenerateOptions, Vec<String>) {
        let (mut options, mut errors) = (GenerateOptions::new(), Vec::new());
        for (name, values) in changes {
            let values: Vec<_> = values.iter().map(|&value| value.to_owned()).collect();
            errors.extend(set(name, &values, &mut options).err());
        }
        (options, errors)
    }

    #[test]
    fn values_arrive_under_every_name() {
        let (options, errors) = set_all(&[
            ("temperature", &["0.5"]),
            ("repeat_penalty", &["1.1"]),
            ("num_predict", &["20"]),
            ("seed", &["7"]),
            ("stop", &["a b", "c"]),
        ]);
        assert_eq!(errors, [""; 0]);
        let wanted = GenerateOptions::new().temperature(0.5).repetition_penalty(1.1);
        let wanted = wanted.max_new_tokens(20).seed(7).stop("a b").stop("c");
        assert_eq!(options, wanted);
    }

    #[test]
    fn greedy_and_drawing_take_each_other_back() {
        let (options, _) = set_all(&[("top_k", &["5"]), ("do_sample", &["false"])]);
        assert_eq!(options, GenerateOptions::new().greedy());
        let (options, _) = set_all(&[("do_sample", &["false"]), ("temperature", &["1"])]);
        assert_eq!(options, GenerateOptions::new().temperature(1.0));
        let (options, _) = set_all(&[("seed", &["3"]), ("seed", &["-1"])]);
        assert_eq!(options, GenerateOptions::new());
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let (options, errors) = set_all(&[
            ("temperature", &["hot"]),
            ("top_p", &["2"]),
            ("top_k", &["-1"]),
            ("num_predict", &["0"]),
            ("top_k", &["1", "2"]),
            ("wordwrap", &["1"]),
        ]);
        assert_eq!(errors.len(), 6, "{errors:?}");
        assert!(
            errors[0].contains("a number, 0 or more")
                && errors[5].contains("there is no parameter"),
            "{errors:?}"
        );
        assert_eq!(options, GenerateOptions::new());
    }

    #[test]
    fn values_are_taken_as_the_table_takes_them() {
        for row in &parameter::ALL {
            for text in [
                "-2", "-1", "0", "1e-9", "0.5", "1", "1.5", "50.0", "1e39", "nan", "inf", "x",
                "yes", "None",
            ] {
                let mut options = GenerateOptions::new();
                let given = set(row.name, &[text.to_owned()], &mut options);
                assert_eq!(given.is_ok(), row.read(text).is_ok(), "{} {text}", row.name);
                if let Err(message) = given {
                    assert!(
                        [row.name, row.accepted, text].iter().all(|part| message.contains(part)),
                        "{message}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_parameter_is_listed() {
        assert_eq!(list(&Sampling::default(), &Stop::default()).len(), parameter::ALL.len() + 1);
    }
}
