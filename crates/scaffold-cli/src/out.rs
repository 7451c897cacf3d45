//! The only place that prints.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};

use scaffold::{Notice, Topic};

use crate::layout::{self, Flow};
use crate::remedy;

/// The reader of standard output went away (`scaffold … | head`): no error, just nothing more to
/// do.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::error::Error for Closed {}

/// Writes to standard output at once.
///
/// On a terminal, control characters other than line breaks and tabs are dropped: a model's answer
/// must not be able to move the cursor, retitle the window or paste.
pub(crate) fn piece(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = if stdout.is_terminal() {
        stdout.write_all(harmless(text).as_bytes())
    } else {
        stdout.write_all(text.as_bytes())
    };
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to standard output")),
    }
}

/// Writes what a library has left unfinished. That nobody reads it is no error.
pub(crate) fn flush() {
    let _ = io::stdout().flush();
}

/// Writes a line to standard output.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    piece(&format!("{text}\n"))
}

/// Writes sentences and tables to standard output, in lines that fit the terminal, if there is one.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    match layout::stdout_width() {
        Some(width) => piece(&layout::wrapped(text, width)),
        None => piece(text),
    }
}

/// Writes a JSON document to standard output, on one line.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)
}

/// Says a line on standard error. That nobody hears it is no reason to stop.
pub(crate) fn say(text: impl fmt::Display) {
    let text = plain(&text.to_string());
    let text = layout::stderr_width().map_or_else(|| text.clone(), |w| layout::wrapped(&text, w));
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says what is written to it, a line at a time: for a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log;

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        say(String::from_utf8_lossy(line).trim_end());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts a question on standard error, after which the answer is typed.
pub(crate) fn ask(question: &str) {
    let _ = write!(io::stderr(), "{}", plain(question));
    let _ = io::stderr().flush();
}

/// Says what the user should know. What computes is said where somebody asks for more.
pub(crate) fn notices(notices: &[Notice]) {
    for notice in notices.iter().filter(|notice| notice.topic != Topic::Device) {
        say(format_args!("note: {}", notice.worded(remedy::words)));
    }
}

/// Text as it may be shown beside other text, on a progress bar too: without what looks like a
/// token, and with control characters written out. Names of files, keys of configurations, messages
/// of templates and of servers come from anywhere, and end up in errors and notes; none may move
/// the cursor or retitle the window, also where standard error is a file that somebody looks at
/// later.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in masked(text).chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if c.is_control() || turns_text(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that make other text be shown in another order.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether standard error can show a line again and again; else progress is told in lines.
pub(crate) fn can_redraw() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The last line of defence: whatever looks like an access token of the Hub is cut off after its
/// prefix.
fn masked(text: &str) -> String {
    const SHORTEST: usize = 16;
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("hf_") {
        let (before, token) = rest.split_at(at);
        let length = 3 + token[3..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(token.len() - 3);
        shown.push_str(before);
        shown.push_str(if length >= SHORTEST { "hf_…" } else { &token[..length] });
        rest = &token[length..];
    }
    shown + rest
}

/// Rows as columns that fit the terminal, if there is one.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    layout::table(rows, layout::stdout_width()).concat()
}

/// An answer while it arrives. On a terminal its lines break between words.
pub(crate) struct Prose(Option<Flow>);

impl Prose {
    pub(crate) fn new() -> Prose {
        Prose(layout::stdout_width().map(Flow::new))
    }

    /// Writes the next piece.
    pub(crate) fn piece(&mut self, text: &str) -> anyhow::Result<()> {
        match &mut self.0 {
            Some(flow) => piece(&flow.push(text)),
            None => piece(text),
        }
    }

    /// Writes what was held back.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        self.0.as_mut().map_or(Ok(()), |flow| piece(&flow.end()))
    }
}

/// A text on one line of at most `most` characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most + 1).collect();
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

fn harmless(text: &str) -> String {
    text.chars().filter(|&c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cannot_drive_the_terminal() {
        assert_eq!(harmless("a\x1b]0;title\x07b\tc\n\u{9b}31md"), "a]0;titleb\tc\n31md");
        assert_eq!(harmless("héllo 🌍"), "héllo 🌍");
    }

    #[test]
    fn talk_shows_control_characters_as_text() {
        assert_eq!(
            plain("a\x1b]0;title\x07b\tc\r\n\u{9b}31m\u{202e}d\u{7f}"),
            "a\\u{1b}]0;title\\u{7}b\tc\\r\n\\u{9b}31m\\u{202e}d\\u{7f}"
        );
        assert_eq!(plain("héllo 🌍 hf_abcdefghijklmnopqrst"), "héllo 🌍 hf_…");
    }

    #[test]
    fn what_looks_like_a_token_is_masked() {
        for (text, shown) in [
            ("a hf_abcdefghijklmnopqrst. b", "a hf_…. b"),
            ("'hf_abcdefghijklmnopqrst' hf_abcdefghijklmnopqrst", "'hf_…' hf_…"),
            ("hf_hub_cache is set, hf_ is a prefix", "hf_hub_cache is set, hf_ is a prefix"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn long_texts_are_shortened_to_one_line() {
        assert_eq!(shortened("a\nb\x1bc", 5), "a b c");
        assert_eq!(shortened("héllo world", 7), "héllo…");
        assert_eq!(shortened("héllo", 5), "héllo");
    }

    #[test]
    fn tables_align() {
        let rows = [["A", "BBB", "C"], ["AAA", "B", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "A    BBB  C\nAAA  B\n");
    }
}
