//! Grammars in llama.cpp's notation, written in Lark's.
//!
//! llama.cpp follows its grammars character by character. What is compiled here has two layers: words,
//! which are regular and cheap, and rules of words. So each rule is asked whether it can be a word: it
//! must not contain itself, and what may follow it must not be taken for more of it, since words are as
//! long as they can be. What can be none is a rule of smaller words, down to single characters.

mod parse;
mod sets;
mod write;

use scaffold_error::{Error, err};

use crate::limits;

/// A part of a rule.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    Class(sets::Chars),
    /// A rule, by its place.
    Rule(usize),
    /// A control token, as Lark's notation writes it.
    Token(String),
    Seq(Vec<Node>),
    Alt(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
}

/// Writes a grammar of llama.cpp's in Lark's notation.
///
/// # Errors
/// The grammar is written wrongly, with the line; or it names a rule that is not there.
pub(crate) fn to_lark(text: &str) -> Result<String, Error> {
    limits::check_bytes("the grammar", text.len(), limits::TEXT)?;
    let (names, rules) = parse::rules(text)?;
    let root = names.iter().position(|name| name == "root");
    let Some(root) = root else {
        return Err(err!(
            Usage,
            "the grammar has no rule `root`, with which answers begin: add it"
        )
        .of_key("grammar"));
    };
    Ok(write::lark(&rules, root))
}

#[cfg(test)]
mod tests;
