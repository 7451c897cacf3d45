//! `.env`: one `NAME=value` a line. Only the names that Scaffold knows are read; the rest belongs to others.
//!
//! A line may start with `export`. `#` starts a comment, at the start of a line or after white space. A value in
//! single quotes is taken as it is; in double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` stand for what they do in a
//! shell. Nothing is substituted: `${NAME}` stays as it is written. An empty value counts as not set.

use super::key::{Files, Key};

/// A value for a known key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// The name that was used, where the key has several.
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) line: usize,
}

/// What a `.env` file holds for us.
#[derive(Debug, Default)]
pub(super) struct DotEnv {
    pub(super) entries: Vec<Entry>,
    /// Lines with a known key that cannot be read, and why.
    pub(super) broken: Vec<(usize, &'static str)>,
    /// Lines that set a name with one of our prefixes that does not exist.
    pub(super) strangers: Vec<(usize, String)>,
    /// Lines that set a key which a project's files may not set.
    pub(super) refused: Vec<(usize, &'static str)>,
}

/// Reads the text of a `.env` file. Total: every input has a result.
pub(super) fn parse(text: &str) -> DotEnv {
    let mut found = DotEnv::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let Some((name, value)) = assignment(line) else {
            continue;
        };
        let Some(key) = Key::by_name(name) else {
            if name.starts_with("LLM_") || name.starts_with("SCAFFOLD_") {
                found.strangers.push((line_number, name.to_owned()));
            }
            continue;
        };
        let names = key.info().names;
        let Some(name) = names.iter().find(|known| **known == name) else {
            continue;
        };
        if key.info().from == Files::Neither {
            found.refused.push((line_number, name));
            continue;
        }
        match unquote(value) {
            Ok(value) if value.is_empty() => {}
            Ok(value) => found.entries.push(Entry {
                key,
                name,
                value,
                line: line_number,
            }),
            Err(why) => found.broken.push((line_number, why)),
        }
    }
    found
}

/// Splits `export NAME = value` into its name and the rest of the line.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    Some((name, value.trim()))
}

fn unquote(value: &str) -> Result<String, &'static str> {
    let mut chars = value.chars();
    match chars.next() {
        None => Ok(String::new()),
        Some('\'') => {
            let (inside, rest) = chars
                .as_str()
                .split_once('\'')
                .ok_or("the single quote is not closed on this line")?;
            only_a_comment(rest)?;
            Ok(inside.to_owned())
        }
        Some('"') => {
            let (inside, rest) = double_quoted(chars.as_str())?;
            only_a_comment(rest)?;
            Ok(inside)
        }
        Some(_) => Ok(before_comment(value).to_owned()),
    }
}

/// Reads up to the closing quote; returns the value and what follows it.
fn double_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars
            .next()
            .ok_or("the double quote is not closed on this line")?
        {
            '"' => return Ok((value, chars.as_str())),
            '\\' => match chars
                .next()
                .ok_or("the double quote is not closed on this line")?
            {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c @ ('"' | '\\' | '$') => value.push(c),
                other => value.extend(['\\', other]),
            },
            c => value.push(c),
        }
    }
}

fn only_a_comment(rest: &str) -> Result<(), &'static str> {
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(())
    } else {
        Err("there is text after the closing quote")
    }
}

/// A `#` inside a word is part of it, as in a shell.
fn before_comment(value: &str) -> &str {
    let mut before = '\0';
    for (at, c) in value.char_indices() {
        if c == '#' && (before.is_whitespace() || at == 0) {
            return value[..at].trim_end();
        }
        before = c;
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value_of(line: &str) -> Option<String> {
        let found = parse(line);
        assert!(found.broken.is_empty(), "{line}: {:?}", found.broken);
        found.entries.into_iter().next().map(|entry| entry.value)
    }

    #[test]
    fn the_usual_spellings_are_read() {
        for (line, value) in [
            ("LLM_MODEL=starter", "starter"),
            ("export LLM_MODEL=starter", "starter"),
            ("  LLM_MODEL = starter  ", "starter"),
            ("LLM_MODEL='starter' # the small one", "starter"),
            ("LLM_MODEL=\"starter\"", "starter"),
            ("LLM_MODEL=starter # the small one", "starter"),
            ("LLM_MODEL=dir#1", "dir#1"),
            ("LLM_MODEL='a \"b\" \\n'", "a \"b\" \\n"),
            (r#"LLM_MODEL="a \"b\" \\ \$c \q""#, r#"a "b" \ $c \q"#),
            ("LLM_MODEL=${HOME}/x", "${HOME}/x"),
            ("\u{feff}LLM_MODEL=starter\r\n", "starter"),
        ] {
            assert_eq!(value_of(line).as_deref(), Some(value), "{line}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let found = parse(
            "# LLM_MODEL=a\nDATABASE_URL='unclosed\nnot an assignment\nLLM_TEMPRATURE=1\nLLM_MODEL=\n",
        );
        assert_eq!(found.entries, []);
        assert_eq!(found.broken, []);
        assert_eq!(found.strangers, [(4, "LLM_TEMPRATURE".to_owned())]);
    }

    #[test]
    fn a_broken_quote_of_ours_is_named() {
        for line in [
            "LLM_MODEL='a",
            "LLM_MODEL=\"a",
            "LLM_MODEL=\"a\\",
            "LLM_MODEL='a' b",
        ] {
            assert_eq!(parse(line).broken.len(), 1, "{line}");
        }
    }

    #[test]
    fn a_project_may_not_redirect_a_token() {
        let found = parse("HF_ENDPOINT=https://elsewhere.example\nHF_TOKEN_PATH=/etc/passwd\n");
        assert_eq!(found.entries, []);
        assert_eq!(found.refused, [(1, "HF_ENDPOINT"), (2, "HF_TOKEN_PATH")]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC*|(LLM_MODEL|export |['\"=#\\\\\n ]|a)*") {
            let found = parse(&text);
            prop_assert!(found.entries.iter().all(|entry| entry.line <= text.lines().count()));
        }

        #[test]
        fn any_value_survives_double_quotes(value in "[^\\p{Cc}]+") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(value_of(&format!("LLM_MODEL=\"{escaped}\"")), Some(value));
        }
    }
}
