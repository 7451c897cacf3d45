//! The binary on a terminal of its own.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use scaffold_testing::skip;

use crate::project::Project;

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// The binary with a terminal as its input, its outputs and what Ctrl-C reaches it through.
pub(crate) struct Terminal {
    keys: File,
    screen: Arc<Mutex<String>>,
    /// How much of the screen was looked at.
    seen: usize,
    child: Child,
    /// There until the program has ended.
    project: Option<Project>,
}

impl Terminal {
    /// The binary with these arguments in a project. `None` where there is no way to make a
    /// terminal.
    pub(crate) fn open(
        project: Project,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Option<Terminal> {
        Self::open_at(0, project, arguments, variables)
    }

    /// The same on a terminal of so many columns; 0 says nothing of them.
    pub(crate) fn open_at(
        columns: u16,
        project: Project,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Option<Terminal> {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&keys, size).unwrap();
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
        command.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_scaffold")]).args(arguments);
        command.current_dir(project.path()).env_clear();
        command
            .env("HOME", project.home())
            .envs(variables.iter().map(|(name, value)| (name, value)))
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
        Some(Terminal { keys, screen, seen: 0, child, project: Some(project) })
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` appears after what was looked at already; returns everything up to it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
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
    pub(crate) fn wait_for_more(&mut self) {
        let start = Instant::now();
        while self.screen.lock().unwrap().len() == self.seen {
            assert!(start.elapsed() < PATIENCE, "nothing more appears");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that was shown when the program had ended by itself.
    pub(crate) fn shown(self) -> String {
        let screen = Arc::clone(&self.screen);
        self.ended();
        // What it wrote last may still be on its way.
        std::thread::sleep(Duration::from_millis(50));
        let screen = screen.lock().unwrap();
        screen.clone()
    }

    /// Waits until the program ends by itself; its exit code, and the project that it ran in.
    pub(crate) fn ended(mut self) -> (Option<i32>, Project) {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                let project = std::mem::take(&mut self.project).unwrap();
                return (status.code(), project);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end: {}", self.screen.lock().unwrap());
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
