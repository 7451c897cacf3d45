//! What is typed: lines with editing and history, and messages of several lines between `"""`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustyline::error::ReadlineError;

const FENCE: &str = "\"\"\"";

/// Joins lines into inputs.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    /// The lines so far of an input that is not closed yet.
    open: Option<String>,
}

impl Joiner {
    /// Takes the next line; the input, once it is complete.
    ///
    /// An input is fenced if its line begins with `"""`, or with `/set system """`. The fences
    /// around a message are taken off.
    pub(crate) fn push(&mut self, line: &str) -> Option<String> {
        let Some(mut text) = self.open.take() else {
            let fenced = line.trim_start().strip_prefix("/set system").unwrap_or(line).trim_start();
            return match fenced.strip_prefix(FENCE) {
                Some(rest) if !rest.trim_end().ends_with(FENCE) => {
                    self.open = Some(line.trim_start().to_owned());
                    None
                }
                _ => Some(without_fences(line)),
            };
        };
        text.push('\n');
        text.push_str(line);
        if line.trim_end().ends_with(FENCE) {
            Some(without_fences(&text))
        } else {
            self.open = Some(text);
            None
        }
    }

    /// Whether more lines are needed.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Drops an input that is not complete.
    pub(crate) fn reset(&mut self) {
        self.open = None;
    }
}

fn without_fences(text: &str) -> String {
    let inside = text.trim().strip_prefix(FENCE).and_then(|rest| rest.strip_suffix(FENCE));
    inside.unwrap_or(text).trim_matches('\n').to_owned()
}

/// What the keyboard gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A message or a command.
    Text(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the terminal went away.
    Ended,
}

/// Reads from the terminal. What was typed is kept in a file only where the user names one.
pub(crate) struct Keyboard {
    editor: rustyline::DefaultEditor,
    joiner: Joiner,
    history: Option<PathBuf>,
}

impl Keyboard {
    pub(crate) fn new(history: Option<&Path>) -> anyhow::Result<Keyboard> {
        let config =
            rustyline::Config::builder().auto_add_history(false).bracketed_paste(true).build();
        let mut editor = rustyline::DefaultEditor::with_config(config)?;
        if let Some(file) = history.filter(|file| file.exists()) {
            editor.load_history(file).with_context(|| unusable(file, "read"))?;
        }
        Ok(Keyboard { editor, joiner: Joiner::default(), history: history.map(Path::to_owned) })
    }

    fn remember(&mut self, line: &str) -> anyhow::Result<()> {
        let is_new = self.editor.add_history_entry(line)?;
        match &self.history {
            // The file's permissions are its owner's alone; several chats may add to it.
            Some(file) if is_new => {
                self.editor.append_history(file).with_context(|| unusable(file, "written"))
            }
            _ => Ok(()),
        }
    }

    /// The next complete input.
    pub(crate) fn read(&mut self) -> anyhow::Result<Input> {
        loop {
            let prompt = if self.joiner.is_open() { "... " } else { ">>> " };
            match self.editor.readline(prompt) {
                Ok(line) => {
                    if !line.trim().is_empty() {
                        self.remember(&line)?;
                    }
                    if let Some(text) = self.joiner.push(&line) {
                        return Ok(Input::Text(text));
                    }
                }
                Err(ReadlineError::Interrupted) => {
                    self.joiner.reset();
                    return Ok(Input::Interrupted);
                }
                Err(ReadlineError::Eof) => return Ok(Input::Ended),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn unusable(file: &Path, verb: &str) -> String {
    format!("{} cannot be {verb}; SCAFFOLD_HISTORY names it", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(lines: &[&str]) -> Vec<String> {
        let mut joiner = Joiner::default();
        lines.iter().filter_map(|line| joiner.push(line)).collect()
    }

    #[test]
    fn a_line_is_an_input() {
        assert_eq!(inputs(&["hello", "", "/bye"]), ["hello", "", "/bye"]);
        assert_eq!(inputs(&["say \"\"\"x\"\"\" please"]), ["say \"\"\"x\"\"\" please"]);
    }

    #[test]
    fn fences_join_lines() {
        assert_eq!(
            inputs(&["\"\"\"", "one", "", "two", "\"\"\"", "three"]),
            ["one\n\ntwo", "three"]
        );
        assert_eq!(inputs(&["\"\"\"one", "two\"\"\""]), ["one\ntwo"]);
        assert_eq!(inputs(&["\"\"\"one\"\"\""]), ["one"]);
        assert_eq!(
            inputs(&["/set system \"\"\"one", "two\"\"\""]),
            ["/set system \"\"\"one\ntwo\"\"\""]
        );
    }

    #[test]
    fn an_open_input_can_be_dropped() {
        let mut joiner = Joiner::default();
        assert_eq!(joiner.push("\"\"\"one"), None);
        assert!(joiner.is_open());
        joiner.reset();
        assert_eq!(joiner.push("two"), Some("two".to_owned()));
    }
}
