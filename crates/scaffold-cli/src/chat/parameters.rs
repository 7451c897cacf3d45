//! `/set parameter`: names, values, and what they change.

use scaffold::engine::parameter::{self, Parameter};
use scaffold::{Sampling, Stop};

/// Sets a parameter; the error says what is accepted.
pub(crate) fn set(
    name: &str,
    values: &[String],
    sampling: &mut Sampling,
    stop: &mut Stop,
) -> Result<(), String> {
    if name == "stop" {
        stop.strings = values.iter().filter(|text| !text.is_empty()).cloned().collect();
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
    parameter.put(sampling, stop, value);
    // A temperature is a wish to sample, also where the configuration is greedy.
    sampling.do_sample |=
        parameter.name == parameter::TEMPERATURE.name && sampling.temperature > 0.0;
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

    fn set_all(changes: &[(&str, &[&str])]) -> (Sampling, Stop, Vec<String>) {
        let (mut sampling, mut stop, mut errors) =
            (Sampling::default(), Stop::default(), Vec::new());
        for (name, values) in changes {
            let values: Vec<_> = values.iter().map(|&value| value.to_owned()).collect();
            errors.extend(set(name, &values, &mut sampling, &mut stop).err());
        }
        (sampling, stop, errors)
    }

    #[test]
    fn values_arrive_under_every_name() {
        let (sampling, stop, errors) = set_all(&[
            ("temperature", &["0.5"]),
            ("repeat_penalty", &["1.1"]),
            ("num_predict", &["20"]),
            ("seed", &["7"]),
            ("stop", &["a b", "c"]),
        ]);
        assert_eq!(errors, [""; 0]);
        assert!(sampling.do_sample);
        assert_eq!(
            (sampling.temperature, sampling.repetition_penalty, sampling.seed),
            (0.5, 1.1, Some(7))
        );
        assert_eq!(
            (stop.max_new_tokens, stop.strings),
            (Some(20), vec!["a b".to_owned(), "c".to_owned()])
        );
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let (sampling, stop, errors) = set_all(&[
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
        assert_eq!((sampling, stop), (Sampling::default(), Stop::default()));
    }

    #[test]
    fn values_are_taken_as_the_table_takes_them() {
        for row in &parameter::ALL {
            for text in [
                "-2", "-1", "0", "1e-9", "0.5", "1", "1.5", "50.0", "1e39", "nan", "inf", "x",
                "yes", "None",
            ] {
                let (mut sampling, mut stop) = (Sampling::default(), Stop::default());
                let given = set(row.name, &[text.to_owned()], &mut sampling, &mut stop);
                assert_eq!(given.is_ok(), row.read(text).is_ok(), "{} {text}", row.name);
                match given {
                    Ok(()) => assert_eq!(row.get(&sampling, &stop), row.read(text).unwrap()),
                    Err(message) => assert!(
                        [row.name, row.accepted, text].iter().all(|part| message.contains(part)),
                        "{message}"
                    ),
                }
            }
        }
    }

    #[test]
    fn every_parameter_is_listed() {
        assert_eq!(list(&Sampling::default(), &Stop::default()).len(), parameter::ALL.len() + 1);
    }
}
