//! Downloads as the user sees them: one bar on a terminal, plain lines elsewhere. All on standard
//! error.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};
use scaffold::hub::{Event, Progress, WaitReason};

use crate::interrupt::Listener;
use crate::{out, remedy};

/// What takes less is not told of.
const SHORT: Duration = Duration::from_millis(700);

/// A sign of life, on a terminal only, while something takes its time: a line that is redrawn and
/// goes away at the end.
struct Sign {
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Sign {
    fn new() -> Sign {
        Sign { since: Instant::now(), bar: None }
    }

    fn show(&mut self, text: impl FnOnce() -> String) {
        if self.since.elapsed() < SHORT || !out::can_redraw() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_message(text());
        bar.tick();
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells how far a long prompt is read.
pub(crate) struct Reading(Sign);

impl Reading {
    pub(crate) fn new() -> Reading {
        Reading(Sign::new())
    }

    /// So many tokens of so many.
    pub(crate) fn show(&mut self, read: usize, of: usize) {
        if of > 0 && read < of {
            self.0.show(|| format!("reading the prompt: {read} of {of} tokens"));
        }
    }

    /// The answer begins.
    pub(crate) fn end(&mut self) {
        self.0.end();
    }
}

/// Plain lines come at most this often.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// The display of one call of the Hub client.
pub(crate) struct Display {
    tally: Tally,
    bar: Option<ProgressBar>,
    on_terminal: bool,
    last_line: Instant,
    interrupt: Listener,
    loading: Option<Sign>,
}

impl Display {
    pub(crate) fn new() -> Display {
        Display {
            tally: Tally::default(),
            bar: None,
            on_terminal: out::can_redraw(),
            last_line: Instant::now(),
            interrupt: Listener::new(),
            loading: None,
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| out::say(text)),
            None => out::say(text),
        }
    }

    fn begin(&mut self, files: usize) {
        let noun = if files == 1 { "file" } else { "files" };
        self.say(&format!("downloading {files} {noun}, {}", DecimalBytes(self.tally.planned)));
        if self.on_terminal {
            let style = ProgressStyle::with_template(
                "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left {wide_msg}",
            );
            let bar = ProgressBar::new(self.tally.planned);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
    }

    fn moved(&mut self) {
        if let Some(bar) = &self.bar {
            bar.set_length(self.tally.planned.max(self.tally.arrived()));
            bar.set_position(self.tally.arrived());
        } else if self.last_line.elapsed() >= BETWEEN_LINES {
            self.last_line = Instant::now();
            out::say(self.tally.line());
        }
    }
}

impl Progress for Display {
    fn event(&mut self, event: &Event) {
        self.tally.hear(event);
        match event {
            Event::Notice(notice) => {
                self.say(&["note: ", &notice.worded(remedy::words)].concat());
            }
            Event::Source(text) => self.say(text),
            Event::Resolving { .. } | Event::Planned { files: 0, .. } => {}
            Event::Planned { files, .. } => self.begin(*files),
            Event::Started { file, resumed, .. } => {
                if *resumed > 0 {
                    self.say(&format!("{file}: going on after {}", DecimalBytes(*resumed)));
                }
                if let Some(bar) = &self.bar {
                    bar.set_message(out::plain(file));
                }
                self.moved();
            }
            Event::Bytes { .. } => self.moved(),
            Event::Waiting { file, reason, delay } => self.say(&waiting(file, reason, *delay)),
            Event::Restarted { file, reason } => {
                self.say(&format!("{file}: starting again: {reason}"));
            }
            Event::Verifying { file } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(out::plain(&format!("verifying {file}")));
                }
            }
            Event::Finished { file, .. } => {
                if self.bar.is_none() {
                    out::say(format_args!("{file}: downloaded and verified"));
                }
            }
        }
    }

    fn loaded(&mut self, bytes: u64, of: u64) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let sign = self.loading.get_or_insert_with(Sign::new);
        sign.show(|| format!("loading: {} of {}", DecimalBytes(bytes), DecimalBytes(of)));
    }

    fn written(&mut self, bytes: u64, of: u64) {
        let sign = self.loading.get_or_insert_with(Sign::new);
        sign.show(|| format!("writing: {} of {}", DecimalBytes(bytes), DecimalBytes(of)));
    }

    fn cancelled(&self) -> bool {
        self.interrupt.pressed()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn waiting(file: &str, reason: &WaitReason, delay: Option<Duration>) -> String {
    let delay =
        delay.map(|delay| format!(", for up to {}", HumanDuration(delay))).unwrap_or_default();
    match reason {
        WaitReason::ServerBusy => format!("{file}: the server asks to wait{delay}"),
        WaitReason::Retry(fault) => format!("{file}: {fault}; trying again{delay}"),
        WaitReason::OtherProcess => {
            format!("{file}: another process is downloading it; waiting{delay}")
        }
    }
}

/// How many bytes of how many there are.
#[derive(Debug, Default)]
struct Tally {
    planned: u64,
    files: HashMap<String, u64>,
}

impl Tally {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Planned { bytes, .. } => self.planned = *bytes,
            Event::Started { file, resumed, .. } => {
                self.files.insert(file.clone(), *resumed);
            }
            Event::Bytes { file, count } => *self.files.entry(file.clone()).or_default() += count,
            Event::Restarted { file, .. } => {
                self.files.insert(file.clone(), 0);
            }
            _ => {}
        }
    }

    fn arrived(&self) -> u64 {
        self.files.values().sum()
    }

    fn line(&self) -> String {
        let percent = (self.arrived() * 100).checked_div(self.planned).unwrap_or(0).min(100);
        format!("{} of {} ({percent} %)", DecimalBytes(self.arrived()), DecimalBytes(self.planned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarted_files_are_counted_from_zero() {
        let mut tally = Tally::default();
        let file = || "model.safetensors".to_owned();
        for event in [
            Event::Planned { files: 1, bytes: 1000, present: 0 },
            Event::Started { file: file(), size: Some(1000), resumed: 100 },
            Event::Bytes { file: file(), count: 400 },
        ] {
            tally.hear(&event);
        }
        assert_eq!(tally.line(), "500 B of 1.00 kB (50 %)");
        tally.hear(&Event::Restarted { file: file(), reason: "changed".to_owned() });
        assert_eq!(tally.arrived(), 0);
        assert_eq!(Tally::default().line(), "0 B of 0 B (0 %)");
    }
}
