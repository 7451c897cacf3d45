//! How a server is set up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use scaffold::prompts::PromptOptions;
use scaffold::registry::RegistryOptions;

use crate::gate::keys::Keys;

/// How a server is set up. The defaults suit one machine's own programs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Where it listens: by default 127.0.0.1, port 11434, which is where clients of Ollama look. Port
    /// 0 takes any that is free.
    pub address: SocketAddr,
    /// Who may ask; without keys everybody who reaches it.
    pub keys: Keys,
    /// The file that the keys came from: it is read again at SIGHUP, and by
    /// [`Reloader`](crate::Reloader).
    pub key_file: Option<PathBuf>,
    /// Speaks HTTPS with the certificate of these files, which are read again at SIGHUP, and by
    /// [`Reloader`](crate::Reloader).
    pub tls: Option<TlsFiles>,
    /// Listens beyond this machine without keys.
    pub open: bool,
    /// Origins of web pages that may ask, besides those of programs on this machine: such as
    /// `https://chat.example.org`, or `*` for all.
    pub origins: Vec<String>,
    /// Fetches models that are not on this disk when they are asked for, and lets clients fetch
    /// them also from beyond this machine.
    pub download: bool,
    /// Lets clients make models of their own, and bring files for them, also from beyond this
    /// machine.
    pub create: bool,
    /// Bytes of a file that is brought for a model, at most.
    pub upload_bytes: u64,
    /// Models that are loaded at the start and stay in memory.
    pub preload: Vec<String>,
    /// How models are kept.
    pub registry: RegistryOptions,
    /// Which responses of `/v1/responses` are kept for those who go on from them.
    pub kept_responses: KeptResponses,
    /// Long prompts are kept on disk by themselves, so that they are not read again after a restart:
    /// where, and how many. `None`: they are not.
    pub kept_prompts: Option<PromptOptions>,
    /// Connections at once; more wait until one is free.
    pub connections: usize,
    /// How long a client may take for the head of a request.
    pub header_time: Duration,
    /// How long a client may take for the body of a request.
    pub body_time: Duration,
    /// Bytes that the body of a request may have.
    pub body_bytes: usize,
    /// How long a request waits at most until its model is in memory.
    pub load_time: Duration,
    /// How long answers at hand may take when the server is stopped.
    pub drain_time: Duration,
}

/// The files of a server's certificate, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those between it and its authority's.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How many responses are kept in memory, for how long. The limits are of all clients together; where
/// one is reached, the oldest of whoever has most is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptResponses {
    /// Responses; 0 keeps none.
    pub count: usize,
    /// Bytes that they take with what was said before them.
    pub bytes: usize,
    /// How long one is kept.
    pub age: Duration,
}

impl Default for KeptResponses {
    fn default() -> Self {
        Self { count: 1000, bytes: 256 << 20, age: Duration::from_hours(24) }
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 11434),
            keys: Keys::default(),
            key_file: None,
            tls: None,
            open: false,
            origins: Vec::new(),
            download: false,
            create: false,
            upload_bytes: 1 << 40,
            preload: Vec::new(),
            registry: RegistryOptions::new(),
            kept_responses: KeptResponses::default(),
            kept_prompts: None,
            connections: 1024,
            header_time: Duration::from_secs(15),
            body_time: Duration::from_mins(1),
            body_bytes: 32 << 20,
            load_time: Duration::from_mins(15),
            drain_time: Duration::from_secs(30),
        }
    }
}

/// A setter for each field.
macro_rules! setters {
    ($($field:ident: $type:ty,)*) => {
        impl ServerOptions {
            $(#[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
            #[must_use]
            pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                self.$field = $field.into();
                self
            })*
        }
    };
}

setters! {
    address: SocketAddr,
    keys: Keys,
    key_file: Option<PathBuf>,
    tls: Option<TlsFiles>,
    open: bool,
    origins: Vec<String>,
    download: bool,
    create: bool,
    upload_bytes: u64,
    preload: Vec<String>,
    registry: RegistryOptions,
    kept_responses: KeptResponses,
    kept_prompts: Option<PromptOptions>,
    connections: usize,
    header_time: Duration,
    body_time: Duration,
    body_bytes: usize,
    load_time: Duration,
    drain_time: Duration,
}

impl ServerOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether only programs on this machine reach it.
    pub fn is_local(&self) -> bool {
        self.address.ip().is_loopback()
    }
}
