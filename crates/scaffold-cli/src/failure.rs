//! Where every error ends: what is said, and which exit code it has.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; also when the reader of standard output went away |
//! | 1 | refused or answered in the negative: the model, the file or the prompt cannot be used |
//! | 2 | usage or environment: a flag, a setting, the network, the disk |
//! | 130 | stopped by Ctrl-C |

use std::fmt::Write as _;

use scaffold::Kind;

use crate::{out, remedy};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Refused, or a negative result.
    Refused,
    /// Wrong usage, or an environment that does not allow it.
    Unusable,
    /// Stopped by Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Unusable => 2,
            Exit::Interrupted => crate::interrupt::EXIT_CODE,
        }
    }
}

/// The command was given something that it cannot work with; the text says what and what to do.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Ctrl-C stopped something that has no result without its end.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped by Ctrl-C")
    }
}

impl std::error::Error for Interrupted {}

/// Prints clap's answer: help and version on standard output, wrong usage on standard error.
pub(crate) fn usage(answer: &clap::Error) -> Exit {
    if answer.use_stderr() {
        out::say(answer.render().to_string().trim_end());
        Exit::Unusable
    } else {
        // A closed pipe is no error here either.
        let _ = answer.print();
        Exit::Done
    }
}

/// Says what went wrong, and how the program ends because of it.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    if error.is::<out::Closed>() {
        return Exit::Done;
    }
    let text = render(error);
    out::say(&text);
    if looks_like_a_limit(&text) {
        for limit in scaffold::memory::process_limits() {
            out::say(format_args!("note: this process may have {limit}"));
        }
    }
    exit_of(error)
}

/// Whether a limit of the process may be behind an error whose own words do not name it.
fn looks_like_a_limit(text: &str) -> bool {
    [
        "Cannot allocate memory",
        "the system did not give",
        "Resource temporarily unavailable",
        "thread",
    ]
    .iter()
    .any(|part| text.contains(part))
}

/// The error, then each cause whose text the errors above it do not contain already.
pub(crate) fn render(error: &anyhow::Error) -> String {
    let mut chain = error.chain().map(told);
    let mut text = format!("error: {}", chain.next().unwrap_or_default());
    for cause in chain {
        if !text.contains(&cause) {
            let _ = write!(text, "\n  because: {cause}");
        }
    }
    text
}

/// One error, with what to do in the words of the command line.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<scaffold::Error>() {
        Some(error) => error.worded(remedy::words),
        None => error.to_string(),
    }
}

fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<scaffold::Error>() {
            return exit_of_kind(error);
        }
        if cause.is::<Interrupted>() {
            return Exit::Interrupted;
        }
        if cause.is::<Usage>() || cause.is::<std::io::Error>() {
            return Exit::Unusable;
        }
    }
    Exit::Refused
}

/// The one table from what sort of failure it is to how the program ends.
fn exit_of_kind(error: &scaffold::Error) -> Exit {
    match error.kind() {
        // What the system says of a file is no word on what is in it.
        _ if error.cause::<std::io::Error>().is_some() => Exit::Unusable,
        Kind::NotFound | Kind::Damaged | Kind::Unsupported | Kind::Refused | Kind::TooLarge => {
            Exit::Refused
        }
        Kind::Cancelled => Exit::Interrupted,
        // Busy, Unavailable, Usage, Internal, and whatever comes to be.
        _ => Exit::Unusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let inner = anyhow::anyhow!("the file ends early");
        assert_eq!(render(&inner), "error: the file ends early");
        let outer = inner.context("cannot load x");
        assert_eq!(render(&outer), "error: cannot load x\n  because: the file ends early");
        let repeated = anyhow::anyhow!("end").context("cannot load x: end");
        assert_eq!(render(&repeated), "error: cannot load x: end");
    }
}
