//! Flags that every command takes: where settings and models come from.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use scaffold::config::{Config, Flag, Inputs, Key, process_variable};

use crate::{out, stdin};

/// Where settings and models come from
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings and access")]
pub(crate) struct ProjectArgs {
    /// Read this file instead of ./scaffold.toml
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Access token of the Hub; `-` reads it from standard input. Other users of this machine can
    /// see a token that is written out here: prefer HF_TOKEN, .env or --token-file
    #[arg(
        long,
        value_name = "TOKEN",
        global = true,
        conflicts_with = "token_file",
        allow_hyphen_values = true
    )]
    token: Option<String>,
    /// Read the access token of the Hub from this file
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Use downloaded models only and leave the network alone [HF_HUB_OFFLINE]
    #[arg(long, global = true)]
    offline: bool,
    /// Directory of downloaded models [HF_HUB_CACHE]
    #[arg(long, value_name = "DIR", global = true)]
    cache_dir: Option<String>,
}

impl ProjectArgs {
    /// Reads the configuration with these and the command's own flags on top, and tells what was
    /// found and not used.
    pub(crate) fn load(&self, flags: Vec<Flag>) -> anyhow::Result<Config> {
        let project = std::env::current_dir().context("cannot tell which directory this is")?;
        let mut flags = flags;
        flags.extend(self.flags(&project)?);
        let config = Config::load(Inputs {
            variable: &process_variable,
            project: Some(project),
            file: self.config.clone(),
            flags,
        })?;
        // A crash of a process that holds a token must not leave it on the disk.
        if config.hub.token.is_some() {
            scaffold::hub::forbid_core_files();
        }
        out::notices(&config.notices);
        Ok(config)
    }

    fn flags(&self, project: &std::path::Path) -> anyhow::Result<Vec<Flag>> {
        let mut flags = Vec::new();
        if let Some(value) = self.token()? {
            let name = if self.token_file.is_some() { "--token-file" } else { "--token" };
            flags.push(Flag { key: Key::Token, name, value });
        }
        if self.offline {
            flags.push(Flag { key: Key::Offline, name: "--offline", value: "true".to_owned() });
        }
        if let Some(directory) = &self.cache_dir {
            let value = project.join(directory).display().to_string();
            flags.push(Flag { key: Key::HubCache, name: "--cache-dir", value });
        }
        Ok(flags)
    }

    fn token(&self) -> anyhow::Result<Option<String>> {
        /// Tokens are shorter than this by far.
        const LONGEST: u64 = 16 << 10;
        let mut bytes = Vec::new();
        let name = match (&self.token, &self.token_file) {
            (Some(token), _) if token == "-" => {
                std::io::stdin()
                    .take(LONGEST)
                    .read_to_end(&mut bytes)
                    .context("cannot read the token from standard input")?;
                "standard input".to_owned()
            }
            (Some(token), _) => {
                out::say(
                    "warning: a token in the argument list can be seen by other users of this machine and stays in the \
                     shell's history\n  to do: use HF_TOKEN, .env, --token-file or --token - instead",
                );
                return Ok(Some(token.trim().to_owned()));
            }
            (None, Some(path)) => {
                std::fs::File::open(path)
                    .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
                    .with_context(|| format!("cannot read the token from {}", path.display()))?;
                path.display().to_string()
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(stdin::decoded(&bytes, &name)?.trim().to_owned()))
    }
}
