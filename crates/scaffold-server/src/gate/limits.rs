//! How much each client may have: requests at once, requests and tokens a minute.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::keys::KeyLimits;
use crate::fault::Fault;

/// So much a minute: what is not taken is saved up for a minute, and not longer.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// What may be taken now; below zero after more was taken than was there.
    level: f64,
    at: Instant,
}

impl Bucket {
    fn full(limit: u64, now: Instant) -> Self {
        Self { level: limit as f64, at: now }
    }

    fn fill(&mut self, limit: u64, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + since * limit as f64 / 60.0).min(limit as f64);
        self.at = now;
    }

    /// How long it takes until something may be taken: what is there then is `needed`.
    fn wait(&self, limit: u64, needed: f64) -> Duration {
        let missing = (needed - self.level).max(0.0);
        // Rounded up, so that who comes then is not sent away again.
        Duration::try_from_secs_f64(missing * 60.0 / limit as f64 + 0.001)
            .unwrap_or(Duration::from_hours(1))
    }
}

/// What one client has taken.
#[derive(Debug)]
struct Meter {
    at_once: usize,
    requests: Bucket,
    tokens: Bucket,
}

impl Meter {
    fn new(limits: &KeyLimits, now: Instant) -> Self {
        Self {
            at_once: 0,
            requests: Bucket::full(limits.requests_per_minute.unwrap_or(0), now),
            tokens: Bucket::full(limits.tokens_per_minute.unwrap_or(0), now),
        }
    }
}

/// What all clients with limits have taken, by the names of their keys.
#[derive(Debug, Default)]
pub(crate) struct Meters(Mutex<HashMap<Arc<str>, Arc<Mutex<Meter>>>>);

impl Meters {
    /// The account of a client, if it has limits. What was taken under the same name counts on.
    pub(super) fn account(&self, owner: &Arc<str>, limits: KeyLimits) -> Option<Account> {
        if limits == KeyLimits::default() {
            return None;
        }
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Mutex::new(Meter::new(&limits, Instant::now())));
        let meter = Arc::clone(meters.entry(Arc::clone(owner)).or_insert_with(new));
        Some(Account { limits, meter })
    }
}

/// What one client may have, and has.
#[derive(Clone)]
pub(crate) struct Account {
    limits: KeyLimits,
    meter: Arc<Mutex<Meter>>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.limits.fmt(f)
    }
}

impl Account {
    /// Lets a request in that computes; what is given back counts it among those at once.
    pub(crate) fn enter(&self) -> Result<Entered, Fault> {
        self.enter_at(Instant::now())
    }

    fn enter_at(&self, now: Instant) -> Result<Entered, Fault> {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let KeyLimits { at_once, requests_per_minute, tokens_per_minute } = self.limits;
        if let Some(most) = at_once.filter(|most| meter.at_once >= *most) {
            let words = format!(
                "this API key has {most} requests at work, and at-once={most} is its limit: repeat it when one of them is answered"
            );
            return Err(too_many(words, Duration::from_secs(1)));
        }
        if let Some(limit) = tokens_per_minute {
            meter.tokens.fill(limit, now);
            if meter.tokens.level < 1.0 {
                let wait = meter.tokens.wait(limit, 1.0);
                let words = format!(
                    "this API key has used its tokens of prompts and answers, and tokens-per-minute={limit} is its limit: {}",
                    again(wait)
                );
                return Err(too_many(words, wait));
            }
        }
        if let Some(limit) = requests_per_minute {
            meter.requests.fill(limit, now);
            if meter.requests.level < 1.0 {
                let wait = meter.requests.wait(limit, 1.0);
                let words = format!(
                    "this API key has made its requests, and requests-per-minute={limit} is its limit: {}",
                    again(wait)
                );
                return Err(too_many(words, wait));
            }
            meter.requests.level -= 1.0;
        }
        meter.at_once += 1;
        Ok(Entered(Arc::clone(&self.meter)))
    }

    /// Counts tokens that were read or written.
    pub(crate) fn spend(&self, tokens: usize) {
        if let Some(limit) = self.limits.tokens_per_minute {
            let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
            meter.tokens.fill(limit, Instant::now());
            meter.tokens.level -= tokens as f64;
        }
    }
}

/// In words that some clients read a time from.
fn again(wait: Duration) -> String {
    format!("try again in {}s", wait.as_secs_f64().ceil())
}

fn too_many(words: String, wait: Duration) -> Fault {
    Fault { retry_after: Some(wait), ..Fault::new(429, words).code("rate_limit_exceeded") }
}

/// A request at work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Entered(Arc<Mutex<Meter>>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at_once -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(limits: KeyLimits) -> Account {
        Meters::default().account(&"me".into(), limits).unwrap()
    }

    #[test]
    fn requests_at_once_come_free() {
        let account = account(KeyLimits { at_once: Some(2), ..KeyLimits::default() });
        let first = account.enter().unwrap();
        let _second = account.clone().enter().unwrap();
        let fault = account.enter().unwrap_err();
        assert!(fault.status == 429 && fault.message.contains("at-once=2"), "{}", fault.message);
        drop(first);
        assert!(account.enter().is_ok());
    }

    #[test]
    fn requests_of_a_minute_come_again_at_an_even_pace() {
        let account = account(KeyLimits { requests_per_minute: Some(6), ..KeyLimits::default() });
        let now = Instant::now();
        for _ in 0..6 {
            account.enter_at(now).unwrap();
        }
        let fault = account.enter_at(now).unwrap_err();
        assert_eq!(fault.retry_seconds(), Some(11), "{}", fault.message);
        assert!(account.enter_at(now + Duration::from_secs(9)).is_err());
        let later = now + Duration::from_secs(11);
        assert!(account.enter_at(later).is_ok() && account.enter_at(later).is_err());
        // No more than those of a minute are saved up.
        let much_later = now + Duration::from_hours(1);
        let entered = (0..20).filter(|_| account.enter_at(much_later).is_ok());
        assert_eq!(entered.count(), 6);
    }

    #[test]
    fn more_tokens_than_there_were_are_waited_for() {
        let account = account(KeyLimits { tokens_per_minute: Some(60), ..KeyLimits::default() });
        account.enter().unwrap();
        account.spend(90);
        let fault = account.enter().unwrap_err();
        assert!((31..=32).contains(&fault.retry_seconds().unwrap()), "{}", fault.message);
        assert!(account.enter_at(Instant::now() + Duration::from_secs(32)).is_ok());
    }

    #[test]
    fn what_was_taken_counts_on_under_new_limits() {
        let meters = Meters::default();
        let limits = |most| KeyLimits { at_once: Some(most), ..KeyLimits::default() };
        let owner: Arc<str> = "me".into();
        let before = meters.account(&owner, limits(2)).unwrap();
        let _entered = before.enter().unwrap();
        assert!(meters.account(&owner, limits(1)).unwrap().enter().is_err());
        assert!(meters.account(&owner, KeyLimits::default()).is_none());
    }
}
