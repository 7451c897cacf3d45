//! Grammars of calls: in the way in which the model's own template writes them, with arguments that
//! are valid by the tools' schemas.

mod marked;
mod tools;

use scaffold_error::err;
use scaffold_grammar::{Grammar, Part};
use scaffold_text::{AnswerSyntax, CallForm, CallWriting, Json, Piece, Tokenizer};
use serde_json::json;

use crate::error::Error;
pub use tools::ToolChoice;
use tools::{Tool, chosen, object};

/// How a model writes calls, and its tokens.
pub(super) struct Writer<'a> {
    syntax: &'a AnswerSyntax,
    tokenizer: &'a Tokenizer,
}

impl<'a> Writer<'a> {
    pub(super) fn new(syntax: &'a AnswerSyntax, tokenizer: &'a Tokenizer) -> Self {
        Self { syntax, tokenizer }
    }

    /// The grammar of an answer that has to call; `one`: once, and no more.
    pub(super) fn required(
        &self,
        choice: &ToolChoice,
        tools: &[Json],
        one: bool,
    ) -> Result<Grammar, Error> {
        let tools = chosen(choice, tools)?;
        tools.iter().try_for_each(check)?;
        let mut parts = self.thoughts_in_channels();
        parts.extend(self.calls(&tools, one)?);
        Ok(Grammar::Parts(parts))
    }

    /// The grammar of an answer that is what it is to be, or calls tools instead.
    pub(super) fn either(
        &self,
        answer: Grammar,
        tools: &[Json],
        one: bool,
    ) -> Result<Grammar, Error> {
        let mut tools = chosen(&ToolChoice::Auto, tools)?;
        loosen(&mut tools)?;
        let ways = vec![self.calls(&tools, one)?, self.in_channel(answer)];
        let mut parts = self.thoughts_in_channels();
        parts.push(Part::OneOf(ways));
        Ok(Grammar::Parts(parts))
    }

    /// The grammar of an answer that is free but for its calls: from their mark on, those of strict tools
    /// have arguments that are valid by the tools' schemas. `None` where no tool is strict, or no mark
    /// tells that calls begin.
    pub(super) fn strict(&self, tools: &[Json], one: bool) -> Result<Option<Grammar>, Error> {
        let Some(mark) = self.mark().filter(|_| is_any_strict(tools)) else {
            return Ok(None);
        };
        let mut tools = chosen(&ToolChoice::Auto, tools)?;
        loosen(&mut tools)?;
        let mut calls = self.calls(&tools, one)?.into_iter();
        let free = match mark {
            // White space before the mark is free, too.
            Mark::Token => {
                let is_space =
                    |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
                vec![Part::Free, Part::Optional(calls.skip_while(is_space).collect())]
            }
            Mark::Text(mark) => {
                let first = calls.next();
                let behind = match &first {
                    Some(Part::Text(text)) => {
                        text.split_once(&mark).map(|(_, behind)| behind.to_owned())
                    }
                    _ => None,
                };
                let Some(behind) = behind else { return Ok(None) };
                let mut held = vec![Part::Until(mark.clone())];
                held.extend((!behind.is_empty()).then_some(Part::Text(behind)));
                held.extend(calls);
                vec![Part::OneOf(vec![vec![Part::Without(mark)], held])]
            }
        };
        Ok(Some(Grammar::Parts(free)))
    }

    /// Whether calls of strict tools can be held to their schemas where the model need not call.
    pub(super) fn can_be_strict(&self) -> bool {
        let tool = json!({ "type": "function", "function": { "name": "any", "strict": true } });
        self.strict(&[Json::from(tool)], false).is_ok_and(|held| held.is_some())
    }

    /// What tells that calls begin, where something does.
    fn mark(&self) -> Option<Mark> {
        let mark = self.syntax.call_mark()?;
        match self.text(mark).as_slice() {
            [Part::Token(_), ..] => Some(Mark::Token),
            [Part::Text(text)] => Some(Mark::Text(text.clone())),
            _ => None,
        }
    }

    /// The grammar of an answer, where the model writes it into a channel.
    pub(super) fn answer(&self, answer: Grammar) -> Grammar {
        if !self.syntax.has_channels() {
            return answer;
        }
        let mut parts = self.thoughts_in_channels();
        parts.extend(self.in_channel(answer));
        Grammar::Parts(parts)
    }

    fn in_channel(&self, answer: Grammar) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.syntax.has_channels() {
            parts.extend(self.text("<|channel|>final"));
            parts.push(Part::Optional(self.text(" <|constrain|>json")));
            parts.extend(self.text("<|message|>"));
        }
        parts.push(Part::Grammar(Box::new(answer)));
        parts
    }

    /// Thoughts that stand in a channel of their own, if the model has any.
    fn thoughts_in_channels(&self) -> Vec<Part> {
        if !self.syntax.has_channels() {
            return Vec::new();
        }
        let mut thoughts = self.text("<|channel|>analysis<|message|>");
        thoughts.push(Part::Free);
        thoughts.extend(self.text("<|end|><|start|>assistant"));
        vec![Part::Optional(thoughts)]
    }

    fn calls(&self, tools: &[Tool], one: bool) -> Result<Vec<Part>, Error> {
        let writing = self.syntax.calls();
        let writing = writing
            .ok_or_else(|| err!(Unsupported, "the model's template writes no calls of tools"))?;
        let CallWriting { before, between, after, form } = &writing;
        let mut parts = self.pieces(before);
        let each = tools.iter().map(|tool| self.call(tool, form)).collect::<Result<Vec<_>, _>>()?;
        let call = Part::OneOf(each);
        let listed = matches!(form, CallForm::Object { in_list: true, .. });
        let between = if listed {
            parts.push(Part::Text("[".to_owned()));
            Some(vec![Part::Text(", ".to_owned())])
        } else {
            between.as_ref().map(|between| self.pieces(between))
        };
        parts.push(call.clone());
        if let Some(mut more) = between.filter(|_| !one) {
            more.push(call);
            parts.push(Part::Repeated(more));
        }
        if listed {
            parts.push(Part::Text("]".to_owned()));
        }
        parts.extend(self.pieces(after));
        Ok(parts)
    }

    fn call(&self, tool: &Tool, form: &CallForm) -> Result<Vec<Part>, Error> {
        Ok(match form {
            CallForm::Object { name, arguments, .. } => {
                object(tool, name, arguments).ok_or_else(cannot_force)?
            }
            CallForm::Named { between } => {
                let mut parts = vec![Part::Text(tool.name.clone())];
                parts.extend(self.pieces(between));
                parts.push(Part::Grammar(Box::new(Grammar::Schema(tool.schema()))));
                parts
            }
            CallForm::Marked { .. } => self.marked(tool, form)?,
            _ => return Err(cannot_force()),
        })
    }

    fn pieces(&self, pieces: &[Piece]) -> Vec<Part> {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => self.text(text),
            Piece::Any => {
                let id = Grammar::Regex("[0-9A-Za-z]{1,9}".to_owned());
                vec![Part::Grammar(Box::new(id))]
            }
        };
        pieces.iter().flat_map(part).collect()
    }

    /// A text with the control tokens in it.
    fn text(&self, text: &str) -> Vec<Part> {
        let ids = self.tokenizer.controls_in(&[text]);
        let named = |&id: &u32| Some((self.tokenizer.id_to_piece(id)?, id));
        let controls: Vec<(String, u32)> = ids.iter().filter_map(named).collect();
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let found = controls
                .iter()
                .filter_map(|(name, id)| Some((rest.find(&**name)?, name.len(), *id)));
            // The first, and of several there the longest.
            let first = found.min_by_key(|&(at, length, _)| (at, std::cmp::Reverse(length)));
            let (end, length) = first.map_or((rest.len(), 0), |(at, length, _)| (at, length));
            if end > 0 {
                parts.push(Part::Text(rest[..end].to_owned()));
            }
            parts.extend(first.map(|(.., id)| Part::Token(id)));
            rest = &rest[end + length..];
        }
        parts
    }
}

/// What tells that calls begin.
enum Mark {
    /// A control token, which is in no text.
    Token,
    /// A text.
    Text(String),
}

/// Whether calls of any of these tools are to be held to its schema.
pub(super) fn is_any_strict(tools: &[Json]) -> bool {
    let is_strict = |tool: &Json| {
        let function = tool.get("function").unwrap_or(tool);
        function.get("strict") == Some(&Json::Bool(true))
    };
    tools.iter().any(is_strict)
}

/// Refuses a tool whose parameters cannot be followed.
fn check(tool: &Tool) -> Result<(), Error> {
    Grammar::Schema(tool.parameters.clone()).check().map_err(|error| {
        error
            .prefixed(format!("calls of the tool {:?} cannot be held to its parameters", tool.name))
    })
}

/// Asks of tools that are not strict what is needed to read their calls, and no more.
fn loosen(tools: &mut [Tool]) -> Result<(), Error> {
    tools.iter_mut().try_for_each(|tool| {
        tool.loose = !tool.strict;
        if tool.loose { Ok(()) } else { check(tool) }
    })
}

fn cannot_force() -> Error {
    err!(
        Unsupported,
        "a call cannot be forced with the way in which this model writes calls: ask with the choice \"auto\""
    )
    .of_key("tool_choice")
}
