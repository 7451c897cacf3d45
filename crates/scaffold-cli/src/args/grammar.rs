//! Flags for what an answer has to keep to.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use scaffold::Grammar;

use crate::failure::Usage;

/// What the answer has to keep to
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Answer")]
#[group(multiple = false)]
pub(crate) struct GrammarArgs {
    /// Answer with JSON that is valid by the JSON schema in this file
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Answer with a text that this regular expression matches as a whole
    #[arg(long, value_name = "REGEX")]
    regex: Option<String>,
    /// Answer as the grammar in this file says, in Lark's notation (rules `start: …`) or llama.cpp's
    /// (`root ::= …`)
    #[arg(long, value_name = "FILE")]
    grammar: Option<PathBuf>,
    /// Answer with one of these texts
    #[arg(long, value_name = "TEXT,TEXT", value_delimiter = ',')]
    choices: Vec<String>,
}

impl GrammarArgs {
    /// What was given.
    pub(crate) fn grammar(&self) -> anyhow::Result<Option<Grammar>> {
        let read = |file: &PathBuf, what: &str| {
            fs::read_to_string(file).map_err(|error| {
                Usage(format!(
                    "{}, the {what}, cannot be read: {error}\n  to do: name a file that can",
                    file.display()
                ))
            })
        };
        Ok(match self {
            Self { schema: Some(file), .. } => {
                let text = read(file, "schema")?;
                let schema = serde_json::from_str(&text).map_err(|error| {
                    Usage(format!(
                        "{} is no JSON, and so no JSON schema: {error}\n  to do: correct it",
                        file.display()
                    ))
                })?;
                Some(Grammar::Schema(schema))
            }
            Self { grammar: Some(file), .. } => Some(Grammar::of_text(read(file, "grammar")?)),
            Self { regex: Some(regex), .. } => Some(Grammar::Regex(regex.clone())),
            Self { choices, .. } if !choices.is_empty() => Some(Grammar::choices(choices.clone())),
            _ => None,
        })
    }
}
