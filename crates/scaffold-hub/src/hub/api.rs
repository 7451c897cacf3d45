//! Questions to the Hub's API, with retries and diagnoses.

use std::time::Duration;

use scaffold_error::{Error, err};

use super::Hub;
use super::diagnose::{Answer, TokenState, diagnose, of_network};
use crate::access::{Diagnosis, Refusal, open_models};
use crate::fault::NetworkFault;
use crate::http::{Reply, Request};
use crate::listing::Listing;
use crate::name::RepoId;
use crate::progress::{Event, Progress, WaitReason, stopped};
use crate::token::{Token, TokenSource};
use crate::url::{Url, encode_part};
use crate::whoami::WhoAmI;

/// No answer of the API is longer.
pub(super) const LARGEST_ANSWER: u64 = 64 << 20;
/// An account's description is short.
const LARGEST_WHOAMI: u64 = 1 << 20;

impl Hub {
    pub(crate) fn endpoint(&self) -> Result<Url, Error> {
        Url::parse(self.config.endpoint.reveal()).ok_or_else(|| {
            let endpoint = &self.config.endpoint;
            err!(
                Usage,
                "{endpoint} is not an address: HF_ENDPOINT must look like https://huggingface.co"
            )
            .of_key("HF_ENDPOINT")
        })
    }

    /// The token to send; a malformed one ends the attempt before anything is sent.
    pub(crate) fn token(&self) -> Result<Option<&Token>, Error> {
        if let Some(bad) = &self.config.bad_token {
            return Err(bad.clone());
        }
        Ok(self.config.token.as_ref().map(|(token, _)| token))
    }

    /// Where the token in use came from.
    pub fn token_source(&self) -> Option<&TokenSource> {
        self.config.token.as_ref().map(|(_, source)| source)
    }

    /// Asks what a revision of a repository consists of. `connect` is for the first connection.
    pub(crate) fn listing(
        &self,
        id: &RepoId,
        revision: &str,
        connect: Option<Duration>,
        progress: &mut dyn Progress,
    ) -> Result<Listing, Error> {
        let path =
            format!("api/models/{}/revision/{}?blobs=true", id.as_str(), encode_part(revision));
        let reply = self.ask(&path, id.as_str(), connect, progress)?;
        if !reply.is_success() {
            let mut refusal = self.refusal(id.as_str(), &reply)?;
            if let Diagnosis::RevisionNotFound { revision: asked, .. } = &mut refusal.diagnosis {
                revision.clone_into(asked);
            }
            return Err(refusal.into());
        }
        let host = reply.url.host().to_owned();
        let text = reply.bytes(LARGEST_ANSWER).map_err(|fault| self.unreachable(&host, &fault))?;
        Listing::parse(&text, &host)
    }

    /// Sends a question and repeats it when the server is busy or the answer breaks off.
    pub(crate) fn ask(
        &self,
        path: &str,
        subject: &str,
        connect: Option<Duration>,
        progress: &mut dyn Progress,
    ) -> Result<Reply, Error> {
        let url = self.endpoint()?.below(path);
        let mut attempt = 1;
        loop {
            let mut request =
                Request::get(&url).bearer(self.token()?).header("accept", "application/json");
            request.connect = connect;
            let (reason, delay) = match self.http.send(&request) {
                Ok(reply)
                    if matches!(reply.status, 408 | 425 | 429 | 500..=599)
                        && attempt < self.config.retry.attempts =>
                {
                    match reply.retry_after() {
                        Some(wait) if wait > self.config.retry.longest_retry_after => {
                            return Ok(reply);
                        }
                        Some(wait) => (WaitReason::ServerBusy, wait),
                        None => (
                            WaitReason::Retry(format!("status {}", reply.status)),
                            self.config.retry.delay(attempt),
                        ),
                    }
                }
                Ok(reply) => return Ok(reply),
                // What was never reached is not asked again: the user may have another source, or
                // no network at all.
                Err(fault) if fault.is_unreachable() || attempt >= self.config.retry.attempts => {
                    return Err(self.unreachable(url.host(), &fault));
                }
                Err(fault) => {
                    (WaitReason::Retry(fault.to_string()), self.config.retry.delay(attempt))
                }
            };
            progress.event(&Event::Waiting {
                file: subject.to_owned(),
                reason,
                delay: Some(delay),
            });
            pause(delay, progress)?;
            attempt += 1;
        }
    }

    pub(crate) fn token_rejected(&self) -> Error {
        self.refused(self.config.endpoint.to_string(), Diagnosis::TokenRejected, None).into()
    }

    pub(crate) fn unreachable(&self, host: &str, fault: &NetworkFault) -> Error {
        self.refused(host.to_owned(), of_network(fault), None).into()
    }

    fn refused(
        &self,
        subject: String,
        diagnosis: Diagnosis,
        server_message: Option<String>,
    ) -> Refusal {
        let alternatives = if diagnosis.is_gate() { open_models() } else { Vec::new() };
        let endpoint = self.config.endpoint.clone();
        Refusal { subject, diagnosis, server_message, alternatives, endpoint }
    }

    /// Explains a refusing answer. Where the token may be to blame, the Hub is asked about it once.
    pub(crate) fn refusal(&self, repo: &str, reply: &Reply) -> Result<Refusal, Error> {
        let answer = Answer::of(reply);
        let token = match self.token()? {
            None => TokenState::Absent,
            Some(token) if matches!(answer.status, 401 | 403) => self.token_state(token),
            Some(_) => TokenState::Sent,
        };
        let diagnosis = diagnose(repo, &answer, &token);
        let subject =
            if diagnosis.is_unreachable() || matches!(diagnosis, Diagnosis::RateLimited { .. }) {
                reply.url.host().to_owned()
            } else {
                repo.to_owned()
            };
        Ok(self.refused(subject, diagnosis, answer.message))
    }

    fn token_state(&self, token: &Token) -> TokenState {
        match self.ask_whoami(token) {
            Ok(Some(who)) => TokenState::Known(Box::new(who)),
            Ok(None) => TokenState::Rejected,
            Err(_) => TokenState::Sent,
        }
    }

    /// Asks the Hub about a token; `None` when it does not know it.
    pub(crate) fn ask_whoami(&self, token: &Token) -> Result<Option<WhoAmI>, Error> {
        let url = self.endpoint()?.below("api/whoami-v2");
        let request = Request::get(&url).bearer(Some(token)).header("accept", "application/json");
        let reply =
            self.http.send(&request).map_err(|fault| self.unreachable(url.host(), &fault))?;
        match reply.status {
            200..=299 => {
                let text = reply
                    .bytes(LARGEST_WHOAMI)
                    .map_err(|fault| self.unreachable(url.host(), &fault))?;
                WhoAmI::parse(&text, url.host()).map(Some)
            }
            401 => Ok(None),
            _ => {
                let answer = Answer::of(&reply);
                let diagnosis = diagnose("", &answer, &TokenState::Sent);
                Err(self.refused(url.host().to_owned(), diagnosis, answer.message).into())
            }
        }
    }
}

fn pause(delay: Duration, progress: &dyn Progress) -> Result<(), Error> {
    let until = std::time::Instant::now() + delay;
    loop {
        if progress.cancelled() {
            return Err(stopped());
        }
        let left = until.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}
