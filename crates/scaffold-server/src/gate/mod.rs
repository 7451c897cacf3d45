//! Who may ask, and from where: before anything of a request but its head is looked at.

pub(crate) mod client;
pub(crate) mod host;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod origin;

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, ORIGIN};

use crate::fault::Fault;
use crate::options::ServerOptions;
use client::Client;
use keys::Keys;
use limits::Meters;
use origin::Origins;

/// The rules of one server.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Those of now, and whether there were others before.
    keys: RwLock<(Arc<Keys>, bool)>,
    meters: Meters,
    origins: Origins,
    is_local: bool,
}

/// What a request is let in with.
pub(crate) struct Passed {
    pub(crate) client: Client,
    /// The origin that the answer is for, if it is a web page's.
    pub(crate) origin: Option<String>,
}

impl Gate {
    pub(crate) fn new(options: &ServerOptions) -> Self {
        Self {
            keys: RwLock::new((Arc::new(options.keys.clone()), false)),
            meters: Meters::default(),
            origins: Origins::new(&options.origins),
            is_local: options.is_local(),
        }
    }

    /// From now on these keys are those of the server. What was let in before is answered.
    pub(crate) fn change_keys(&self, keys: Keys) {
        let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let were_others = held.1 || *held.0 != keys;
        *held = (Arc::new(keys), were_others);
    }

    /// The web page that asks, if one does and it may.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Result<Option<String>, Fault> {
        let host = text(headers, &HOST);
        // A page of a stranger's can make a browser resolve the stranger's name to this machine.
        if self.is_local && !host.is_none_or(host::is_of_this_machine) {
            return Err(Fault::new(
                403,
                "this server listens on this machine alone, and the request's Host header names another: ask for localhost or 127.0.0.1",
            ));
        }
        match headers.get(ORIGIN) {
            None => Ok(None),
            Some(origin) => {
                let origin = origin.to_str().unwrap_or_default();
                if self.origins.allow(origin, host) {
                    Ok(Some(origin.to_owned()))
                } else {
                    Err(Fault::new(
                        403,
                        "web pages of this origin may not ask: `scaffold serve --allow-origin ORIGIN` lets them",
                    ))
                }
            }
        }
    }

    /// Lets a request in, or says why not.
    pub(crate) fn pass(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        is_public: bool,
    ) -> Result<Passed, Fault> {
        let origin = self.origin(headers)?;
        let (keys, were_others) = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        if keys.is_empty() || is_public {
            return Ok(Passed { client: Client::at(peer), origin });
        }
        let bearer = text(headers, &AUTHORIZATION).and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
        let given = bearer.or_else(|| headers.get("x-api-key")?.to_str().ok());
        let Some(given) = given else {
            let words = "an API key is needed: send it as `Authorization: Bearer KEY` or as `x-api-key: KEY`";
            return Err(Fault::new(401, words).code("invalid_api_key"));
        };
        match keys.find(given) {
            Some((name, limits)) => {
                let has_others = were_others || keys.len() > 1;
                let account = self.meters.account(name, limits);
                let client = Client::named(Arc::clone(name), has_others, account);
                Ok(Passed { client, origin })
            }
            None => {
                Err(Fault::new(401, "this API key is not one of the server's")
                    .code("invalid_api_key"))
            }
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &hyper::header::HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
