//! `scaffold serve`

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scaffold::Error;
use scaffold::config::Config;
use scaffold::prompts::PromptOptions;
use scaffold::registry::{KeepAlive, RegistryOptions};
use scaffold_server::{KeptResponses, Keys, Server, ServerOptions, TlsFiles, keep_alive_of};
use tracing::level_filters::LevelFilter;

use crate::args::{ComputeArgs, ProjectArgs, SettingArgs};
use crate::failure::{Exit, Usage};
use crate::out;
use crate::progress::Display;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold serve                                          on 127.0.0.1, port 11434, as Ollama does
  scaffold serve --model starter                          with a model that is loaded at the start
  scaffold serve --host 0.0.0.0 --api-key-file keys.txt   for others, who have keys
  scaffold serve --allow-origin https://chat.example.org  for a web page
  curl localhost:11434/api/chat -d '{\"model\": \"starter\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}'

Clients of OpenAI take http://127.0.0.1:11434/v1 as their base address. Ctrl-C lets answers at hand
come to their end; a second one does not.")]
pub(crate) struct ServeArgs {
    /// The address to listen at: of this machine alone, or 0.0.0.0 for all of its addresses
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 11434)]
    port: u16,
    /// A model to load at the start, which then stays in memory; may be given more than once
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// How long other models stay in memory when nobody uses them: 5m, 1h30m, seconds; 0 not at
    /// all, -1 for ever
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = keep_alive, allow_negative_numbers = true)]
    keep_alive: KeepAlive,
    /// Models in memory at once, at most: 1 or more
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_loaded: Option<NonZeroUsize>,
    /// Fetch models that are not on this disk when they are asked for
    #[arg(long)]
    download: bool,
    /// Responses of /v1/responses that are kept in memory for those who go on from them, at most; 0
    /// none
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = KeptResponses::default().count)]
    keep_responses: usize,
    /// Let clients beyond this machine make models of their own and bring files for them, too
    #[arg(long)]
    create: bool,
    /// Keep what was computed of long prompts on disk for the next start, in so much room: 4GiB,
    /// 500MiB; 0 keeps nothing [default: 4GiB where only this machine's own programs ask, else 0]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    keep_prompts: Option<u64>,
    /// Keys of those who may ask: one in each line, `NAME KEY`, and behind it what it may have:
    /// at-once=4 requests-per-minute=60 tokens-per-minute=100000; read again at SIGHUP
    #[arg(long, value_name = "FILE", conflicts_with = "no_auth", help_heading = "Who may ask")]
    api_key_file: Option<PathBuf>,
    /// Speak HTTPS with this certificate, in PEM, and those behind it; read again at SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Who may ask")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Who may ask")]
    tls_key: Option<PathBuf>,
    /// Let everybody ask who reaches the address
    #[arg(long, help_heading = "Who may ask")]
    no_auth: bool,
    /// Let web pages of this origin ask; `*` for all; may be given more than once
    #[arg(long = "allow-origin", value_name = "ORIGIN", help_heading = "Who may ask")]
    origins: Vec<String>,
    /// What is told on standard error; never a word of prompts or answers
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: Log,
    #[command(flatten)]
    setting: SettingArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// How much is told.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    /// Nothing
    Off,
    /// What went wrong
    Warn,
    /// Every request
    Info,
}

fn keep_alive(text: &str) -> Result<KeepAlive, String> {
    keep_alive_of(text)
        .ok_or_else(|| "accepted is 5m, 1h30m, a number of seconds, 0 or -1".to_owned())
}

/// Bytes, of a number with a unit.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" if digits == "0" => Some(0),
        "mib" | "mb" | "m" => Some(20),
        "gib" | "gb" | "g" => Some(30),
        _ => None,
    };
    let number = digits.trim().parse::<u64>().ok();
    let bytes = number.zip(unit).and_then(|(number, unit)| number.checked_mul(1 << unit));
    bytes.ok_or_else(|| "accepted is a whole number of MiB or GiB, such as 4GiB, or 0".to_owned())
}

/// Where long prompts are kept, if they are to be.
fn kept_prompts(
    args: &ServeArgs,
    config: &Config,
    is_own: bool,
) -> Result<Option<PromptOptions>, Error> {
    match args.keep_prompts {
        Some(0) => Ok(None),
        Some(limit) => Ok(Some(PromptOptions { limit, ..PromptOptions::of(config)? })),
        // Where there is no place for them nobody has asked for one.
        None => Ok(PromptOptions::of(config).ok().filter(|_| is_own)),
    }
}

pub(crate) fn run(args: &ServeArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let mut flags = args.setting.flags();
    flags.extend(args.compute.flags());
    let config = project.load(flags)?;
    let keys = match &args.api_key_file {
        Some(path) => {
            warn_if_others_read(path);
            Keys::open(path)?
        }
        None => Keys::default(),
    };
    let mut registry = RegistryOptions::new().keep_alive(args.keep_alive);
    registry.max_loaded = args.max_loaded.map(NonZeroUsize::get);
    let tls = args.tls_cert.clone().zip(args.tls_key.clone());
    let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
    let scheme = if tls.is_some() { "https" } else { "http" };
    if let Some(files) = &tls {
        warn_if_others_read(&files.key);
    }
    let count = keys.len();
    let options = ServerOptions::new()
        .address(SocketAddr::new(address(&args.host)?, args.port))
        .keys(keys)
        .key_file(args.api_key_file.clone())
        .tls(tls)
        .open(args.no_auth)
        .origins(args.origins.clone())
        .download(args.download)
        .create(args.create)
        .preload(args.models.clone())
        .kept_responses(KeptResponses { count: args.keep_responses, ..KeptResponses::default() })
        .registry(registry);
    let is_local = options.is_local();
    let kept = kept_prompts(args, &config, is_local && count == 0)?;
    let options = options.kept_prompts(kept);
    // The address first: nobody fetches a model for a server that cannot be.
    let server = Server::bind(config.clone(), options)?;
    for model in &args.models {
        scaffold::locate::locate(&config, model, &mut Display::new())?;
    }
    listen_to_log(args.log);
    out::say(format_args!(
        "listening on {scheme}://{0}: a page for browsers, Ollama's interface, and OpenAI's at {scheme}://{0}/v1",
        server.address()
    ));
    match (count, is_local) {
        (0, true) => {}
        (0, false) => out::say("note: everybody who reaches this address can use the models"),
        (count, _) => out::say(format_args!("  keys of {count}")),
    }
    for model in &args.models {
        out::say(format_args!("  loading {model}"));
    }
    let drained = server.run_until_signal()?;
    out::say(if drained { "stopped" } else { "stopped; some answers were broken off" });
    Ok(if drained { Exit::Done } else { Exit::Interrupted })
}

fn address(host: &str) -> anyhow::Result<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse() {
        return Ok(address);
    }
    if bare.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let found = (bare, 0).to_socket_addrs().ok().and_then(|mut found| found.next());
    found.map(|address| address.ip()).ok_or_else(|| {
        Usage(format!(
            "--host {host}: no address is known by this name\n  to do: give an address such as 127.0.0.1, 0.0.0.0 or ::1; the port is --port"
        ))
        .into()
    })
}

fn listen_to_log(log: Log) {
    let level = match log {
        Log::Off => LevelFilter::OFF,
        Log::Warn => LevelFilter::WARN,
        Log::Info => LevelFilter::INFO,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_writer(|| out::Log)
        .finish();
    // Somebody who listens already hears it.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Keys that every user of the machine can read are everybody's.
#[cfg(unix)]
fn warn_if_others_read(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o044 != 0 {
        out::say(format_args!(
            "note: other users of this machine can read {}: chmod 600 it",
            path.display()
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_others_read(_: &std::path::Path) {}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        let sizes = [("0", 0), ("4GiB", 4 << 30), ("4 gb", 4 << 30), ("500MiB", 500 << 20)];
        for (text, bytes) in sizes {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "4", "GiB", "-1GiB", "1.5GiB", "4KiB", "99999999999999GiB", "4 G B"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
