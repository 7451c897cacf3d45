//! Flags for the settings that the configuration also holds. What they do and take is said there,
//! and their values are read there, which checks every source alike.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use scaffold::config::{Flag, Key};

use super::number;

/// How the answer is written.
pub(crate) type SettingArgs = KeyArgs<0>;
/// How the model is computed.
pub(crate) type ComputeArgs = KeyArgs<1>;

/// The flags of a heading that were given, by its place in [`HEADINGS`].
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyArgs<const HEADING: usize>(Vec<Flag>);

const HEADINGS: [(&str, &[Row]); 2] = [
    (
        "Answer",
        &[
            value(Key::MaxLength, "--max-new-tokens", "N"),
            value(Key::Temperature, "--temperature", "X"),
            value(Key::TopP, "--top-p", "P"),
            value(Key::TopK, "--top-k", "K"),
            (Key::DoSample, "--greedy", Takes::Nothing("false", "Always take the likeliest token")),
        ],
    ),
    (
        "Computing",
        &[
            value(Key::Device, "--device", "DEVICE"),
            value(Key::TorchDtype, "--dtype", "DTYPE"),
            value(Key::Quantize, "--quantize", "TYPE"),
            (
                Key::TorchDtype,
                "--dequantize",
                Takes::Nothing("float32", "Unpack quantized weights and compute in float32"),
            ),
            value(Key::Threads, "--threads", "N"),
            value(Key::Cpu, "--cpu", "LEVEL"),
            value(Key::Context, "--ctx", "N"),
            value(Key::KvType, "--kv-type", "TYPE"),
            value(Key::PackedCache, "--packed-cache", "WHEN"),
            value(Key::UnknownKeys, "--unknown-keys", "WHAT"),
        ],
    ),
];

/// A key, the flag that sets it, and what the flag takes.
type Row = (Key, &'static str, Takes);

enum Takes {
    /// A value that goes by this name in the help.
    Value(&'static str),
    /// Nothing: the flag stands for this value, and does this.
    Nothing(&'static str, &'static str),
}

const fn value(key: Key, flag: &'static str, name: &'static str) -> Row {
    (key, flag, Takes::Value(name))
}

fn arg((key, flag, takes): &Row, rows: &[Row]) -> Arg {
    let arg = Arg::new(*flag).long(&flag[2..]);
    match takes {
        Takes::Value(name) => {
            let help = number::words(key.info().meaning, key.info().accepted);
            let arg = arg.value_name(*name).allow_negative_numbers(true);
            arg.help(format!("{help} [{}]", key.name()))
        }
        Takes::Nothing(value, help) => {
            let others = rows.iter().filter(|row| row.0 == *key && row.1 != *flag).map(|row| row.1);
            let arg = arg.action(ArgAction::SetTrue).conflicts_with_all(others);
            arg.help(format!("{help} [{}={value}]", key.name()))
        }
    }
}

fn given((key, name, takes): &Row, matches: &ArgMatches) -> Option<Flag> {
    let value = match takes {
        Takes::Value(_) => matches.get_one::<String>(name)?.clone(),
        Takes::Nothing(value, _) => matches.get_flag(name).then(|| (*value).to_owned())?,
    };
    Some(Flag { key: *key, name, value })
}

/// The flag that gives a setting a value, by the setting's name.
pub(crate) fn flag_of(name: &str) -> Option<&'static str> {
    let sets = |(key, flag, takes): &Row| {
        let takes_value = matches!(takes, Takes::Value(_));
        (takes_value && key.info().names.contains(&name)).then_some(*flag)
    };
    HEADINGS.iter().flat_map(|(_, rows)| *rows).find_map(sets)
}

/// The setting that a flag gives a value.
pub(crate) fn key_of(flag: &str) -> Option<Key> {
    let sets = |(key, known, takes): &Row| {
        (matches!(takes, Takes::Value(_)) && *known == flag).then_some(*key)
    };
    HEADINGS.iter().flat_map(|(_, rows)| *rows).find_map(sets)
}

impl<const HEADING: usize> KeyArgs<HEADING> {
    /// Whether this key is left to the command.
    pub(crate) fn leaves(&self, key: Key) -> bool {
        self.0.iter().all(|flag| flag.key != key)
    }

    /// What was given, for the configuration.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        self.0.clone()
    }
}

impl<const HEADING: usize> Args for KeyArgs<HEADING> {
    fn augment_args(command: Command) -> Command {
        let (heading, rows) = HEADINGS[HEADING];
        command.args(rows.iter().map(|row| arg(row, rows).help_heading(heading)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const HEADING: usize> FromArgMatches for KeyArgs<HEADING> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Ok(Self(HEADINGS[HEADING].1.iter().filter_map(|row| given(row, matches)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page lists the flags with their keys, so that neither can be changed alone.
    #[test]
    fn the_documentation_has_every_flag() {
        let page = include_str!("../../../../docs/configuration.md");
        for (key, flag, takes) in HEADINGS.iter().flat_map(|(_, rows)| *rows) {
            let (flag, key) = match takes {
                Takes::Value(name) => (format!("`{flag} {name}`"), key.name().to_owned()),
                Takes::Nothing(value, _) => {
                    (format!("`{flag}`"), format!("{}={value}", key.name()))
                }
            };
            let both = |line: &str| line.contains(&flag) && line.contains(&format!("`{key}`"));
            assert!(page.lines().any(both), "{flag} {key}");
        }
    }
}
