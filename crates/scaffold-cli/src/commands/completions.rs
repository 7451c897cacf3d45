//! `scaffold completions SHELL`, and what the shell is told when it asks.

use std::ffi::OsString;

use clap::{Arg, Args, Command, ValueEnum};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use scaffold::aliases;
use scaffold::config::{Config, Key};

use crate::args;
use crate::failure::{self, Exit};
use crate::{model, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold completions bash > ~/.local/share/bash-completion/completions/scaffold
  scaffold completions zsh > ~/.zfunc/_scaffold
  scaffold completions fish > ~/.config/fish/completions/scaffold.fish
  scaffold completions powershell >> $PROFILE

The shell then asks the program itself, which knows the models that are here.")]
pub(crate) struct CompletionsArgs {
    /// The shell that is to complete the commands
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// By which the shell's question is told from a command.
const QUESTION: &str = "COMPLETE";

/// Prints the script that a shell reads.
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let shell: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Zsh => &Zsh,
    };
    let mut script = Vec::new();
    shell.write_registration(QUESTION, "scaffold", "scaffold", "scaffold", &mut script)?;
    out::piece(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Answers a shell that asks what may come next; does nothing where none asks.
pub(crate) fn answer(command: fn() -> Command, arguments: &[OsString]) -> Option<Exit> {
    let here = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(|| knowing(command())).var(QUESTION);
    match asked.try_complete(arguments.iter().cloned(), here.as_deref()) {
        Ok(answered) => answered.then_some(Exit::Done),
        Err(error) => Some(failure::usage(&error)),
    }
}

/// The command with what its arguments may be.
fn knowing(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        if arg.get_id() == "model" {
            return with(arg, models);
        }
        match args::key_of(&format!("--{}", arg.get_long().unwrap_or_default())) {
            Some(key) => with(arg, move || values(key)),
            None => arg,
        }
    });
    command.mut_subcommands(knowing)
}

fn with(
    arg: Arg,
    candidates: impl Fn() -> Vec<CompletionCandidate> + Send + Sync + 'static,
) -> Arg {
    arg.add(ArgValueCandidates::new(candidates))
}

/// The short names, and the models that are here.
fn models() -> Vec<CompletionCandidate> {
    let short = aliases::all()
        .iter()
        .filter(|alias| alias.is_latest())
        .map(|alias| CompletionCandidate::new(&alias.name).help(Some(alias.repo.clone().into())));
    // A shell that completes is no place for errors.
    let here = Config::of_process().map(|config| model::hub(&config).list()).unwrap_or_default();
    short.chain(here.into_iter().map(|stored| CompletionCandidate::new(stored.name))).collect()
}

/// The words that a setting takes, where it takes words.
fn values(key: Key) -> Vec<CompletionCandidate> {
    let words = key.info().accepted.split([',', ';', ' ']);
    let all: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let is_value = |word: &&&str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match key {
        Key::Device | Key::TorchDtype | Key::KvType | Key::PackedCache | Key::UnknownKeys => {
            all.iter().filter(is_value).map(|word| CompletionCandidate::new(*word)).collect()
        }
        Key::Cpu => {
            let levels = scaffold::profile::Level::ALL.map(|level| level.to_string());
            levels.into_iter().chain(["auto".to_owned()]).map(CompletionCandidate::new).collect()
        }
        _ => Vec::new(),
    }
}
