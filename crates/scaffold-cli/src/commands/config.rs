//! `scaffold config show`

use clap::{Args, Subcommand};
use scaffold::config::{Config, Device, Key, Row, Source};
use serde_json::{Value, json};

use crate::args::{ComputeArgs, ProjectArgs, SettingArgs};
use crate::failure::Exit;
use crate::out;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every effective setting and the place that set it; tokens are masked
    Show(ShowArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold config show
  scaffold config show --json | jq .LLM_MODEL.source
  LLM_TEMPERATURE=0.2 scaffold config show

The first place that sets a key rules: a flag, the environment, .env in this directory, scaffold.toml in this
directory, the default.")]
pub(crate) struct ShowArgs {
    /// Print {\"KEY\": {\"value\": …, \"source\": …}, …}
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(crate) fn run(command: &ConfigCommand, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let ConfigCommand::Show(args) = command;
    let config = project.load([args.settings.flags(), args.compute.flags()].concat())?;
    if args.json {
        out::json(&as_json(&config))?;
    } else {
        out::piece(&as_table(&config))?;
    }
    // Printed first, so that one sees what leads to the refusal.
    config.chosen_device()?;
    Ok(Exit::Done)
}

fn as_json(config: &Config) -> Value {
    let mut object = serde_json::Map::new();
    for row in config.rows() {
        let mut entry = json!({ "value": row.value, "source": row.source.to_string() });
        if let Some(chosen) = chosen(config, &row) {
            entry["chosen"] = Value::String(chosen);
        }
        object.insert(row.key.name().to_owned(), entry);
    }
    Value::Object(object)
}

fn as_table(config: &Config) -> String {
    let mut rows = vec![vec!["KEY".to_owned(), "VALUE".to_owned(), "SOURCE".to_owned()]];
    for row in config.rows() {
        let value = match (row.text(), chosen(config, &row)) {
            (text, Some(chosen)) => format!("{text} ({chosen})"),
            (text, None) if text.is_empty() => "-".to_owned(),
            (text, None) => text,
        };
        let source = match &row.source {
            Source::File { path, line } => {
                let directory = std::env::current_dir().unwrap_or_default();
                format!("{}:{line}", path.strip_prefix(&directory).unwrap_or(path).display())
            }
            other => other.to_string(),
        };
        rows.push(vec![row.key.name().to_owned(), value, source]);
    }
    out::table(&rows)
}

/// What `auto` came to.
fn chosen(config: &Config, row: &Row) -> Option<String> {
    if row.key != Key::Device || config.device.value != Device::Auto {
        return None;
    }
    config.chosen_device().ok().map(|chosen| chosen.device.to_string())
}
