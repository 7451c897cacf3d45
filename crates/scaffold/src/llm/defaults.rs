//! How answers are made where a call does not say: the configuration, and what the model's makers
//! recommend.

use scaffold_engine::{Sampling, Stop};
use scaffold_formats::GenerationConfig;

use super::notice::Notice;
use crate::config::{Config, Setting, Source};

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
    pub(crate) fn new(config: &Config, recommended: &GenerationConfig, vocab: usize) -> Self {
        let mut values = Vec::new();
        let mut take = |name: &str, value: Option<f32>, off: f32| {
            let value = value.filter(|&value| value != off)?;
            values.push(format!("{name} {value}"));
            Some(value)
        };
        let off = Sampling::default();
        let sampling = Sampling {
            // Ours are off where the key has no setting of its own.
            min_p: take("min_p", recommended.min_p, off.min_p).unwrap_or(off.min_p),
            typical_p: take("typical_p", recommended.typical_p, off.typical_p)
                .unwrap_or(off.typical_p),
            repetition_penalty: take(
                "repetition_penalty",
                recommended.repetition_penalty,
                off.repetition_penalty,
            )
            .unwrap_or(off.repetition_penalty),
            no_repeat_ngram_size: take(
                "no_repeat_ngram_size",
                recommended.no_repeat_ngram_size.map(|n| n as f32),
                0.0,
            )
            .map_or(0, |n| n as usize),
            min_new_tokens: take(
                "min_new_tokens",
                recommended.min_new_tokens.map(|n| n as f32),
                0.0,
            )
            .map_or(0, |n| n as usize),
            min_length: take("min_length", recommended.min_length.map(|n| n as f32), 0.0)
                .map_or(0, |n| n as usize),
            do_sample: choose(&config.do_sample, recommended.do_sample, "do_sample", &mut values),
            temperature: choose(
                &config.temperature,
                recommended.temperature,
                "temperature",
                &mut values,
            ),
            top_k: choose(
                &config.top_k,
                recommended.top_k.map(|k| k as usize),
                "top_k",
                &mut values,
            ),
            top_p: choose(&config.top_p, recommended.top_p, "top_p", &mut values),
            ..lists(recommended, vocab, &mut values)
        };
        let stop = Stop {
            max_new_tokens: Some(config.max_length.value),
            strings: recommended.stop_strings.clone(),
            ..Stop::default()
        };
        if !stop.strings.is_empty() {
            values.push(format!("stop_strings {:?}", stop.strings));
        }
        let not_done = recommended.not_done.clone();
        let told = [
            (!values.is_empty()).then_some(Notice::Recommended { values }),
            (!not_done.is_empty()).then_some(Notice::NotDone { values: not_done }),
        ];
        Self { sampling, stop, notices: told.into_iter().flatten().collect() }
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

/// The user's setting, else what the model's makers recommend, else the key's default.
fn choose<T: Copy + PartialEq + std::fmt::Display>(
    setting: &Setting<T>,
    recommended: Option<T>,
    name: &str,
    values: &mut Vec<String>,
) -> T {
    match recommended {
        Some(value) if setting.source == Source::Default => {
            if value != setting.value {
                values.push(format!("{name} {value}"));
            }
            value
        }
        _ => setting.value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Inputs;

    fn config(name: &'static str, value: &'static str) -> Config {
        let variable = |key: &str| (key == name).then(|| value.into());
        Config::load(Inputs { variable: &variable, project: None, file: None, flags: vec![] })
            .unwrap()
    }

    fn recommended() -> GenerationConfig {
        GenerationConfig {
            temperature: Some(0.6),
            top_p: Some(0.9),
            repetition_penalty: Some(1.1),
            ..GenerationConfig::default()
        }
    }

    #[test]
    fn the_guides_values_stand_where_nobody_says_more() {
        let defaults = Defaults::new(&config("", ""), &GenerationConfig::default(), 100);
        let sampling = defaults.sampling;
        assert_eq!(
            (sampling.do_sample, sampling.temperature, sampling.top_p, sampling.top_k),
            (true, 0.7, 0.9, 50)
        );
        assert_eq!((defaults.stop.max_new_tokens, defaults.notices), (Some(512), vec![]));
    }

    #[test]
    fn recommendations_replace_defaults_and_are_told() {
        let defaults = Defaults::new(&config("", ""), &recommended(), 100);
        assert_eq!(
            (defaults.sampling.temperature, defaults.sampling.repetition_penalty),
            (0.6, 1.1)
        );
        let [Notice::Recommended { values }] = &defaults.notices[..] else { panic!("not told") };
        assert_eq!(*values, ["repetition_penalty 1.1", "temperature 0.6"]);
    }

    #[test]
    fn a_setting_of_the_users_wins() {
        let defaults = Defaults::new(&config("LLM_TEMPERATURE", "0.2"), &recommended(), 100);
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
            min_length: Some(12),
            not_done: vec!["num_beams 4".into()],
            ..GenerationConfig::default()
        };
        let defaults = Defaults::new(&config("", ""), &recommended, 100);
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
}
