//! How calls are written, for whoever makes a grammar of it.

use super::form::{CallSyntax, Form};
use super::literal::Literal;

/// How a model writes calls of tools.
#[derive(Clone, Debug, PartialEq)]
pub struct CallWriting {
    /// What stands before the first call.
    pub before: Vec<Piece>,
    /// What stands between two calls; `None` where there is never more than one.
    pub between: Option<Vec<Piece>>,
    /// What stands after the last call.
    pub after: Vec<Piece>,
    /// How one call is written.
    pub form: CallForm,
}

/// A piece of what stands around calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A text.
    Text(String),
    /// A number or an id, another one in each call.
    Any,
}

/// How one call is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallForm {
    /// A JSON object with name and arguments.
    Object {
        /// The keys that lead to the name.
        name: Vec<String>,
        /// The keys that lead to the arguments.
        arguments: Vec<String>,
        /// All calls stand in one list.
        in_list: bool,
    },
    /// The name, something, the arguments as a JSON object.
    Named {
        /// What stands between name and arguments.
        between: Vec<Piece>,
    },
    /// The name, then each argument between marks of its own.
    Marked {
        /// What stands between name and arguments.
        after_name: Vec<Piece>,
        /// What stands before the name of an argument.
        before_key: Vec<Piece>,
        /// What stands between the name of an argument and its value.
        after_key: Vec<Piece>,
        /// What ends a value.
        after_value: String,
        /// What opens and closes a text, where texts stand in quotes.
        quotes: Option<(String, String)>,
    },
}

impl CallWriting {
    pub(super) fn of(syntax: &CallSyntax) -> Self {
        let form = match &syntax.form {
            Form::Object { name, arguments, in_list } => CallForm::Object {
                name: name.clone(),
                arguments: arguments.clone(),
                in_list: *in_list,
            },
            Form::Named { between } => CallForm::Named { between: pieces(between) },
            Form::Marked { after_name, before_key, after_key, quotes, after_value, .. } => {
                CallForm::Marked {
                    after_name: pieces(after_name),
                    before_key: pieces(before_key),
                    after_key: pieces(after_key),
                    after_value: after_value.clone(),
                    quotes: (!quotes.0.trim().is_empty()).then(|| quotes.clone()),
                }
            }
        };
        Self {
            before: pieces(&syntax.head),
            between: syntax.between.as_ref().map(pieces),
            after: pieces(&syntax.tail),
            form,
        }
    }

    /// Calls in a channel of their own, as gpt-oss writes them; what ends the answer ends the call.
    pub(super) fn harmony() -> Self {
        let text = |text: &str| vec![Piece::Text(text.to_owned())];
        Self {
            before: text("<|channel|>commentary to=functions."),
            between: None,
            after: Vec::new(),
            form: CallForm::Named { between: text(" <|constrain|>json<|message|>") },
        }
    }
}

fn pieces(literal: &Literal) -> Vec<Piece> {
    let piece = |piece: Option<&str>| piece.map_or(Piece::Any, |text| Piece::Text(text.to_owned()));
    literal.pieces().map(piece).collect()
}
