//! Texts to compute with: from the command line, from files, from standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::failure::Usage;

/// A line that is longer is not a text that somebody wrote.
const LONGEST_LINE: u64 = 64 << 20;

/// Where the texts come from
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Texts")]
pub(crate) struct TextArgs {
    /// Read texts from this file, one a line (`-`: standard input); may be given more than once
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Each line is JSON: a string, or an object whose key `text` holds the text
    #[arg(long)]
    jsonl: bool,
}

/// Texts one after the other, each with the place that it comes from.
pub(crate) struct Texts {
    jsonl: bool,
    /// Last one first.
    waiting: Vec<Source>,
    current: Option<Lines>,
    /// Told once the texts before it were handed out.
    failed: Option<anyhow::Error>,
}

enum Source {
    Argument(String),
    File(PathBuf),
}

struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    line: usize,
}

impl TextArgs {
    /// The texts `given` on the command line, then those of the files; standard input where neither
    /// is given.
    pub(crate) fn texts(&self, given: &[String]) -> Texts {
        let given = given.iter().cloned().map(Source::Argument);
        let mut sources: Vec<Source> =
            given.chain(self.file.iter().cloned().map(Source::File)).collect();
        if sources.is_empty() {
            sources.push(Source::File(PathBuf::from("-")));
        }
        sources.reverse();
        Texts { jsonl: self.jsonl, waiting: sources, current: None, failed: None }
    }
}

impl Texts {
    /// The next text; `None` after the last one.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<String>> {
        loop {
            if let Some(lines) = &mut self.current {
                if let Some(line) = lines.next()? {
                    return if self.jsonl { lines.json(&line).map(Some) } else { Ok(Some(line)) };
                }
                self.current = None;
            }
            match self.waiting.pop() {
                Some(Source::Argument(text)) => return Ok(Some(text)),
                Some(Source::File(path)) => self.current = Some(Lines::open(&path)?),
                None => return Ok(None),
            }
        }
    }

    /// All of them.
    pub(crate) fn all(mut self) -> anyhow::Result<Vec<String>> {
        let mut all = Vec::new();
        while let Some(text) = self.next()? {
            all.push(text);
        }
        Ok(all)
    }

    /// The next texts, up to `count` of them or `bytes` of text. Texts before one that cannot be
    /// read are handed out first; the error comes with the next call.
    pub(crate) fn some(&mut self, count: usize, bytes: usize) -> anyhow::Result<Vec<String>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut some = Vec::new();
        let mut read = 0;
        while some.len() < count && read < bytes {
            match self.next() {
                Ok(Some(text)) => {
                    read += text.len();
                    some.push(text);
                }
                Ok(None) => break,
                Err(error) if some.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(some)
    }
}

impl Lines {
    fn open(path: &Path) -> anyhow::Result<Lines> {
        let (name, reader): (String, Box<dyn BufRead>) = if path == Path::new("-") {
            (
                "standard input".to_owned(),
                marked(Box::new(BufReader::new(io::stdin())), "standard input")?,
            )
        } else {
            let file =
                File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            let name = path.display().to_string();
            (name.clone(), marked(Box::new(BufReader::new(file)), &name)?)
        };
        Ok(Lines { name, reader, line: 0 })
    }

    fn next(&mut self) -> anyhow::Result<Option<String>> {
        let mut bytes = Vec::new();
        self.line += 1;
        (&mut self.reader)
            .take(LONGEST_LINE + 1)
            .read_until(b'\n', &mut bytes)
            .with_context(|| format!("cannot read {}", self.name))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() as u64 > LONGEST_LINE {
            return Err(self.wrong(&format!(
                "the line has more than {} MiB\n  to do: put each text on a line of its own",
                LONGEST_LINE >> 20
            )));
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let byte = error.as_bytes()[at];
                Err(self.wrong(&format!(
                    "byte {} of the line is {byte:#04x}, which is not UTF-8\n  to do: convert the file to UTF-8 (for example: iconv -f latin1 -t utf-8)",
                    at + 1
                )))
            }
        }
    }

    fn json(&self, line: &str) -> anyhow::Result<String> {
        let value: serde_json::Value = serde_json::from_str(line)
            .map_err(|error| self.wrong(&format!("not JSON: {error}")))?;
        let text = match &value {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Object(object) => object.get("text").and_then(|text| match text {
                serde_json::Value::String(text) => Some(text),
                _ => None,
            }),
            _ => None,
        };
        text.cloned().ok_or_else(|| {
            self.wrong(
                "neither a JSON string nor an object whose key `text` is a string\n  to do: write lines such as \"a text\" or {\"text\": \"a text\"}",
            )
        })
    }

    fn wrong(&self, problem: &str) -> anyhow::Error {
        Usage(format!("{}, line {}: {problem}", self.name, self.line)).into()
    }
}

/// Takes a byte-order mark off the front. What one of UTF-16 begins is read whole and converted.
fn marked(mut reader: Box<dyn BufRead>, name: &str) -> anyhow::Result<Box<dyn BufRead>> {
    let reading = || format!("cannot read {name}");
    // A pipe may give less than a mark at first; one that does so has none.
    let front = reader.fill_buf().with_context(reading)?;
    if front.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    } else if front.starts_with(b"\xff\xfe") || front.starts_with(b"\xfe\xff") {
        let mut bytes = Vec::new();
        reader.take(LONGEST_LINE).read_to_end(&mut bytes).with_context(reading)?;
        let text = crate::stdin::decoded(&bytes, name)?;
        return Ok(Box::new(io::Cursor::new(text.into_bytes())));
    }
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(bytes: &[u8], jsonl: bool) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("texts");
        fs::write(&path, bytes).unwrap();
        let args = TextArgs { file: vec![path], jsonl };
        let texts = args.texts(&[]).all();
        texts.map_err(|error| error.to_string())
    }

    #[test]
    fn each_line_is_a_text_and_empty_ones_count() {
        assert_eq!(read(b"a\r\n\nb c", false).unwrap(), ["a", "", "b c"]);
        assert!(read(b"", false).unwrap().is_empty());
        assert_eq!(read(b"\xef\xbb\xbfa\nb", false).unwrap(), ["a", "b"]);
        assert_eq!(read(b"\xff\xfea\0\n\0b\0", false).unwrap(), ["a", "b"]);
        let json = b"\"a\\nb\"\n{\"id\": 1, \"text\": \"c\"}\n";
        assert_eq!(read(json, true).unwrap(), ["a\nb", "c"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let message = read(b"good\nbad \xff\n", false).unwrap_err();
        for part in ["line 2", "byte 5", "0xff", "UTF-8"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(read(b"{", true).unwrap_err().contains("line 1: not JSON"));
        assert!(read(b"1", true).unwrap_err().contains("`text`"));
    }

    #[test]
    fn texts_before_a_bad_one_come_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("texts");
        fs::write(&path, b"good\n\xff\n").unwrap();
        let args = TextArgs { file: vec![path], jsonl: false };
        let mut texts = args.texts(&[]);
        assert_eq!(texts.some(9, 99).unwrap(), ["good"]);
        assert!(texts.some(9, 99).unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn texts_come_in_parts() {
        let mut texts =
            TextArgs::default().texts(&["a".to_owned(), "bb".to_owned(), "c".to_owned()]);
        assert_eq!(texts.some(2, 100).unwrap(), ["a", "bb"]);
        assert_eq!(texts.some(2, 1).unwrap(), ["c"]);
        assert!(texts.some(2, 1).unwrap().is_empty());
    }
}
