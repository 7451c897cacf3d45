//! How answers are made where a call does not say: the configuration, and what the model's makers
//! recommend.

use scaffold_engine::parameter::{self, Parameter, Value};
use scaffold_engine::{Sampling, Stop};
use scaffold_error::{Notice, Topic};
use scaffold_formats::{Error, GenerationConfig};

use crate::config::{Config, Source};

/// Sampling and stop conditions of a call that names none.
///
/// For each value the first of these that says something: a setting of the user's (flag,
/// environment, `.env`, `scaffold.toml`), the model's `generation_config.json`, the default of the
/// configuration key. The length of an answer is always the configuration's (`LLM_MAX_LENGTH`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Defaults {
    pub(crate) sampling: Sampling,
    pub(crate) stop: Stop,
    pub(crate) notices: Vec<Notice>,
}

impl Defaults {
    /// `vocab` is the number of tokens that the model has: what the file says of others says
    /// nothing.
    ///
    /// # Errors
    /// A recommended value is out of its range, and no setting of the user's rules instead.
    pub(crate) fn new(
        config: &Config,
        recommended: &GenerationConfig,
        vocab: usize,
    ) -> Result<Self, Error> {
        let mut values = Vec::new();
        let mut sampling = lists(recommended, vocab, &mut values);
        let mut stop = Stop { strings: recommended.stop_strings.clone(), ..Stop::default() };
        let mut told = Vec::new();
        for row in &parameter::ALL {
            let value = choose(row, config, recommended, &mut told)?;
            row.put(&mut sampling, &mut stop, value);
        }
        told.append(&mut values);
        if !stop.strings.is_empty() {
            told.push(format!("stop_strings {:?}", stop.strings));
        }
        let notice = |values: &[String], end| {
            let sets =
                format!("the model's generation_config.json sets {}, {end}", values.join(", "));
            (!values.is_empty()).then(|| Notice::new(Topic::Sampling, sets))
        };
        let notices = [
            notice(&told, "where no setting of yours does"),
            notice(&recommended.not_done, "which is not done here: answers are made without"),
        ];
        Ok(Self { sampling, stop, notices: notices.into_iter().flatten().collect() })
    }
}

/// What is recommended of certain tokens; the rest is off.
fn lists(recommended: &GenerationConfig, vocab: usize, values: &mut Vec<String>) -> Sampling {
    let known = |ids: &[u32]| ids.iter().all(|&id| (id as usize) < vocab);
    let each = |ids: &[u32]| ids.iter().copied().filter(|id| known(&[*id])).collect();
    let off = Sampling::default();
    let sampling = Sampling {
        suppress_tokens: each(&recommended.suppress_tokens),
        begin_suppress_tokens: each(&recommended.begin_suppress_tokens),
        bad_words: recommended.bad_words_ids.iter().filter(|word| known(word)).cloned().collect(),
        sequence_bias: {
            let biases = recommended.sequence_bias.iter();
            biases.filter(|(word, _)| known(word)).cloned().collect()
        },
        ..off
    };
    for (name, count) in [
        ("suppress_tokens", sampling.suppress_tokens.len()),
        ("begin_suppress_tokens", sampling.begin_suppress_tokens.len()),
        ("bad_words_ids", sampling.bad_words.len()),
        ("sequence_bias", sampling.sequence_bias.len()),
    ] {
        if count > 0 {
            values.push(format!("{name} ({count})"));
        }
    }
    sampling
}

/// The user's setting, else what the model's makers recommend, else the key's default, else what
/// changes nothing.
fn choose(
    row: &Parameter,
    config: &Config,
    recommended: &GenerationConfig,
    told: &mut Vec<String>,
) -> Result<Value, Error> {
    let (own, source) = setting(row, config);
    let given = recommended.sampling.iter().find(|one| one.key == row.name);
    let Some(given) = given.filter(|_| *source == Source::Default) else {
        return Ok(own);
    };
    let value = row.read(&given.text).map_err(|_| given.refused(row.accepted))?;
    if value != own {
        told.push(format!("{} {value}", row.name));
    }
    Ok(value)
}

/// What the configuration says of a parameter. Ours are off where the key has no setting of its
/// own.
pub(crate) fn setting<'a>(row: &Parameter, config: &'a Config) -> (Value, &'a Source) {
    match row.name {
        "temperature" => (Value::Real(config.temperature.value), &config.temperature.source),
        "top_p" => (Value::Real(config.top_p.value), &config.top_p.source),
        "top_k" => (Value::Count(config.top_k.value), &config.top_k.source),
        "do_sample" => (Value::Switch(config.do_sample.value), &config.do_sample.source),
        "max_new_tokens" => (Value::Count(config.max_length.value), &config.max_length.source),
        _ => (row.neutral, &Source::Default),
    }
}

#[cfg(test)]
mod tests {
    use scaffold_formats::ConfigJson;

    use super::*;
    use crate::config::Inputs;

    fn config(name: &'static str, value: &'static str) -> Config {
        let variable = |key: &str| (key == name).then(|| value.into());
        Config::load(Inputs { variable: &variable, project: None, file: None, flags: vec![] })
            .unwrap()
    }

    fn recommended() -> GenerationConfig {
        read(r#"{"temperature": 0.6, "top_p": 0.9, "repetition_penalty": 1.1}"#)
    }

    fn read(json: &str) -> GenerationConfig {
        let file = ConfigJson::parse("generation_config.json", json.as_bytes()).unwrap();
        GenerationConfig::from_json(&file).unwrap()
    }

    #[test]
    fn the_guides_values_stand_where_nobody_says_more() {
        let defaults = Defaults::new(&config("", ""), &GenerationConfig::default(), 100).unwrap();
        let sampling = defaults.sampling;
        assert_eq!(
            (sampling.do_sample, sampling.temperature, sampling.top_p, sampling.top_k),
            (true, 0.7, 0.9, 50)
        );
        assert_eq!((defaults.stop.max_new_tokens, defaults.notices), (Some(512), vec![]));
    }

    #[test]
    fn recommendations_replace_defaults_and_are_told() {
        let defaults = Defaults::new(&config("", ""), &recommended(), 100).unwrap();
        assert_eq!(
            (defaults.sampling.temperature, defaults.sampling.repetition_penalty),
            (0.6, 1.1)
        );
        let [told] = &defaults.notices[..] else { panic!("not told") };
        assert!(told.text.contains(" sets temperature 0.6, repetition_penalty 1.1, "), "{told}");
    }

    #[test]
    fn a_setting_of_the_users_wins() {
        let defaults =
            Defaults::new(&config("LLM_TEMPERATURE", "0.2"), &recommended(), 100).unwrap();
        assert_eq!(
            (defaults.sampling.temperature, defaults.sampling.repetition_penalty),
            (0.2, 1.1)
        );
    }

    #[test]
    fn lists_of_tokens_are_taken_and_what_is_not_done_is_told() {
        let recommended = GenerationConfig {
            suppress_tokens: vec![5, 100],
            begin_suppress_tokens: vec![6],
            bad_words_ids: vec![vec![7, 8], vec![7, 100]],
            sequence_bias: vec![(vec![9], 1.5)],
            stop_strings: vec!["END".into()],
            not_done: vec!["num_beams 4".into()],
            ..read(r#"{"min_length": 12}"#)
        };
        let defaults = Defaults::new(&config("", ""), &recommended, 100).unwrap();
        let sampling = defaults.sampling;
        assert_eq!(sampling.suppress_tokens, [5]);
        assert_eq!(sampling.begin_suppress_tokens, [6]);
        assert_eq!(sampling.bad_words, [[7, 8]]);
        assert_eq!(sampling.sequence_bias, [(vec![9], 1.5)]);
        assert_eq!((sampling.min_length, defaults.stop.strings), (12, vec!["END".to_owned()]));
        let told: Vec<_> = defaults.notices.iter().map(ToString::to_string).collect();
        for word in ["suppress_tokens (1)", "min_length 12", "stop_strings [\"END\"]"] {
            assert!(told[0].contains(word), "{}", told[0]);
        }
        assert!(told[1].contains("num_beams 4"), "{}", told[1]);
    }

    /// Every value of these at each source of text: a setting where the parameter has one, and the
    /// file.
    #[test]
    fn settings_and_the_file_take_what_the_table_takes() {
        let texts = [
            "-1", "-0.5", "-1e-9", "0", "1e-9", "0.5", "1", "1.0", "1.5", "50.0", "1e39", "-1e39",
            "NaN", "Infinity", "true", "false", "\"1\"", "[1]", "hot", "", "none",
        ];
        let keys = [
            ("temperature", "LLM_TEMPERATURE"),
            ("top_p", "LLM_TOP_P"),
            ("top_k", "LLM_TOP_K"),
            ("do_sample", "LLM_DO_SAMPLE"),
            ("max_new_tokens", "LLM_MAX_LENGTH"),
        ];
        for row in &parameter::ALL {
            for text in texts {
                let wanted = row.read(text).ok();
                let variable = keys.iter().find(|(name, _)| *name == row.name);
                // What is empty is not set.
                if let Some((_, key)) = variable.filter(|_| !text.is_empty()) {
                    let variable = |name: &str| (name == *key).then(|| text.into());
                    let inputs =
                        Inputs { variable: &variable, project: None, file: None, flags: vec![] };
                    let read = Config::load(inputs).map(|config| setting(row, &config).0);
                    if let Err(error) = &read {
                        let message = error.to_string();
                        let shown = format!("{text:?}");
                        assert!(
                            [key, row.accepted, shown.as_str()]
                                .iter()
                                .all(|part| message.contains(part)),
                            "{message}"
                        );
                    }
                    assert_eq!(read.ok(), wanted, "{key} {text}");
                }
                let json = format!("{{\"{}\": {text}}}", row.name);
                let Ok(file) = ConfigJson::parse("g.json", json.as_bytes()) else {
                    continue;
                };
                let Some(given) = GenerationConfig::from_json(&file)
                    .ok()
                    .and_then(|config| config.sampling.into_iter().next())
                else {
                    continue;
                };
                // Python's NaN and Infinity are text inside.
                let recommended = GenerationConfig {
                    sampling: vec![given.clone()],
                    ..GenerationConfig::default()
                };
                let read = Defaults::new(&config("", ""), &recommended, 100);
                if let Err(error) = &read {
                    let message = error.to_string();
                    assert!(
                        [row.name, row.accepted, "g.json"]
                            .iter()
                            .all(|part| message.contains(part)),
                        "{message}"
                    );
                }
                let read = read.ok().map(|defaults| row.get(&defaults.sampling, &defaults.stop));
                assert_eq!(read, wanted, "{json}");
            }
        }
    }

    /// Else a mistake of the makers' could not be put right but in their file.
    #[test]
    fn a_recommendation_that_is_overruled_is_not_looked_at() {
        let bad = read(r#"{"top_p": 2}"#);
        assert!(Defaults::new(&config("", ""), &bad, 100).is_err());
        let defaults = Defaults::new(&config("LLM_TOP_P", "0.5"), &bad, 100).unwrap();
        assert_eq!(defaults.sampling.top_p, 0.5);
    }
}
