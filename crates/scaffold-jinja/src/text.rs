//! Text that knows which of its bytes came from data.

use crate::budget::Budget;
use crate::error::Result;
use std::ops::Range;
use std::sync::Arc;

/// A string, the ranges of it that came from marked data, and whether it is markup.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    plain: Arc<str>,
    /// Sorted, apart from each other, not empty.
    marks: Option<Arc<[Range<usize>]>>,
    /// Markup, as `|safe` and `|escape` make it: joined with other text, it escapes that.
    pub(crate) safe: bool,
}

impl Text {
    pub(crate) fn new(text: impl Into<Arc<str>>) -> Self {
        Text { plain: text.into(), marks: None, safe: false }
    }

    /// Text that came from data.
    pub(crate) fn marked(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let marks =
            (!text.is_empty()).then(|| Arc::from(vec![Range { start: 0, end: text.len() }]));
        Text { plain: text, marks, safe: false }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.plain
    }

    pub(crate) fn marks(&self) -> &[Range<usize>] {
        self.marks.as_deref().unwrap_or_default()
    }

    pub(crate) fn with_safe(mut self, safe: bool) -> Self {
        self.safe = safe;
        self
    }

    /// The part at these bytes.
    pub(crate) fn slice(&self, range: Range<usize>) -> Text {
        if range.start == 0 && range.end == self.plain.len() {
            return self.clone();
        }
        let marks: Vec<Range<usize>> = within(self.marks(), &range)
            .map(|mark| mark.start - range.start..mark.end - range.start)
            .collect();
        Text {
            plain: Arc::from(&self.plain[range]),
            marks: (!marks.is_empty()).then(|| Arc::from(marks)),
            safe: self.safe,
        }
    }

    /// The part of this text that `part` is; `part` must be a slice of it.
    pub(crate) fn part(&self, part: &str) -> Text {
        let start = part.as_ptr() as usize - self.plain.as_ptr() as usize;
        self.slice(start..start + part.len())
    }

    /// Each character with whether it is marked.
    pub(crate) fn chars(&self) -> impl Iterator<Item = (char, bool)> + '_ {
        let marks = self.marks();
        let mut next = 0;
        self.plain.char_indices().map(move |(at, c)| {
            while marks.get(next).is_some_and(|mark| mark.end <= at) {
                next += 1;
            }
            (c, marks.get(next).is_some_and(|mark| mark.start <= at))
        })
    }

    /// Each character changed by itself.
    pub(crate) fn map<I: Iterator<Item = char>>(
        &self,
        budget: &Budget,
        mut change: impl FnMut(char) -> I,
    ) -> Result<Text> {
        let mut out = Builder::new(budget);
        for (c, marked) in self.chars() {
            for c in change(c) {
                out.char(c, marked);
            }
        }
        Ok(out.finish()?.with_safe(self.safe))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.plain == other.plain
    }
}

fn within<'a>(
    marks: &'a [Range<usize>],
    range: &'a Range<usize>,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let first = marks.partition_point(|mark| mark.end <= range.start);
    marks[first..]
        .iter()
        .take_while(|mark| mark.start < range.end)
        .map(|mark| mark.start.max(range.start)..mark.end.min(range.end))
        .filter(|mark| !mark.is_empty())
}

/// Puts text together and remembers where it came from.
///
/// What goes over the budget is left out, and [`Builder::finish`] says so; [`Builder::full`] is for
/// what would go on writing for long.
pub(crate) struct Builder<'a> {
    text: String,
    marks: Vec<Range<usize>>,
    budget: &'a Budget,
    full: bool,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(budget: &'a Budget) -> Self {
        Builder { text: String::new(), marks: Vec::new(), budget, full: false }
    }

    pub(crate) fn full(&self) -> bool {
        self.full
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    fn room(&mut self, bytes: usize) -> bool {
        self.full = self.full || !self.budget.has(bytes);
        !self.full
    }

    fn mark(&mut self, start: usize, end: usize) {
        match self.marks.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ if start < end => self.marks.push(start..end),
            _ => {}
        }
    }

    /// Text of the template.
    pub(crate) fn str(&mut self, text: &str) {
        if self.room(text.len()) {
            self.text.push_str(text);
        }
    }

    pub(crate) fn char(&mut self, c: char, marked: bool) {
        self.full = self.full || !self.budget.has_alone(c.len_utf8());
        if !self.full {
            let start = self.text.len();
            self.text.push(c);
            if marked {
                self.mark(start, self.text.len());
            }
        }
    }

    /// Text that is marked as a whole or not at all.
    pub(crate) fn piece(&mut self, text: &str, marked: bool) {
        let start = self.text.len();
        self.str(text);
        if marked && self.text.len() > start {
            self.mark(start, self.text.len());
        }
    }

    pub(crate) fn text(&mut self, text: &Text) {
        self.slice(text, 0..text.plain.len());
    }

    /// A part of a text.
    pub(crate) fn slice(&mut self, text: &Text, range: Range<usize>) {
        if self.room(range.len()) {
            let base = self.text.len();
            for mark in within(text.marks(), &range) {
                self.mark(base + mark.start - range.start, base + mark.end - range.start);
            }
            self.text.push_str(&text.plain[range]);
        }
    }

    /// So many times the same.
    pub(crate) fn repeat(&mut self, text: &Text, times: usize) {
        for _ in 0..times {
            if self.full || text.as_str().is_empty() {
                break;
            }
            self.text(text);
        }
    }

    pub(crate) fn finish(self) -> Result<Text> {
        if self.full {
            return Err(self.budget.exhausted());
        }
        Ok(Text {
            plain: Arc::from(self.text),
            marks: (!self.marks.is_empty()).then(|| Arc::from(self.marks)),
            safe: false,
        })
    }
}
