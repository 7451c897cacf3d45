//! What whoever uses the client has read already.

use std::path::PathBuf;

use crate::address::Address;
use scaffold_error::Error;

use crate::token::{Token, TokenSource};

/// Settings of the client whose values are known: their variables are not looked at. Relative paths
/// count from the current directory.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The Hub or a mirror of it; the Hub itself if `None`.
    pub endpoint: Option<Address>,
    /// Python's directory for cache and token, if it is not the usual one.
    pub hf_home: Option<PathBuf>,
    /// The cache of repositories, if it is not `hub` in `hf_home`.
    pub cache_dir: Option<PathBuf>,
    /// The directory above that of models from package indexes, if it is not the usual one.
    pub packages: Option<PathBuf>,
    /// The directory of models of one's own, if it is not the usual one.
    pub made: Option<PathBuf>,
    /// The file with the token, if it is not `token` in `hf_home`.
    pub token_path: Option<PathBuf>,
    /// What a token that was set came to, and where it was. It is used, or told to be bad; no other
    /// is looked for.
    pub token: Option<(Result<Token, Error>, TokenSource)>,
    /// Send the token also over plain HTTP to a host that is not this machine.
    pub token_over_http: bool,
    /// Never touch the network.
    pub offline: bool,
}
