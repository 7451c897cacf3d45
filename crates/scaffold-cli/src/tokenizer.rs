//! What the commands about text share: a model's tokenizer, and lines of JSON.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use scaffold::Kind;
use scaffold::config::{Flag, Key};
use scaffold::hub::ModelName;
use scaffold::model::TextFiles;

use crate::args::ProjectArgs;
use crate::{interrupt, model, out, stdin};

/// The tokenizer and chat format of a model. A directory that holds only tokenizer files will do;
/// anything else is found, and fetched if it is not here.
pub(crate) fn open(name: &str, project: &ProjectArgs) -> anyhow::Result<TextFiles> {
    let config =
        project.load(vec![Flag { key: Key::Model, name: "MODEL", value: name.to_owned() }])?;
    let fast = config.use_fast_tokenizer.value;
    let path = Path::new(name);
    let mut files = None;
    let is_made = matches!(model::hub(&config).name(name), Ok(ModelName::Made(_)));
    if path.is_dir() && !is_made {
        match TextFiles::open(path, name, fast) {
            // The tokenizer is in a GGUF file, if there is one.
            Err(error) if error.kind() == Kind::NotFound => {}
            here => files = Some(here?),
        }
    }
    let files = if let Some(files) = files {
        files
    } else {
        interrupt::install()?;
        TextFiles::of_local(&model::locate(&config)?, fast)?
    };
    out::notices(&files.notices);
    Ok(files)
}

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let (bytes, name) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        (bytes, "standard input".to_owned())
    } else {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
        (bytes, name)
    };
    stdin::decoded(&bytes, &name)
}

/// A line of several without the byte-order mark that some programs put before the first.
pub(crate) fn without_mark(line: &str, index: usize) -> &str {
    match index {
        0 => line.strip_prefix('\u{feff}').unwrap_or(line),
        _ => line,
    }
}

/// A JSON string. Halves of surrogate pairs that stand alone, which JSON can write and text cannot
/// hold, become U+FFFD.
pub(crate) fn json_string(line: &str) -> Result<String, serde_json::Error> {
    serde_json::from_str(line).or_else(|error| {
        if error.is_syntax() {
            serde_json::from_str(&without_lone_surrogates(line))
        } else {
            Err(error)
        }
    })
}

fn without_lone_surrogates(line: &str) -> String {
    let code = |at: usize| {
        let digits = line.get(at + 2..at + 6).filter(|_| line[at..].starts_with("\\u"))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let length = match (c, code(at)) {
            ('\\', Some(0xd800..=0xdbff))
                if matches!(code_after(line, at), Some(0xdc00..=0xdfff)) =>
            {
                12
            }
            ('\\', Some(0xd800..=0xdfff)) => {
                out.push_str("\\ufffd");
                at += 6;
                continue;
            }
            // What follows a backslash is escaped by it.
            ('\\', None) => 1 + line[at + 1..].chars().next().map_or(0, char::len_utf8),
            _ => c.len_utf8(),
        };
        out.push_str(&line[at..at + length]);
        at += length;
    }
    out
}

/// The code of the escape after the one at `at`.
fn code_after(line: &str, at: usize) -> Option<u32> {
    let digits = line.get(at + 6..)?.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::json_string;

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        for (line, text) in [
            (r#""a\ud83db""#, "a\u{fffd}b"),
            (r#""\ud83d\ude42""#, "🙂"),
            (r#""\ude42\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\\ud83d \ud83d\ud83d\ude42 é""#, "\\ud83d \u{fffd}🙂 é"),
            (r#""\n\"""#, "\n\""),
        ] {
            assert_eq!(json_string(line).unwrap(), text, "{line}");
        }
        assert!(json_string("\"open").is_err() && json_string("7").is_err());
    }
}
