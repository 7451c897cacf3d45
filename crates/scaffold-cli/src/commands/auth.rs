//! `scaffold auth login`, `logout`, `whoami` and `status`

use std::io::{IsTerminal as _, Read as _};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use scaffold::hub::{Token, TokenKind, TokenSource, WhoAmI};
use serde_json::json;

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::{model, out, stdin};

/// What to do about the access token of the Hub.
#[derive(Debug, Subcommand)]
pub(crate) enum AuthCommand {
    /// Store an access token where Python finds it, too
    Login(LoginArgs),
    /// Remove the stored access tokens
    Logout(LogoutArgs),
    /// Ask the Hub whose token is in use and what it may do
    Whoami(JsonArgs),
    /// Say where the token comes from, without asking the Hub
    Status(JsonArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold auth login                          asks for the token, which is not shown
  scaffold auth login < token.txt
  pass show huggingface | scaffold auth login

Make a token at https://huggingface.co/settings/tokens. For gated models take the type \"Fine-grained\" and tick
\"Read access to contents of all public gated repos you can access\", after access was granted.")]
pub(crate) struct LoginArgs {}

#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    /// Remove only the stored token of this name
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct JsonArgs {
    /// Print an object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &AuthCommand, project: &ProjectArgs) -> anyhow::Result<Exit> {
    match command {
        AuthCommand::Login(_) => login(project),
        AuthCommand::Logout(args) => logout(args, project),
        AuthCommand::Whoami(args) => whoami(args, project),
        AuthCommand::Status(args) => status(args, project),
    }
}

fn login(project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let token = match &config.hub.token {
        // --token or --token-file.
        Some((token, TokenSource::Flag)) => token.clone(),
        _ => ask_for_token()?,
    };
    let hub = model::hub(&config);
    let who = hub.login(&token)?;
    let file = &hub.config().token_files.active;
    out::line(&format!(
        "signed in as {}; the token {} and is stored in {}",
        who.name,
        who.gated_advice(),
        file.display()
    ))?;
    if let Some(source @ (TokenSource::Variable(_) | TokenSource::DotEnv { .. })) =
        hub.token_source()
    {
        out::say(format_args!(
            "note: {source} holds a token, too, and goes first; remove it to use the stored one"
        ));
    }
    Ok(Exit::Done)
}

/// From the terminal, where it is not shown; from standard input otherwise.
fn ask_for_token() -> anyhow::Result<Token> {
    /// Tokens are shorter than this by far.
    const LONGEST: u64 = 16 << 10;
    let text = if std::io::stdin().is_terminal() {
        out::say(
            "Make a token at https://huggingface.co/settings/tokens and paste it here; it is not shown.",
        );
        rpassword::prompt_password("Token: ").context("cannot read the token from the terminal")?
    } else {
        let mut bytes = Vec::new();
        let read = std::io::stdin().take(LONGEST).read_to_end(&mut bytes);
        read.context("cannot read the token from standard input")?;
        stdin::decoded(&bytes, "standard input")?
    };
    Ok(Token::parse(&text, &TokenSource::Flag)?)
}

fn logout(args: &LogoutArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let signed_out = model::hub(&config).logout(args.name.as_deref())?;
    if signed_out.changed.is_empty() {
        out::line("no token was stored")?;
    }
    for path in &signed_out.changed {
        out::line(&format!("changed {}", path.display()))?;
    }
    if !signed_out.remaining.is_empty() {
        out::line(&format!("still stored: {}", signed_out.remaining.join(", ")))?;
    }
    if let Some(source) = signed_out.still_in_force {
        out::say(format_args!(
            "note: {source} still holds a token, which stays in use until you remove it there"
        ));
    }
    Ok(Exit::Done)
}

fn whoami(args: &JsonArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let hub = model::hub(&config);
    let who = hub.whoami()?;
    let source = hub.token_source().map(ToString::to_string).unwrap_or_default();
    let (kind, scopes) = kind(&who);
    if args.json {
        let gated = matches!(
            &who.kind,
            TokenKind::FineGrained { reads_gated: true, .. } | TokenKind::Classic { .. }
        );
        out::json(&json!({
            "name": who.name, "organisations": who.organisations, "token": who.token_name, "created": who.token_created,
            "kind": kind, "scopes": scopes, "reads_gated": gated, "source": source,
        }))?;
        return Ok(Exit::Done);
    }
    let dash = || "-".to_owned();
    let list = |items: &[String]| {
        if items.is_empty() { dash() } else { items.join(", ") }
    };
    let rows = [
        ("account", who.name.clone()),
        ("organisations", list(&who.organisations)),
        ("token", who.token_name.clone().unwrap_or_else(dash)),
        ("created", who.token_created.clone().unwrap_or_else(dash)),
        ("kind", kind),
        ("scopes", list(&scopes)),
        ("comes from", source),
        ("gated models", format!("the token {}", who.gated_advice())),
    ];
    out::piece(&out::table(&rows.map(|(key, value)| vec![key.to_owned(), value])))?;
    Ok(Exit::Done)
}

fn kind(who: &WhoAmI) -> (String, Vec<String>) {
    match &who.kind {
        TokenKind::Classic { role } => (role.clone(), vec![]),
        TokenKind::FineGrained { scopes, .. } => ("fine-grained".to_owned(), scopes.clone()),
        TokenKind::Other(kind) => (kind.clone(), vec![]),
    }
}

fn status(args: &JsonArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let hub = model::hub(&config);
    let status = hub.auth_status();
    let source = status.source.as_ref().map(ToString::to_string);
    let problem = status.bad.as_ref().map(ToString::to_string);
    if args.json {
        out::json(&json!({
            "signed_in": source.is_some(), "source": source, "problem": problem, "stored": status.stored,
            "file": status.file.display().to_string(), "endpoint": config.hub.endpoint.to_string(),
        }))?;
    } else {
        match (&source, &problem) {
            (Some(source), _) => out::line(&format!("a token is in use; it comes from {source}"))?,
            (None, Some(problem)) => out::line(problem)?,
            (None, None) => out::line(&match hub.config().token_file() {
                Ok(file) => format!(
                    "no token is in use; `scaffold auth login` stores one in {}",
                    file.display()
                ),
                Err(_) => {
                    "no token is in use, and without a home directory there is no place to store \
                           one: set HF_HOME"
                        .to_owned()
                }
            })?,
        }
        if !status.stored.is_empty() {
            out::line(&format!("stored tokens: {}", status.stored.join(", ")))?;
        }
    }
    Ok(if source.is_some() { Exit::Done } else { Exit::Refused })
}
