//! `.env`: what it says, as python-dotenv reads it, and which of that is for us. The rest belongs
//! to other programs.
//!
//! A line may start with `export`. `#` starts a comment, at the start of a line or after white
//! space. A value in quotes may go over several lines; in single quotes `\'` and `\\` are escapes,
//! in double quotes those of Python (`\n`, `\t`, `\"`, …), too. `${NAME}` and `${NAME:-default}`
//! stand for a variable of the environment or of a line above. An empty value counts as not set.

mod reader;
mod variables;

use std::collections::HashMap;

use super::key::{Files, Key};
use reader::Binding;

/// A value for a known key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) key: Key,
    /// The name that was used, where the key has several.
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) line: usize,
}

/// What a `.env` file holds for us.
#[derive(Debug, Default)]
pub(super) struct DotEnv {
    pub(super) entries: Vec<Assignment>,
    /// Lines with a known key that cannot be read, and why.
    pub(super) broken: Vec<(usize, &'static str)>,
    /// Lines that set a name with one of our prefixes that does not exist.
    pub(super) strangers: Vec<(usize, String)>,
    /// Lines that set a key which a project's files may not set.
    pub(super) refused: Vec<(usize, &'static str)>,
    /// Every name with its value, for `$NAME` in paths.
    pub(super) values: HashMap<String, String>,
}

/// Reads the text of a `.env` file. Total: every input has a result.
pub(super) fn parse(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> DotEnv {
    let mut found = DotEnv::default();
    let bindings = reader::bindings(text);
    let resolved = variables::resolve(&bindings, environment);
    for (binding, value) in bindings.iter().zip(resolved) {
        found.check_length(binding, value.is_some());
        found.take(binding, value.as_deref().unwrap_or(""));
        if let (Binding::Value { name, .. }, Some(value)) = (binding, value) {
            found.values.insert(name.clone(), value);
        }
    }
    found
}

impl DotEnv {
    /// A known key whose value grew too long is not taken for one that is not set.
    fn check_length(&mut self, binding: &Binding, resolved: bool) {
        if let Binding::Value { line, name, value: Some(_) } = binding
            && !resolved
            && Key::by_name(name).is_some()
        {
            let what = "with its variables put in, this value is longer than 128 KiB, or all together are longer than 8 MiB";
            self.broken.push((*line, what));
        }
    }

    fn take(&mut self, binding: &Binding, value: &str) {
        let (line, name) = match binding {
            Binding::Value { line, name, .. } => (*line, name.as_str()),
            Binding::Broken { line, text } => {
                let known = reader::name_of(text).and_then(Key::by_name);
                if known.is_some() {
                    self.broken.push((
                        *line,
                        "this line cannot be read: a quote is not closed, or there is text after the closing one",
                    ));
                }
                return;
            }
        };
        let Some(key) = Key::by_name(name) else {
            if name.starts_with("LLM_") || name.starts_with("SCAFFOLD_") {
                self.strangers.push((line, name.to_owned()));
            }
            return;
        };
        let Some(name) = key.info().names.iter().find(|known| **known == name) else {
            return;
        };
        if key.info().from == Files::Neither {
            self.refused.push((line, name));
        } else if value.contains('\u{fffd}') {
            // What other programs' lines are written in is no business of ours; this one is.
            self.broken.push((line, "this line is not valid UTF-8"));
        } else if !value.is_empty() {
            self.entries.push(Assignment { key, name, value: value.to_owned(), line });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> DotEnv {
        parse(text, &|_| None)
    }

    fn value_of(line: &str) -> Option<String> {
        let found = read(line);
        assert!(found.broken.is_empty(), "{line}: {:?}", found.broken);
        found.entries.into_iter().next().map(|entry| entry.value)
    }

    /// `tests/data/make_dotenv.py` asked python-dotenv.
    #[test]
    fn every_file_is_read_as_python_dotenv_reads_it() {
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../tests/data/dotenv.json")).unwrap();
        assert!(cases.len() > 80);
        for case in cases {
            let text = case["text"].as_str().unwrap();
            let environment = |name: &str| case["environment"][name].as_str().map(str::to_owned);
            let bindings = reader::bindings(text);
            let mut values = serde_json::Map::new();
            for (binding, value) in bindings.iter().zip(variables::resolve(&bindings, &environment))
            {
                if let Binding::Value { name, .. } = binding {
                    values.insert(name.clone(), value.into());
                }
            }
            assert_eq!(serde_json::Value::from(values), case["values"], "{text:?}");
        }
    }

    #[test]
    fn the_line_is_that_of_the_name() {
        let found = read("\n\nNOTE=\"several\nlines\"\n\n  LLM_MODEL=a\nexport\tLLM_TOP_K=1");
        let lines: Vec<_> = found.entries.iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [6, 7]);
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let found = read(
            "# LLM_MODEL=a\nDATABASE_URL='unclosed\nnot an assignment\nLLM_TEMPRATURE=1\nLLM_MODEL=\nX=\u{fffd}\n",
        );
        assert_eq!(found.entries, []);
        assert_eq!(found.broken, []);
        assert_eq!(found.strangers, [(4, "LLM_TEMPRATURE".to_owned())]);
    }

    #[test]
    fn a_line_of_ours_that_cannot_be_read_is_named() {
        for line in [
            "LLM_MODEL='a",
            "export LLM_MODEL=\"a",
            "LLM_MODEL=\"a\\",
            "LLM_MODEL='a' b",
            "LLM_MODEL=a\u{fffd}",
        ] {
            assert_eq!(read(line).broken.len(), 1, "{line}");
        }
    }

    #[test]
    fn a_project_may_not_redirect_a_token() {
        let found = read("HF_ENDPOINT=https://elsewhere.example\nHF_TOKEN_PATH=/etc/passwd\n");
        assert_eq!(found.entries, []);
        assert_eq!(found.refused, [(1, "HF_ENDPOINT"), (2, "HF_TOKEN_PATH")]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC*|(LLM_MODEL|export |\\$\\{|['\"=#\\\\\n\r }:-]|a)*") {
            let found = read(&text);
            let lines = text.split(['\n', '\r']).count();
            prop_assert!(found.entries.iter().all(|entry| entry.line <= lines));
        }

        #[test]
        fn any_value_survives_double_quotes(value in "[^\\p{Cc}$\u{fffd}]+") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(value_of(&format!("LLM_MODEL=\"{escaped}\"")), Some(value));
        }
    }

    #[test]
    fn values_that_double_from_line_to_line_end() {
        let mut text = "A=aaaaaaaa\n".to_owned() + &"A=${A}${A}\n".repeat(64);
        text += "LLM_MODEL=starter\nLLM_DEVICE=${A}cpu\n";
        let found = read(&text);
        assert!(found.values.values().map(String::len).sum::<usize>() <= 8 << 20);
        assert!(found.broken.is_empty(), "{:?}", found.broken);
        // What comes after is read as ever, and a key of ours that cannot be held is told.
        assert_eq!(found.entries[0].value, "starter");
        let found =
            read("A=aaaaaaaa\nLLM_MODEL=${A}\n".replace("${A}", &"${A}".repeat(600_000)).as_str());
        assert_eq!(found.broken.len(), 1, "{:?}", found.broken);
        assert!(found.entries.is_empty());
    }
}
