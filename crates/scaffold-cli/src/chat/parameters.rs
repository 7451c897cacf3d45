//! `/set parameter`: names, values, and what they change.

use scaffold::{Sampling, Stop};

/// What a parameter's value is read into.
type Read = fn(&str, &mut Sampling, &mut Stop) -> bool;
type Show = fn(&Sampling, &Stop) -> String;

struct Parameter {
    /// The name that is shown, then other names for it.
    names: &'static [&'static str],
    accepted: &'static str,
    read: Read,
    show: Show,
}

fn store<T: std::str::FromStr>(text: &str, target: &mut T, fits: impl Fn(&T) -> bool) -> bool {
    match text.parse() {
        Ok(value) if fits(&value) => {
            *target = value;
            true
        }
        _ => false,
    }
}

const PARAMETERS: &[Parameter] = &[
    Parameter {
        names: &["temperature"],
        accepted: "a number, 0 or more",
        read: |text, sampling, _| {
            let read = store(text, &mut sampling.temperature, |x| x.is_finite() && *x >= 0.0);
            // A temperature is a wish to sample, also where the configuration is greedy.
            sampling.do_sample |= read && sampling.temperature > 0.0;
            read
        },
        show: |sampling, _| sampling.temperature.to_string(),
    },
    Parameter {
        names: &["do_sample"],
        accepted: "true or false",
        read: |text, sampling, _| store(text, &mut sampling.do_sample, |_| true),
        show: |sampling, _| sampling.do_sample.to_string(),
    },
    Parameter {
        names: &["top_k"],
        accepted: "a whole number, 0 or more (0 turns it off)",
        read: |text, sampling, _| store(text, &mut sampling.top_k, |_| true),
        show: |sampling, _| sampling.top_k.to_string(),
    },
    Parameter {
        names: &["top_p"],
        accepted: "a number above 0, up to 1 (1 turns it off)",
        read: |text, sampling, _| store(text, &mut sampling.top_p, |x| *x > 0.0 && *x <= 1.0),
        show: |sampling, _| sampling.top_p.to_string(),
    },
    Parameter {
        names: &["min_p"],
        accepted: "a number from 0 to 1 (0 turns it off)",
        read: |text, sampling, _| store(text, &mut sampling.min_p, |x| (0.0..=1.0).contains(x)),
        show: |sampling, _| sampling.min_p.to_string(),
    },
    Parameter {
        names: &["typical_p"],
        accepted: "a number above 0, up to 1 (1 turns it off)",
        read: |text, sampling, _| store(text, &mut sampling.typical_p, |x| *x > 0.0 && *x <= 1.0),
        show: |sampling, _| sampling.typical_p.to_string(),
    },
    Parameter {
        names: &["repetition_penalty", "repeat_penalty"],
        accepted: "a number above 0 (1 turns it off)",
        read: |text, sampling, _| {
            store(text, &mut sampling.repetition_penalty, |x| x.is_finite() && *x > 0.0)
        },
        show: |sampling, _| sampling.repetition_penalty.to_string(),
    },
    Parameter {
        names: &["presence_penalty"],
        accepted: "a number (0 turns it off)",
        read: |text, sampling, _| store(text, &mut sampling.presence_penalty, |x| x.is_finite()),
        show: |sampling, _| sampling.presence_penalty.to_string(),
    },
    Parameter {
        names: &["frequency_penalty"],
        accepted: "a number (0 turns it off)",
        read: |text, sampling, _| store(text, &mut sampling.frequency_penalty, |x| x.is_finite()),
        show: |sampling, _| sampling.frequency_penalty.to_string(),
    },
    Parameter {
        names: &["no_repeat_ngram_size"],
        accepted: "a whole number, 0 or more (0 turns it off)",
        read: |text, sampling, _| store(text, &mut sampling.no_repeat_ngram_size, |_| true),
        show: |sampling, _| sampling.no_repeat_ngram_size.to_string(),
    },
    Parameter {
        names: &["seed"],
        accepted: "a whole number, or none (also -1): another one each time",
        read: |text, sampling, _| match (text, text.parse()) {
            ("none" | "-1", _) => {
                sampling.seed = None;
                true
            }
            (_, Ok(seed)) => {
                sampling.seed = Some(seed);
                true
            }
            _ => false,
        },
        show: |sampling, _| {
            sampling.seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string())
        },
    },
    Parameter {
        names: &["max_new_tokens", "num_predict"],
        accepted: "a whole number, 1 or more",
        read: |text, _, stop| match text.parse() {
            Ok(count) if count > 0 => {
                stop.max_new_tokens = Some(count);
                true
            }
            _ => false,
        },
        show: |_, stop| {
            stop.max_new_tokens.map_or_else(|| "none".to_owned(), |count| count.to_string())
        },
    },
];

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
    let Some(parameter) = PARAMETERS.iter().find(|parameter| parameter.names.contains(&name))
    else {
        let names: Vec<_> =
            PARAMETERS.iter().map(|parameter| parameter.names[0]).chain(["stop"]).collect();
        return Err(format!("there is no parameter {name}; there are {}", names.join(", ")));
    };
    match values {
        [value] if (parameter.read)(value, sampling, stop) => Ok(()),
        _ => Err(format!("{name} takes {}, not {:?}", parameter.accepted, values.join(" "))),
    }
}

/// A line for each parameter.
pub(crate) fn list(sampling: &Sampling, stop: &Stop) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = PARAMETERS
        .iter()
        .map(|parameter| {
            vec![
                parameter.names[0].to_owned(),
                (parameter.show)(sampling, stop),
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
    fn every_parameter_is_listed() {
        assert_eq!(list(&Sampling::default(), &Stop::default()).len(), PARAMETERS.len() + 1);
    }
}
