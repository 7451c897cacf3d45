//! How text fits a terminal: tables whose columns fold, and lines that break between words.

use std::io::{self, IsTerminal as _};

use terminal_size::{Width, terminal_size_of};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns of the terminal that standard output goes to; `None` where it goes elsewhere, which
/// takes lines of any length.
pub(crate) fn stdout_width() -> Option<usize> {
    let size = io::stdout().is_terminal().then(|| terminal_size_of(io::stdout()))?;
    size.map(|(Width(width), _)| usize::from(width)).filter(|&width| width >= NARROWEST)
}

/// The same of standard error.
pub(crate) fn stderr_width() -> Option<usize> {
    let size = io::stderr().is_terminal().then(|| terminal_size_of(io::stderr()))?;
    size.map(|(Width(width), _)| usize::from(width)).filter(|&width| width >= NARROWEST)
}

/// Below this, folding makes nothing easier to read.
const NARROWEST: usize = 30;
/// No column is folded to less.
const COLUMN: usize = 8;

/// Rows as columns, each as wide as its longest cell. What is then wider than `width` is folded:
/// the widest columns first. Returns the lines of each row.
pub(crate) fn table(rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let longest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns).map(longest).collect();
    if let Some(width) = width {
        fold(&mut widths, width);
    }
    rows.iter().map(|row| lines_of(row, &widths)).collect()
}

/// Narrows the widest columns until all fit.
fn fold(widths: &mut [usize], width: usize) {
    let room = width.saturating_sub(2 * widths.len().saturating_sub(1));
    loop {
        let sum: usize = widths.iter().sum();
        let Some(widest) = widths.iter().copied().max().filter(|&w| w > COLUMN && sum > room)
        else {
            return;
        };
        let next = widths.iter().copied().filter(|&w| w < widest).max().unwrap_or(0);
        let count = widths.iter().filter(|&&w| w == widest).count();
        let less = (sum - room).div_ceil(count).min(widest - next.max(COLUMN));
        widths.iter_mut().filter(|w| **w == widest).for_each(|w| *w -= less.max(1));
    }
}

fn lines_of(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<Vec<String>> =
        row.iter().zip(widths).map(|(cell, &width)| broken(cell, width)).collect();
    let lines = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for line in 0..lines {
        let mut shown = String::new();
        for (index, (cell, &width)) in cells.iter().zip(widths).enumerate() {
            let cell = cell.get(line).map_or("", String::as_str);
            if index > 0 {
                shown += "  ";
            }
            shown += cell;
            shown += &" ".repeat(width.saturating_sub(cell.width()));
        }
        text += shown.trim_end();
        text.push('\n');
    }
    text
}

/// After which a line may end: between words, and within names of models and files.
fn breaks(c: char) -> bool {
    matches!(c, ' ' | '/' | '-' | '_')
}

/// A text in lines of at most `width` columns, broken where that is easiest to read.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut end = |line: &mut String| {
        lines.push(line.trim_end().to_owned());
        line.clear();
    };
    for word in text.split_inclusive(breaks) {
        if !line.is_empty() && line.width() + word.trim_end().width() > width {
            end(&mut line);
        }
        for c in word.chars() {
            // A word that is longer than a line is broken where the line ends.
            if c != ' ' && line.width() + c.width().unwrap_or(0) > width && !line.is_empty() {
                end(&mut line);
            }
            line.push(c);
        }
    }
    end(&mut line);
    lines
}

/// Text with its lines broken between words; what follows a break is indented as its line.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let (indent, words) = line.split_at(indent);
        let mut flow = Flow::new(width.saturating_sub(indent.len()).max(COLUMN));
        let lines = flow.push(words) + &flow.end();
        format!("{indent}{}", lines.replace('\n', &format!("\n{indent}")))
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Examples of a help text, whose commands have what they do beside them: where that does not fit
/// it stands below.
pub(crate) fn examples(help: &str, width: usize) -> String {
    let line = |line: &str| {
        let beside = line.strip_prefix("  ").and_then(|line| line.split_once("  "));
        match beside {
            Some((command, does)) if line.width() > width && !command.is_empty() => {
                let does = wrapped(&format!("      {}", does.trim_start()), width);
                format!("  {command}\n{does}")
            }
            _ => line.to_owned(),
        }
    };
    help.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Breaks text between words while it arrives: a word is held back until its end is known.
#[derive(Debug)]
pub(crate) struct Flow {
    width: usize,
    column: usize,
    spaces: usize,
    word: String,
}

impl Flow {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, column: 0, spaces: 0, word: String::new() }
    }

    /// What can be shown after this much more of the text.
    pub(crate) fn push(&mut self, text: &str) -> String {
        let mut shown = String::new();
        for c in text.chars() {
            match c {
                '\n' => {
                    self.release(&mut shown);
                    self.column = 0;
                    self.spaces = 0;
                    shown.push('\n');
                }
                ' ' => {
                    self.release(&mut shown);
                    self.spaces += 1;
                }
                // Scripts without spaces may be broken anywhere.
                c if c.width() == Some(2) => {
                    self.release(&mut shown);
                    self.word.push(c);
                    self.release(&mut shown);
                }
                c => self.word.push(c),
            }
        }
        shown
    }

    /// What was held back.
    pub(crate) fn end(&mut self) -> String {
        let mut shown = String::new();
        self.release(&mut shown);
        shown
    }

    fn release(&mut self, shown: &mut String) {
        let width = self.word.width();
        if width == 0 {
            shown.push_str(&std::mem::take(&mut self.word));
            return;
        }
        if self.column > 0 && self.column + self.spaces + width > self.width {
            shown.push('\n');
            self.column = 0;
        } else {
            shown.push_str(&" ".repeat(self.spaces));
            self.column += self.spaces;
        }
        self.spaces = 0;
        self.column += width;
        shown.push_str(&std::mem::take(&mut self.word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
    }

    #[test]
    fn a_table_that_fits_is_not_folded() {
        let rows = rows(&[&["NAME", "SIZE"], &["日本", "1 MiB"], &["a", ""]]);
        for width in [None, Some(80)] {
            assert_eq!(table(&rows, width).concat(), "NAME  SIZE\n日本  1 MiB\na\n");
        }
    }

    #[test]
    fn the_widest_column_folds_first() {
        let rows = rows(&[
            &["NAME", "WHAT IT IS"],
            &[
                "org/name",
                "a model that is told of in many words, and averylongwordthatendsnowhere",
            ],
        ]);
        let text = table(&rows, Some(34)).concat();
        assert!(text.lines().all(|line| line.width() <= 34), "{text}");
        assert!(text.contains("org/name  a model that is told of"), "{text}");
        let words = text.replace(['\n', ' '], "");
        assert!(words.ends_with("averylongwordthatendsnowhere"), "{text}");
    }

    #[test]
    fn every_table_fits_every_width() {
        let cell = |n: usize| "word ".repeat(n % 17) + &"x".repeat(n % 23);
        let rows: Vec<Vec<String>> =
            (0..9).map(|row| (0..4).map(|column| cell(row * 7 + column * 5)).collect()).collect();
        for width in 40..120 {
            for line in table(&rows, Some(width)).concat().lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn lines_break_between_words_however_they_arrive() {
        let text = "The quick brown fox  jumps.\n\n  an indented line that is longer\nend";
        let whole = "The quick\nbrown fox\njumps.\n\n  an\nindented\nline that\nis longer\nend";
        for step in 1..text.len() {
            let mut flow = Flow::new(10);
            let mut shown = String::new();
            for part in text.as_bytes().chunks(step) {
                shown += &flow.push(std::str::from_utf8(part).unwrap());
            }
            shown += &flow.end();
            assert_eq!(shown, whole, "{step}");
        }
        let mut flow = Flow::new(6);
        assert_eq!(flow.push("日本語のテキスト") + &flow.end(), "日本語\nのテキ\nスト");
    }

    #[test]
    fn what_an_example_does_stands_below_it_where_it_does_not_fit_beside() {
        let help = "Examples:\n  scaffold list            all of them\n  scaffold list x";
        assert_eq!(examples(help, 80), help);
        let narrow = "Examples:\n  scaffold list\n      all of them\n  scaffold list x";
        assert_eq!(examples(help, 30), narrow);
    }

    #[test]
    fn what_follows_a_break_is_indented_as_its_line() {
        assert_eq!(wrapped("one two three", 9), "one two\nthree");
        assert_eq!(wrapped("a\n  to do: this\n", 12), "a\n  to do:\n  this\n");
    }
}
