//! Numbers on the command line. A minus is read as one, so that the answer names the range and not
//! an unknown flag.

/// A whole number, 0 or more.
pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "a whole number, 0 or more, is accepted".to_owned())
}

/// Any number that is one.
pub(super) fn real(text: &str) -> Result<f32, String> {
    let number: Result<f32, _> = text.parse();
    number.ok().filter(|x| x.is_finite()).ok_or_else(|| "a number is accepted".to_owned())
}

/// What `--seed` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seed {
    /// Another one each time.
    Random,
    /// This one.
    Fixed(u64),
}

/// A seed; -1 is a random one, as with llama.cpp and Ollama.
pub(crate) fn seed(text: &str) -> Result<Seed, String> {
    if text == "-1" {
        return Ok(Seed::Random);
    }
    text.parse().map(Seed::Fixed).map_err(|_| {
        "a whole number, 0 or more, is accepted, or -1 for another one each time".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn numbers_outside_of_their_range_are_answered_with_it() {
        assert_eq!(seed("-1"), Ok(Seed::Random));
        assert_eq!(seed("7"), Ok(Seed::Fixed(7)));
        for bad in ["-2", "1.5", "x", ""] {
            assert!(seed(bad).unwrap_err().contains("-1 for another"), "{bad}");
        }
        assert!(count("-1").unwrap_err().contains("0 or more"));
        assert_eq!(real("-0.5"), Ok(-0.5));
        assert!(real("nan").is_err() && real("inf").is_err());
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
        look(&crate::args::Cli::command(), &mut seen);
        assert!(seen > 20, "{seen}");
    }
}
