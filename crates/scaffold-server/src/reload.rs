//! Files of the server that are read again while it runs.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use scaffold::Error;

use crate::gate::keys::Keys;
use crate::handle::Handler;
use crate::options::ServerOptions;
use crate::tls::Tls;

/// Reads the files of a server again: its keys, its certificate. What is at work goes on.
#[derive(Clone)]
pub struct Reloader {
    handler: Arc<Handler>,
    key_file: Option<PathBuf>,
    tls: Option<Arc<Tls>>,
}

impl Reloader {
    pub(crate) fn new(
        handler: Arc<Handler>,
        options: &ServerOptions,
        tls: Option<Arc<Tls>>,
    ) -> Self {
        Self { handler, key_file: options.key_file.clone(), tls }
    }

    /// Whether there are any.
    pub fn has_files(&self) -> bool {
        self.key_file.is_some() || self.tls.is_some()
    }

    /// Reads them. Requests of a key that is not there any more come to their end, and no other of
    /// it is let in.
    ///
    /// # Errors
    /// A file that cannot be read, or is not as it should be: what it said before stays in effect.
    pub fn reload(&self) -> Result<(), Error> {
        // One that is not as it should be does not keep the other from being read.
        let (keys, certificate) = (self.reload_keys(), self.reload_certificate());
        keys.and(certificate)
    }

    fn reload_keys(&self) -> Result<(), Error> {
        if let Some(path) = &self.key_file {
            let read = Keys::open(path).map(|keys| {
                tracing::info!(target: "scaffold::server", count = keys.len(), "keys were read again");
                self.handler.gate.change_keys(keys);
            });
            read.inspect_err(|error| {
                tracing::warn!(target: "scaffold::server", %error, "the keys of before stay in effect");
            })?;
        }
        Ok(())
    }

    fn reload_certificate(&self) -> Result<(), Error> {
        if let Some(tls) = &self.tls {
            tls.reload().inspect_err(|error| {
                tracing::warn!(target: "scaffold::server", %error, "the certificate of before stays in effect");
            })?;
            tracing::info!(target: "scaffold::server", "the certificate was read again");
        }
        Ok(())
    }
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader").field("key_file", &self.key_file).finish_non_exhaustive()
    }
}
