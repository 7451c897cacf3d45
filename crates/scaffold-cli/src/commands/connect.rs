//! `scaffold connect`: what other programs have to be told to use a server of ours.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::failure::{Exit, Usage};
use crate::out;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold connect claude --model starter > scaffold.env     and then: set -a; . ./scaffold.env; claude
  scaffold connect codex --model org/name >> ~/.codex/config.toml
  scaffold connect open-webui --url http://192.168.0.7:11434
  scaffold connect zed --model org/name --json

The settings go to standard output, where they belong is said on standard error. A key is never
written: where a server wants one, put yours in place of YOUR_KEY.")]
pub(crate) struct ConnectArgs {
    /// The program
    program: Program,
    /// The server's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:11434")]
    url: String,
    /// The model that it is to use
    #[arg(long, value_name = "MODEL", default_value = "starter")]
    model: String,
    /// Print an object with the keys program, place, settings
    #[arg(long)]
    json: bool,
}

/// Programs that talk to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
    /// OpenAI's Codex
    Codex,
    /// Claude Code
    Claude,
    /// opencode
    Opencode,
    /// Continue, in editors
    Continue,
    /// The editor Zed
    Zed,
    /// Open WebUI
    OpenWebui,
}

impl Program {
    /// Where its settings belong.
    fn place(self) -> &'static str {
        match self {
            Self::Codex => "~/.codex/config.toml; start it with `codex --profile scaffold`",
            Self::Claude => "the environment that `claude` is started in",
            Self::Opencode => "opencode.json, in the project or in ~/.config/opencode",
            Self::Continue => "~/.continue/config.yaml, under `models:`",
            Self::Zed => "Zed's settings.json (`zed: open settings`)",
            Self::OpenWebui => "the environment that Open WebUI is started in",
        }
    }

    fn settings(self, url: &str, model: &str) -> String {
        // Both are quoted as JSON, TOML and YAML read them alike.
        let quoted = |text: &str| json!(text).to_string();
        let (base, name) = (quoted(&format!("{url}/v1")), quoted(model));
        match self {
            Self::Codex => format!(
                "[model_providers.scaffold]\nname = \"Scaffold\"\nbase_url = {base}\nwire_api = \"responses\"\n\n\
                 [profiles.scaffold]\nmodel_provider = \"scaffold\"\nmodel = {name}\n"
            ),
            Self::Claude => {
                let models = ["OPUS", "SONNET", "HAIKU"]
                    .map(|kind| format!("ANTHROPIC_DEFAULT_{kind}_MODEL={}\n", shell(model)))
                    .concat();
                let (url, model) = (shell(url), shell(model));
                // A slow machine may think for long before the first word; the line about what is
                // paid for would change every prompt's beginning.
                format!(
                    "ANTHROPIC_BASE_URL={url}\nANTHROPIC_AUTH_TOKEN=YOUR_KEY\nANTHROPIC_MODEL={model}\n{models}\
                     CLAUDE_CODE_SUBAGENT_MODEL={model}\nCLAUDE_CODE_ATTRIBUTION_HEADER=0\n\
                     CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS=1\nAPI_TIMEOUT_MS=600000\n"
                )
            }
            Self::Opencode => pretty(&json!({
                "$schema": "https://opencode.ai/config.json",
                "provider": {"scaffold": {
                    "npm": "@ai-sdk/openai-compatible",
                    "name": "Scaffold",
                    "options": {"baseURL": format!("{url}/v1"), "apiKey": "YOUR_KEY"},
                    "models": {model: {"name": model}},
                }},
                "model": format!("scaffold/{model}"),
            })),
            Self::Continue => format!(
                "  - name: {name}\n    provider: ollama\n    model: {name}\n    apiBase: {}\n    roles: [chat, edit, apply]\n",
                quoted(url)
            ),
            Self::Zed => pretty(&json!({
                "language_models": {"ollama": {
                    "api_url": url,
                    "available_models": [{"name": model, "display_name": model}],
                }},
                "agent": {"default_model": {"provider": "ollama", "model": model}},
            })),
            Self::OpenWebui => format!("OLLAMA_BASE_URL={}\n", shell(url)),
        }
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// A text as a shell reads one word.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

pub(crate) fn run(args: &ConnectArgs) -> anyhow::Result<Exit> {
    let url = args.url.trim_end_matches('/');
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Usage(format!(
            "--url is {:?}: accepted is the address of a server, such as http://127.0.0.1:11434",
            args.url
        ))
        .into());
    }
    let (place, settings) = (args.program.place(), args.program.settings(url, &args.model));
    if args.json {
        let name = args.program.to_possible_value();
        let name = name.as_ref().map(clap::builder::PossibleValue::get_name).unwrap_or_default();
        out::json(&json!({"program": name, "place": place, "settings": settings}))?;
        return Ok(Exit::Done);
    }
    out::say(format_args!("this belongs into {place}:"));
    out::line(settings.trim_end())?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_what_their_readers_read() {
        let (url, model) = ("http://127.0.0.1:1", "org/a \"b\" 'c'");
        let codex: toml_reader::Table = toml_reader::parse(&Program::Codex.settings(url, model));
        assert_eq!(codex["profiles.scaffold.model"], model);
        for program in [Program::Opencode, Program::Zed] {
            let value: serde_json::Value =
                serde_json::from_str(&program.settings(url, model)).unwrap();
            assert!(value.to_string().contains("127.0.0.1:1"));
        }
        let claude = Program::Claude.settings(url, model);
        assert!(claude.contains(r#"ANTHROPIC_MODEL='org/a "b" '\''c'\'''"#), "{claude}");
        assert!(Program::OpenWebui.settings(url, model).starts_with("OLLAMA_BASE_URL=http://"));
        for program in Program::value_variants() {
            assert!(!program.place().is_empty() && program.settings(url, "m").ends_with('\n'));
        }
    }

    /// Enough of TOML for what is written here.
    mod toml_reader {
        pub(super) type Table = std::collections::HashMap<String, String>;

        pub(super) fn parse(text: &str) -> Table {
            let mut table = Table::new();
            let mut section = String::new();
            for line in text.lines().filter(|line| !line.is_empty()) {
                if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                    name.clone_into(&mut section);
                    continue;
                }
                let (key, value) = line.split_once(" = ").unwrap();
                table.insert(format!("{section}.{key}"), serde_json::from_str(value).unwrap());
            }
            table
        }
    }
}
