//! The chat, on a terminal of its own.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use scaffold_testing::skip;

use crate::project::Project;
use crate::starter;

/// Longer than any answer here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The binary with a terminal as its input, its outputs and what Ctrl-C reaches it through.
struct Terminal {
    keys: File,
    screen: Arc<Mutex<String>>,
    /// How much of the screen was looked at.
    seen: usize,
    child: Child,
    _project: Project,
}

impl Terminal {
    /// `None` where there is no model or no way to make a terminal.
    fn open(flags: &[&str]) -> Option<Terminal> {
        Self::open_with(flags, &[])
    }

    fn open_with(flags: &[&str], more: &[(&str, &str)]) -> Option<Terminal> {
        let variables = starter::variables()?;
        let project = Project::new();
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let path = ptsname(&keys, Vec::new()).unwrap().into_string().unwrap();
        let side = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open(path)
            .unwrap();
        // `setsid --ctty` makes the terminal the one that Ctrl-C comes from.
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_scaffold"), "run", "starter"])
            .args(flags);
        command.current_dir(project.path()).env_clear().envs(variables).envs(more.iter().copied());
        command
            .env("HOME", project.path())
            .env("TERM", "xterm")
            .env("PATH", std::env::var_os("PATH")?);
        command.stdin(side.try_clone().unwrap()).stdout(side.try_clone().unwrap()).stderr(side);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                skip::without(&format!("setsid cannot be run: {error}"));
                return None;
            }
        };
        drop(command);
        let keys = File::from(keys);
        let screen = Arc::new(Mutex::new(String::new()));
        watch(keys.try_clone().unwrap(), Arc::clone(&screen));
        Some(Terminal { keys, screen, seen: 0, child, _project: project })
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` appears after what was looked at already; returns everything up to it.
    fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen.lock().unwrap().clone();
            if let Some(at) = screen[self.seen..].find(text) {
                let found = screen[self.seen..self.seen + at].to_owned();
                self.seen += at + text.len();
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "no {text:?} in: {}", &screen[self.seen..]);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until anything appears after what was looked at already.
    fn wait_for_more(&mut self) {
        let start = Instant::now();
        while self.screen.lock().unwrap().len() == self.seen {
            assert!(start.elapsed() < PATIENCE, "nothing more appears");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn leave(mut self) {
        self.press("/bye\r");
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0));
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("/bye does not leave");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies what the terminal shows, without the sequences that move the cursor and colour.
fn watch(mut from: File, screen: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        let mut all = Vec::new();
        // Ends with an error when the other side is closed.
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            all.extend_from_slice(&bytes[..count]);
            *screen.lock().unwrap() = plain(&String::from_utf8_lossy(&all));
        }
    });
}

fn plain(text: &str) -> String {
    let mut shown = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.next() == Some('[') => {
                chars.by_ref().find(char::is_ascii_alphabetic);
            }
            '\x1b' | '\r' => {}
            c => shown.push(c),
        }
    }
    shown
}

#[test]
fn commands_and_messages_of_several_lines() {
    let Some(mut terminal) = Terminal::open(&["--greedy", "--max-new-tokens", "1"]) else {
        return;
    };
    terminal.wait_for("Send a message (/? for help)");
    terminal.wait_for(">>> ");
    terminal.press("/?\r");
    terminal.wait_for("Ctrl-C stops an answer.");
    terminal.press("/set parameter top_k 3\r");
    terminal.wait_for("Set top_k to 3");
    terminal.press("/set parameter top_k many\r");
    terminal.wait_for("top_k takes a whole number");
    terminal.press("/show system\r");
    terminal.wait_for("There is no system message");
    terminal.press("/set system Be brief.\r");
    terminal.wait_for("Set the system message");
    terminal.press("\"\"\"\r");
    terminal.wait_for("... ");
    terminal.press("Say\r");
    terminal.wait_for("... ");
    terminal.press("hello.\"\"\"\r");
    terminal.wait_for("cut off after 1 new token,");
    terminal.wait_for(">>> ");
    terminal.press("/clear\r");
    terminal.wait_for("Forgot the conversation");
    terminal.leave();
}

/// As a shell's prompt does it: each line is an input, in its order, however fast it came.
#[test]
fn lines_that_are_pasted_or_typed_ahead_are_all_read() {
    let Some(mut terminal) = Terminal::open(&["--greedy", "--max-new-tokens", "200"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    // Pasted by a terminal that does not say that it is a paste.
    terminal.press("/set parameter top_k 11\r/set parameter top_k 12\r/set parameter top_k 13\r");
    for top_k in 11..=13 {
        terminal.wait_for(&format!("Set top_k to {top_k}"));
    }
    // More than is read at once.
    let long = format!("/set system {}\r/show system\r", "word ".repeat(400));
    terminal.press(&long);
    terminal.wait_for("Set the system message");
    terminal.wait_for("word word\n");
    terminal.press("/set system\r");
    terminal.wait_for("Removed the system message");
    // Typed while an answer is written.
    terminal.press("Count to fifty.\r");
    terminal.wait_for("Count to fifty.\n");
    terminal.wait_for_more();
    terminal.press("/set parameter top_k 21\r/set parameter top_k 22\r");
    terminal.press("/set parameter top_k 23\r");
    for top_k in 21..=23 {
        terminal.wait_for(&format!("Set top_k to {top_k}"));
    }
    terminal.wait_for("\n>>> ");
    terminal.leave();
}

/// What a terminal marks as a paste is one message of several lines.
#[test]
fn a_marked_paste_is_one_message() {
    let Some(mut terminal) = Terminal::open(&["--greedy", "--max-new-tokens", "1"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    terminal.press("\x1b[200~Say\rhello.\x1b[201~\r");
    terminal.wait_for("cut off after 1 new token,");
    terminal.wait_for("\n>>> ");
    terminal.leave();
}

/// Up brings back what was typed in an earlier chat, where a file is named for that.
#[test]
fn what_was_typed_is_remembered_by_choice() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("history");
    let file = file.to_str().unwrap();
    let history = [("SCAFFOLD_HISTORY", file)];
    let Some(mut terminal) = Terminal::open_with(&[], &history) else { return };
    terminal.wait_for(">>> ");
    terminal.press("/set parameter top_k 17\r");
    terminal.wait_for("Set top_k to 17");
    terminal.leave();
    let kept = std::fs::metadata(file).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&kept.permissions()) & 0o77, 0);
    let Some(mut terminal) = Terminal::open_with(&[], &history) else { return };
    terminal.wait_for(">>> ");
    // The one before `/bye`.
    terminal.press("\x1b[A\x1b[A\r");
    terminal.wait_for("Set top_k to 17");
    terminal.leave();
}

/// While nothing can be shown of an answer yet.
#[test]
fn a_long_prompt_gives_a_sign_of_life() {
    let prompt = "word ".repeat(5000);
    let Some(mut terminal) = Terminal::open(&["--max-new-tokens", "1", &prompt]) else {
        return;
    };
    terminal.wait_for("reading the prompt: ");
    terminal.wait_for(" of 50");
    terminal.wait_for("cut off after 1 new token,");
}

#[test]
fn ctrl_c_stops_the_answer_and_not_the_chat() {
    let Some(mut terminal) = Terminal::open(&["--ignore-eos", "--max-new-tokens", "7000"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    terminal.press("\x03");
    terminal.wait_for("Use Ctrl-D or /bye to leave");
    terminal.wait_for(">>> ");
    terminal.press("Count to ten.\r");
    // The message's own echo, then the first words of an answer that would take minutes.
    terminal.wait_for("Count to ten.\n");
    terminal.wait_for_more();
    terminal.press("\x03");
    terminal.wait_for("\n>>> ");
    terminal.leave();
}

#[test]
fn a_message_that_does_not_fit_ends_neither_the_chat_nor_the_conversation() {
    let Some(mut terminal) = Terminal::open(&["--ctx", "64", "--max-new-tokens", "2"]) else {
        return;
    };
    terminal.wait_for(">>> ");
    terminal.press(&format!("{}\r", "word ".repeat(80)));
    terminal.wait_for("error: ");
    terminal.wait_for("64");
    terminal.wait_for("\n>>> ");
    terminal.leave();
}
