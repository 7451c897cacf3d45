//! The prompt: what was typed as arguments, and what standard input adds.

use std::io::{BufRead as _, IsTerminal as _, Read};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context as _;
use scaffold::hub::decode_text;

use crate::failure::Usage;
use crate::out;

/// Far more than any model's context holds.
const LONGEST: u64 = 64 << 20;

/// Whether standard input is a person.
pub(crate) fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Whether a person sees questions on standard error and answers them on standard input.
pub(crate) fn is_conversation() -> bool {
    is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on the terminal; everything but yes is no.
pub(crate) fn confirmed(question: &str) -> anyhow::Result<bool> {
    out::ask(&format!("{question} [y/N] "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_line(&mut answer);
    // The end of the input is no answer, and has moved no line on.
    if read.context("cannot read the answer from the terminal")? == 0 {
        out::say("");
    }
    Ok(["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes)))
}

/// Joins the words of the prompt and, unless standard input is a terminal or `closed`, appends what
/// it holds.
pub(crate) fn prompt(words: &[String], closed: bool) -> anyhow::Result<String> {
    let piped = if closed || is_terminal() {
        String::new()
    } else {
        let _patience = Patience::new();
        text(std::io::stdin().lock())?
    };
    Ok(join(&words.join(" "), &piped))
}

/// Says what is waited for while standard input stays open. Programs that start others often leave
/// it so.
struct Patience {
    _done: mpsc::Sender<()>,
}

/// So long nobody wonders.
const SILENCE: Duration = Duration::from_secs(1);

impl Patience {
    fn new() -> Patience {
        let (done, waiting) = mpsc::channel::<()>();
        // Without the thread nothing is said, and that is all.
        let _ = std::thread::Builder::new().spawn(move || {
            if waiting.recv_timeout(SILENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                out::say(
                    "note: standard input is open and is read to its end, to be added to the prompt; use --no-stdin (or < /dev/null) to leave it out",
                );
            }
        });
        Patience { _done: done }
    }
}

fn text(source: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    source.take(LONGEST + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
    if bytes.len() as u64 > LONGEST {
        return Err(Usage(format!("standard input has more than {LONGEST} bytes, which no model can read at once\n  to do: send a part of it")).into());
    }
    decoded(&bytes, "standard input")
}

/// The text of what was read from `name`, without a byte-order mark.
pub(crate) fn decoded(bytes: &[u8], name: &str) -> anyhow::Result<String> {
    decode_text(bytes).map_err(|error| {
        let text = format!(
            "{name} is not text: {error}\n  to do: convert it, for example with iconv -t UTF-8"
        );
        Usage(text).into()
    })
}

/// A blank line keeps a question apart from the text that it is about.
fn join(typed: &str, piped: &str) -> String {
    let piped = piped.trim_end_matches(['\n', '\r']);
    match (typed.is_empty(), piped.is_empty()) {
        (false, false) => format!("{typed}\n\n{piped}"),
        (true, _) => piped.to_owned(),
        (false, true) => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_appended() {
        assert_eq!(join("Summarise:", "one\ntwo\n"), "Summarise:\n\none\ntwo");
        assert_eq!(join("", "one\n"), "one");
        assert_eq!(join("typed", ""), "typed");
        assert_eq!(join("", ""), "");
    }

    #[test]
    fn what_is_not_text_is_refused_with_the_place() {
        assert_eq!(text(&b"plain"[..]).unwrap(), "plain");
        assert_eq!(text(&b"\xef\xbb\xbfmarked"[..]).unwrap(), "marked");
        assert_eq!(text(&b"\xff\xfew\0i\0d\0e\0"[..]).unwrap(), "wide");
        assert!(text(&b"ab\xff"[..]).unwrap_err().to_string().contains("byte 2"));
    }
}
