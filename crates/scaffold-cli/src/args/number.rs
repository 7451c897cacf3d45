//! Numbers on the command line. A minus is read as one, so that the answer names the range and not
//! an unknown flag.

use scaffold::engine::parameter::{Parameter, Value};

/// Reads what a parameter of the sampler takes.
pub(super) fn of(
    parameter: &'static Parameter,
) -> impl Fn(&str) -> Result<Value, String> + Clone + Send + Sync + 'static {
    |text| {
        let wanted = |_| format!("{} is accepted", parameter.accepted);
        parameter.read(text).map_err(wanted)
    }
}

/// What a parameter of the sampler does and takes.
pub(super) fn help(parameter: &Parameter) -> String {
    words(parameter.meaning, parameter.accepted)
}

/// What a flag does and takes.
pub(super) fn words(meaning: &str, accepted: &str) -> String {
    let (first, rest) = meaning.split_at(1);
    format!("{}{rest}: {accepted}", first.to_uppercase())
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;
    use clap::{CommandFactory as _, Parser as _};
    use scaffold::engine::parameter;

    #[test]
    fn flags_take_what_the_table_takes_and_say_it_otherwise() {
        let texts = [
            "-2", "-1", "-0.5", "0", "1e-9", "0.5", "1", "1.0", "1.5", "50.0", "1e39", "nan",
            "inf", "-inf", "x", "", "none",
        ];
        let mut seen = 0;
        for row in &parameter::ALL {
            let flag = format!("--{}", row.name.replace('_', "-"));
            for text in texts {
                // With the sign of equality, because `-inf` alone would be flags.
                let argument = format!("{flag}={text}");
                let given =
                    crate::commands::Cli::try_parse_from(["scaffold", "run", "m", "hi", &argument]);
                let known =
                    !matches!(&given, Err(error) if error.kind() == ErrorKind::UnknownArgument);
                // Those of the configuration are read there.
                let ours =
                    !matches!(row.name, "temperature" | "top_k" | "top_p" | "max_new_tokens");
                if !(known && ours) {
                    continue;
                }
                seen += 1;
                assert_eq!(given.is_ok(), row.read(text).is_ok(), "{flag} {text}");
                if let Err(error) = given {
                    let message = error.to_string();
                    let part = format!("'{text}'");
                    assert!(
                        [flag.as_str(), part.as_str(), row.accepted]
                            .iter()
                            .all(|part| message.contains(part))
                            || text.is_empty(),
                        "{message}"
                    );
                }
            }
        }
        assert_eq!(seen, 8 * texts.len());
    }

    /// Else `-1` would be taken for a flag, and the advice would be to make it a part of the
    /// prompt.
    #[test]
    fn every_flag_that_takes_a_number_takes_a_negative_one() {
        fn look(command: &clap::Command, seen: &mut usize) {
            for argument in command.get_arguments() {
                let names = argument.get_value_names().unwrap_or_default();
                if names.iter().any(|name| ["N", "N,…", "X", "P", "K"].contains(&name.as_str())) {
                    *seen += 1;
                    assert!(
                        argument.is_allow_negative_numbers_set(),
                        "{} {}",
                        command.get_name(),
                        argument.get_id()
                    );
                }
            }
            command.get_subcommands().for_each(|below| look(below, seen));
        }
        let mut seen = 0;
        look(&crate::commands::Cli::command(), &mut seen);
        assert!(seen > 20, "{seen}");
    }
}
