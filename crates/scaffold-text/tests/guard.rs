//! Prompts in which users wrote the names of control tokens, through all tokenizers of the tests:
//! their ids are those that the `tokenizers` crate gives the whole prompt when it does not know the
//! users' names.
//!
//! For the reference every control token gets another name, which the template's text then has and
//! no user's.

#[path = "support/strings.rs"]
mod strings;
mod support;

use scaffold_text::fuzzing;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ops::Range;
use strings::Random;

const PROMPTS: usize = 150;

/// A name of letters without case that no text has.
fn alias(number: usize) -> String {
    let digits = number.to_string();
    let letter =
        |digit: char| char::from_u32(0x2d30 + digit.to_digit(10).unwrap_or(0)).expect("a letter");
    format!("ⵣⵥ{}ⵥⵣ", digits.chars().map(letter).collect::<String>())
}

/// The names of the control tokens with their aliases, and the file with these.
fn aliased(file: &Value) -> (Vec<(String, String)>, Value) {
    let mut file = file.clone();
    let mut names = Vec::new();
    let tokens = file["added_tokens"].as_array_mut().expect("added tokens");
    for (number, token) in tokens.iter_mut().enumerate() {
        if token["special"] == json!(true) {
            let name = token["content"].as_str().expect("a name").to_owned();
            token["content"] = json!(alias(number));
            names.push((name, alias(number)));
        }
    }
    (names, file)
}

/// A prompt, the same with aliases in the template's part, and the ranges of the users' part.
fn prompt(
    random: &mut Random,
    names: &[(String, String)],
    all: &[&str],
) -> (String, String, Vec<Range<usize>>) {
    let (mut text, mut other) = (String::new(), String::new());
    let mut guarded: Vec<Range<usize>> = Vec::new();
    for _ in 0..2 + random.below(6) {
        match random.below(4) {
            0 => {
                let (name, alias) = &names[random.below(names.len())];
                text.push_str(name);
                other.push_str(alias);
            }
            1 => {
                let word = random.one(&["user", "\n", " : ", "  ", "assistant\n"]);
                text.push_str(word);
                other.push_str(word);
            }
            _ => {
                let typed = strings::string(random, 40, all);
                guarded.push(text.len()..text.len() + typed.len());
                text.push_str(&typed);
                other.push_str(&typed);
            }
        }
    }
    (text, other, guarded)
}

#[test]
fn names_that_users_write_are_text_and_nothing_else_changes() {
    let mut wrong = Vec::new();
    for (number, (name, file)) in strings::files().into_iter().enumerate() {
        let all = std::iter::once(("as it is", file.clone())).chain(strings::variants(&file));
        for (variant, file) in all {
            let (names, other) = aliased(&file);
            // A name that must stand alone is text beside letters, and its alias is other text.
            if names.is_empty() || variant == "single words" {
                continue;
            }
            let (ours, theirs) = (strings::ours(&file), strings::theirs(&other));
            let id = |name: &str| ours.token_to_id(name).expect("a control token");
            let ids: HashMap<u32, u32> = names
                .iter()
                .map(|(name, alias)| (theirs.token_to_id(alias).expect("an alias"), id(name)))
                .collect();
            let mut random = Random(number as u64 + 7);
            let every: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            for _ in 0..PROMPTS {
                let (text, other, guarded) = prompt(&mut random, &names, &every);
                let got = fuzzing::encode_guarded(&ours, &text, &guarded).expect("encodes");
                let encoding = theirs.encode(other, false).expect("encodes");
                let known = |id: &u32| ids.get(id).copied().unwrap_or(*id);
                let expected: Vec<u32> = encoding.get_ids().iter().map(known).collect();
                if got.ids != expected {
                    let got = got.ids;
                    wrong.push(format!(
                        "{name}, {variant}: {text:?}, {guarded:?}: {got:?} and not {expected:?}"
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
}
