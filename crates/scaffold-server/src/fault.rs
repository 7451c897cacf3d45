//! What goes wrong, as HTTP says it: the one table from kinds of errors to statuses.

use std::time::Duration;

use scaffold::engine::Overloaded;
use scaffold::{Error, Kind, Remedy};

/// Texts in one request, at most: each takes room in its answer.
pub(crate) const MOST_TEXTS: usize = 8192;

/// The `code` that programs know a prompt by that does not fit.
const TOO_LONG: &str = "context_length_exceeded";

/// An answer that is none: a status, and words that each way of speaking puts into its own shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The status of HTTP.
    pub(crate) status: u16,
    /// What programs decide by, where there is a word for it: OpenAI's `code`.
    pub(crate) code: Option<&'static str>,
    /// What happened, and what to do.
    pub(crate) message: String,
    /// The field of the request.
    pub(crate) param: Option<String>,
    /// When the same request may succeed.
    pub(crate) retry_after: Option<Duration>,
    /// The methods that the path takes, where it was another one.
    pub(crate) allow: Option<&'static str>,
}

impl Fault {
    /// A fault with these words.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, code: None, message, param: None, retry_after: None, allow: None }
    }

    /// A request that cannot be understood or done because of this field.
    pub(crate) fn field(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..Self::new(400, message) }
    }

    /// A fault of this program.
    pub(crate) fn internal() -> Self {
        Self::new(500, "a fault of the server's own: the request was not answered; report this")
    }

    /// A model that is not on this disk, in the words that clients look for.
    pub(crate) fn no_model(name: &str) -> Self {
        let message = format!(
            "model '{name}' not found, try pulling it first: `scaffold pull {name}`, or POST /api/pull"
        );
        Self {
            code: Some("model_not_found"),
            param: Some("model".to_owned()),
            ..Self::new(404, message)
        }
    }

    /// More of something in one request than it may have.
    pub(crate) fn at_most(field: &str, count: usize, most: usize) -> Result<(), Self> {
        if count <= most {
            return Ok(());
        }
        let words =
            format!("{field} has {count} entries, and {most} may be in one request: send several");
        Err(Self::field(field, words))
    }

    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Names the field that a prompt came in, where it is the prompt that does not fit.
    pub(crate) fn of_prompt(mut self, field: &str) -> Self {
        if self.code == Some(TOO_LONG) {
            self.param.get_or_insert_with(|| field.to_owned());
        }
        self
    }

    /// OpenAI's `type`.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            400..500 => "invalid_request_error",
            503 => "overloaded_error",
            _ => "api_error",
        }
    }

    /// Whole seconds for `Retry-After`.
    pub(crate) fn retry_seconds(&self) -> Option<u64> {
        self.retry_after.map(|time| time.as_secs_f64().ceil().max(1.0) as u64)
    }
}

/// What to do, in words of HTTP.
fn words(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Pull(model) => format!("fetch it: `scaffold pull {model}`, or POST /api/pull"),
        Remedy::ListModels => "see which models are here: GET /v1/models".to_owned(),
        Remedy::RemoveModels => "remove models that are not needed: DELETE /api/delete".to_owned(),
        Remedy::Truncate => "ask for it to be cut: \"truncate\": true".to_owned(),
        Remedy::Login | Remedy::TokenStatus | Remedy::WhoAmI | Remedy::GoOnline => {
            format!("where the server runs, {remedy}")
        }
        _ => remedy.to_string(),
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let overloaded = error.cause::<Overloaded>();
        let (status, code) = match error.kind() {
            // Not of the prompt, but of what the answer has to keep to.
            Kind::TooLarge
                if matches!(error.place().key(), Some("grammar" | "schema" | "choices")) =>
            {
                (400, None)
            }
            // A prompt that does not fit.
            Kind::TooLarge => (400, Some(TOO_LONG)),
            // Who was refused by the Hub can sign in; who was refused by a template cannot.
            Kind::Refused if error.remedies().contains(&Remedy::Login) => (403, None),
            Kind::Usage | Kind::Unsupported | Kind::Refused => (400, None),
            Kind::NotFound => (404, Some("model_not_found")),
            Kind::Busy if overloaded.is_some() => (429, Some("rate_limit_exceeded")),
            Kind::Busy | Kind::Unavailable => (503, None),
            // What nginx calls a client that went away.
            Kind::Cancelled => (499, None),
            _ => (500, None),
        };
        let wait = overloaded.and_then(|overloaded| overloaded.expected_wait);
        let is_busy = error.kind() == Kind::Busy;
        Self {
            status,
            code,
            message: error.worded(words),
            param: error.place().key().map(str::to_owned),
            retry_after: is_busy.then(|| wait.unwrap_or(Duration::from_secs(1))),
            allow: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use scaffold_error::err;

    use super::*;

    #[test]
    fn every_kind_has_a_status() {
        for kind in Kind::ALL {
            let fault = Fault::from(Error::new(kind, "words"));
            let wanted = match kind {
                Kind::NotFound => 404,
                Kind::Busy | Kind::Unavailable => 503,
                Kind::Cancelled => 499,
                Kind::Internal | Kind::Damaged => 500,
                _ => 400,
            };
            assert_eq!((fault.status, fault.message.as_str()), (wanted, "words"), "{kind}");
        }
    }

    #[test]
    fn too_many_requests_are_told_when_to_come_again() {
        let wait = Some(Duration::from_millis(2300));
        let overloaded = Overloaded { waiting: 3, limit: 3, owner: None, expected_wait: wait };
        let fault = Fault::from(err!(Busy, "full").because(overloaded));
        assert_eq!((fault.status, fault.retry_seconds()), (429, Some(3)));
        let fault = Fault::from(err!(Busy, "loading"));
        assert_eq!((fault.status, fault.retry_seconds()), (503, Some(1)));
    }
}
