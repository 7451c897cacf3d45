//! Model names, Hugging Face tokens and access, the shared cache, and downloads that survive.
//!
//! A name such as `org/name`, `org/name:Q4_K_M`, `./directory` or `ollama:llama3.2` goes in;
//! verified files on this disk come out. The cache is `huggingface_hub`'s own: what Python has
//! downloaded is used, and what this crate downloads, Python uses. A file gets its name only when
//! its hash is right, a broken transfer goes on where it stopped (in the next process, too), and a
//! refusal says what to do about it.
//!
//! What it is not: it does not know what is inside of a model file, reads no environment variable
//! (the doors pass their values in through [`HubConfig::from_vars`]), prints nothing (progress goes
//! to a [`Progress`]) and runs no Python.
//!
//! Key types: [`ModelName`] (what the user wrote), [`HubConfig`] (everything from outside), [`Hub`]
//! (the client), [`LocalModel`] (what comes out) and [`Error`] with [`Refusal`] or [`Fault`] as its
//! cause (what went wrong, and what to do).
//!
//! ```
//! use scaffold_hub::{Hub, HubConfig, Silent};
//!
//! let home = std::env::temp_dir().join("scaffold-hub-example");
//! let mut config = HubConfig::from_vars(|name| std::env::var(name).ok(), &home);
//! config.offline = true;
//! let hub = Hub::new(config);
//! let name = hub.name("org/name:Q4_K_M")?;
//! let error = hub.resolve(&name, &mut Silent).unwrap_err();
//! assert!(error.to_string().contains("offline mode is on"));
//! # Ok::<(), scaffold_hub::Error>(())
//! ```

#![forbid(unsafe_code)]
// What only the network brings is then there and unused: it is little, and a `cfg` on each line of
// it would be more.
#![cfg_attr(not(feature = "packages"), allow(dead_code, unused_imports))]

mod access;
mod address;
mod auth;
mod cache;
mod check;
mod commit;
mod config;
mod digest;
mod disk;
mod download;
mod fault;
mod fit;
#[doc(hidden)]
#[cfg(feature = "packages")]
pub mod fuzzing;
mod http;
mod hub;
mod listing;
mod local;
mod made;
mod manage;
mod name;
mod nearest;
mod ollama;
mod package;
mod progress;
mod quantization;
mod reach;
mod retry;
mod select;
mod text;
#[cfg(feature = "network")]
mod tls;
mod token;
mod transfer;
mod url;
mod whoami;

pub use access::{Diagnosis, Refusal};
pub use address::Address;
pub use auth::{AuthStatus, SignedOut};
pub use check::{Check, CheckedFile};
pub use commit::Commit;
pub use config::{
    Certificates, Given, HubConfig, PathProblem, PipEnvironment, Proxies, Timeouts, expand_path,
};
pub use digest::Digest;
pub use disk::free_bytes;
pub use fault::{Fault, NetworkFault};
pub use fit::{Fit, Head, Judge, Known};
pub use hub::Hub;
pub use listing::{Gate, Listing, RepoFile};
pub use local::{LocalModel, ModelFiles, OllamaModel, Source};
pub use made::{Base, MadeMessage, MadeModel, MadeStore, Upload};
pub use manage::{Damage, Format, Place, Pruned, Removal, StoredModel, Verified};
pub use name::{MadeName, ModelName, OllamaName, Part, RepoId, RepoName};
pub use nearest::nearest;
pub use package::{Member, PackageSource, table as packages};
pub use progress::{Event, Progress, Silent, WaitReason};
pub use quantization::{GgufChoice, gguf_choices, is_supported as is_supported_label, label_of};
pub use reach::{Reached, Route};
pub use retry::Retry;
pub use scaffold_error::{Error, Kind, Notice, Remedy, Topic};
pub use text::{NotText, decode_text};
pub use token::{Token, TokenFiles, TokenSource, forbid_core_files};
pub use whoami::{TokenKind, WhoAmI};
