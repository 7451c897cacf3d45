//! How answers are made where a call does not say: the configuration, and what the model's makers recommend.

use scaffold_engine::{Sampling, Stop};
use scaffold_formats::GenerationConfig;

use super::notice::Notice;
use crate::config::{Config, Setting, Source};

/// Sampling and stop conditions of a call that names none.
///
/// For each value the first of these that says something: a setting of the user's (flag, environment, `.env`,
/// `scaffold.toml`), the model's `generation_config.json`, the default of the configuration key. The length of an
/// answer is always the configuration's (`LLM_MAX_LENGTH`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Defaults {
    pub(crate) sampling: Sampling,
    pub(crate) stop: Stop,
    pub(crate) notice: Option<Notice>,
}

impl Defaults {
    pub(crate) fn new(config: &Config, recommended: &GenerationConfig) -> Self {
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
            do_sample: choose(
                &config.do_sample,
                recommended.do_sample,
                "do_sample",
                &mut values,
            ),
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
            ..off
        };
        let stop = Stop {
            max_new_tokens: Some(config.max_length.value),
            ..Stop::default()
        };
        let notice = (!values.is_empty()).then_some(Notice::Recommended { values });
        Self {
            sampling,
            stop,
            notice,
        }
    }
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
        Config::load(Inputs {
            variable: &variable,
            project: None,
            file: None,
            flags: vec![],
        })
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
        let defaults = Defaults::new(&config("", ""), &GenerationConfig::default());
        let sampling = defaults.sampling;
        assert_eq!(
            (
                sampling.do_sample,
                sampling.temperature,
                sampling.top_p,
                sampling.top_k
            ),
            (true, 0.7, 0.9, 50)
        );
        assert_eq!(
            (defaults.stop.max_new_tokens, defaults.notice),
            (Some(512), None)
        );
    }

    #[test]
    fn recommendations_replace_defaults_and_are_told() {
        let defaults = Defaults::new(&config("", ""), &recommended());
        assert_eq!(
            (
                defaults.sampling.temperature,
                defaults.sampling.repetition_penalty
            ),
            (0.6, 1.1)
        );
        let Some(Notice::Recommended { values }) = defaults.notice else {
            panic!("not told")
        };
        assert_eq!(values, ["repetition_penalty 1.1", "temperature 0.6"]);
    }

    #[test]
    fn a_setting_of_the_users_wins() {
        let defaults = Defaults::new(&config("LLM_TEMPERATURE", "0.2"), &recommended());
        assert_eq!(
            (
                defaults.sampling.temperature,
                defaults.sampling.repetition_penalty
            ),
            (0.2, 1.1)
        );
    }
}
